// crowd-form: what an HTML form does, for plain fields and crowd elements alike, wherever they stand inside it.

const PLAIN_FIELDS = "input, select, textarea";
const TYPED_IN = "input:not([type=checkbox], [type=radio], [type=range], [type=button], [type=submit], [type=reset], "
  + "[type=image], [type=color], [type=file]), textarea, select, [contenteditable]:not([contenteditable=false])";
const OWN_ENTER = "button, a[href], summary, textarea, select, input[type=button], input[type=submit], "
  + "input[type=reset], input[type=image], input[type=file], [role=button], [role=tab], audio, video, iframe";

class CrowdForm extends CrowdElement {
  static markup = `
    <slot></slot>
    <div class="foot"><p class="status" role="alert"></p><span class="hint" aria-hidden="true"><kbd>Enter</kbd></span><slot name="submit"></slot></div>`;

  static style = css(`
    :host { display: block; }
    .foot {
      position: sticky; bottom: 0; z-index: 5; display: flex; gap: 1rem; align-items: center; justify-content: flex-end;
      margin-top: 1rem; padding: .6rem 0; border-top: 1px solid var(--line); background: light-dark(#fff, #14191f);
    }
    :host([own-submit]) .foot:not(.telling), :host([read-only]) .foot { display: none; }
    .status { flex: 1; margin: 0; color: var(--ink-soft); }
    .hint { font-size: .85em; }
    :host([own-submit]) .hint { display: none; }
    @media (pointer: coarse) { .hint { display: none; } }
    .status.bad { color: var(--bad); font-weight: 600; }
  `);

  #sent = false;
  #submitting = false;
  #readOnly = false;
  #button = null;
  #asked = false;

  prepare() {
    this.addEventListener("click", (event) => this.#clicked(event));
    this.addEventListener("submit", (event) => this.#nestedFormSubmitted(event));
    this.addEventListener("change", () => this.#asked && this.#tell(""));
    document.addEventListener("crowd-rejected", (event) => this.#rejected(event.detail));
    document.addEventListener("crowd-restore", (event) => this.restore(event.detail));
    document.addEventListener("crowd-read-only", () => this.#setReadOnly());
    // Content may be parsed, or made by scripts, at any time.
    new MutationObserver(() => this.#ensureSubmitButton()).observe(this, { childList: true, subtree: true });
    whenParsed(() => this.#ensureSubmitButton());
  }

  /** The form itself: templates written for AWS's element append to `crowdForm.form`. */
  get form() { return this; }

  /** All fields that can be in the answer, in document order. */
  get elements() {
    const { host } = this.getRootNode();
    // An element that brings its own form, in its shadow root, is in that form's answer, with what stands inside it.
    const around = host instanceof AnsweringElement ? [host, ...host.querySelectorAll("*")] : [];
    const fields = [...around, ...this.querySelectorAll("*")];
    return fields.filter((field) => field instanceof AnsweringElement || field.matches(PLAIN_FIELDS));
  }

  /** The answer as it would be submitted now. */
  get answer() {
    const answer = Object.create(null); // a field may be named as what every object has
    for (const field of this.elements) {
      if (field.matches(":disabled") || isSet(field, "disabled")) continue;
      const name = field.getAttribute("name");
      if (name) put(answer, name, fieldValue(field), field);
      else if (field.hasAttribute("crowd-form-element-id")) Object.assign(answer, fieldValue(field));
    }
    return { ...answer };
  }

  /** What AWS's form hands to its service, which pages read to check or keep an answer. */
  _serializeForm() { return { taskAnswers: JSON.stringify([this.answer]) }; }

  /** Submit as the button does: check, ask the `submit` listeners, send. */
  submit(submitter = null) {
    if (this.#sent || this.#readOnly) return;
    if (!this.#submitting) {
      if (!this.reportValidity()) return;
      if (!this.#listenersAgree(submitter)) return;
    }
    // A listener that calls submit() itself means: send.
    if (!this.#sent) this.#send();
  }

  requestSubmit(submitter) { this.submit(submitter); }

  checkValidity() { return this.#problems().length === 0; }

  /** Say what is missing and take the worker to the first such field; true if nothing is. */
  reportValidity() {
    const problems = this.#problems();
    for (const field of this.elements) {
      if (field instanceof AnsweringElement) field.showProblem(field.problem);
    }
    this.#asked = problems.length > 0;
    this.#tell(problems.length > 1 ? `${problems.length} answers are missing or not right yet.` : problems[0]?.text ?? "", true);
    if (problems.length > 0) takeTo(problems[0].field);
    return problems.length === 0;
  }

  reset() {
    const event = new Event("reset", { bubbles: true, cancelable: true });
    if (!this.dispatchEvent(event)) return;
    for (const field of this.elements) {
      if (field instanceof AnsweringElement) field.reset();
      else resetPlain(field);
    }
    this.#tell("");
  }

  /** Fill in an answer that was given before; what has no name in it is left empty. */
  restore(answer) {
    if (!isObject(answer)) return;
    const seen = new Map();
    for (const field of this.elements) {
      const name = field.getAttribute("name");
      if (!name) continue;
      const value = Object.hasOwn(answer, name) ? answer[name] : undefined;
      if (field instanceof AnsweringElement) field.restore(value);
      else restorePlain(field, value, seen);
    }
    this.#tell("");
  }

  /** An item to look at: its fields show what was answered, and take nothing. */
  #setReadOnly() {
    this.#readOnly = true;
    this.toggleAttribute("read-only", true);
    for (const field of this.elements) field.disabled = true;
    for (const button of this.querySelectorAll('crowd-button[form-action="submit"], button[type=submit], input[type=submit]')) {
      button.hidden = true;
    }
  }

  #problems() {
    const groups = new Set();
    return this.elements.map((field) => ({ field, text: problemOf(field) })).filter(({ field, text }) => {
      // Each radio button of a group says that one of them is wanted: once is enough.
      const isSaid = field.type === "radio" && groups.has(field.name);
      if (text !== "" && field.type === "radio") groups.add(field.name);
      return text !== "" && !isSaid;
    });
  }

  #listenersAgree(submitter) {
    this.#submitting = true;
    try {
      const native = submitter instanceof HTMLButtonElement || submitter instanceof HTMLInputElement ? submitter : null;
      return this.dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true, submitter: native }));
    } finally {
      this.#submitting = false;
    }
  }

  #send() {
    // Whoever knows that parts of the answer would be missing says so and stops it.
    if (!document.dispatchEvent(new CustomEvent("crowd-submitting", { cancelable: true }))) return;
    this.#sent = true;
    this.toggleAttribute("submitted", true);
    this.#tell("Sending…");
    document.dispatchEvent(new CustomEvent("crowd-answer", { detail: this.answer }));
  }

  #rejected(message) {
    this.#sent = false;
    this.toggleAttribute("submitted", false);
    this.#tell(message || "The answer could not be saved. Please submit it again.", true);
  }

  #tell(text, bad = false) {
    const status = this.part(".status");
    status.textContent = text;
    status.classList.toggle("bad", bad);
    this.part(".foot").classList.toggle("telling", text !== "");
  }

  #clicked(event) {
    if (event.defaultPrevented) return;
    const button = event.target.closest("button, input[type=submit], input[type=image], input[type=reset]");
    if (!button || button.form || button.disabled || !this.contains(button)) return;
    if (button.type === "submit" || button.type === "image") this.submit(button);
    else if (button.type === "reset") this.reset();
  }

  /** A plain <form> inside would navigate away; its submission is this form's. */
  #nestedFormSubmitted(event) {
    if (event.target === this || event.defaultPrevented) return;
    event.preventDefault();
    event.stopPropagation();
    this.submit(event.submitter);
  }

  #ensureSubmitButton() {
    if (document.readyState === "loading") return;
    const buttons = [...this.querySelectorAll('crowd-button[form-action="submit"]')];
    const own = buttons.some((button) => button !== this.#button);
    this.toggleAttribute("own-submit", own);
    if (own) {
      this.#button?.remove();
    } else if (!this.#button?.isConnected) {
      this.#button ??= make("crowd-button", { slot: "submit", textContent: "Submit" });
      this.#button.setAttribute("form-action", "submit");
      this.#button.setAttribute("variant", "primary");
      this.append(this.#button);
    }
  }
}

/** Run when the page's markup has been read. */
function whenParsed(run) {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", run);
  else queueMicrotask(run);
}

/** What a field puts into the answer, as Ground Truth's form does; undefined for nothing. */
function fieldValue(field) {
  if (field instanceof AnsweringElement) return field._submittableValue;
  if (/^(submit|button|reset|image)$/.test(field.type)) return undefined;
  // Those of one name share an object of all their values: {agree: true, disagree: false}.
  if (field.type === "checkbox" || field.type === "radio") return { [field.value]: field.checked };
  if (field.type === "file") return [...field.files].map((file) => file.name).join(", ");
  if (field.type === "select-multiple") return [...field.selectedOptions].map((option) => option.value);
  return field.value;
}

/** Add a value to the answer: choices and elements of one name share an object, other plain fields make a list. */
function put(answer, name, value, field) {
  if (value === undefined) return;
  const before = answer[name];
  if (before === undefined) answer[name] = value;
  else if (isObject(before) && isObject(value)) join(before, value);
  else if (field instanceof AnsweringElement) answer[name] = value;
  else answer[name] = [before, value].flat();
}

/** Join two fields of one name; of several choices of one value, one that is on is enough. */
function join(before, value) {
  for (const [key, one] of Object.entries(value)) before[key] = Object.hasOwn(before, key) && before[key] === true ? true : one;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function problemOf(field) {
  if (isSet(field, "disabled") || field.matches(":disabled")) return "";
  if (field instanceof AnsweringElement) return field.problem;
  return field.willValidate && !field.validity.valid ? `${plainName(field)}: ${field.validationMessage}` : "";
}

function plainName(field) {
  const labels = [...(field.labels ?? [])].map(labelText).join(" ");
  return labels || field.getAttribute("aria-label") || field.placeholder || field.name || "Answer";
}

/** A label's own words, without those of the field inside it. */
function labelText(label) {
  const copy = label.cloneNode(true);
  for (const field of copy.querySelectorAll(PLAIN_FIELDS)) field.remove();
  return copy.textContent.trim();
}

/** Fill in a plain field; of several text fields of one name each takes its own of the list that they made. */
function restorePlain(field, value, seen) {
  if (/^(submit|button|reset|image|file|password)$/.test(field.type)) return;
  const values = [value].flat().filter((one) => typeof one === "string");
  if (field.type === "checkbox" || field.type === "radio") {
    field.checked = isObject(value) && value[field.value] === true;
  } else if (field.type === "select-multiple") {
    for (const option of field.options) option.selected = values.includes(option.value);
  } else {
    const nth = seen.get(field.name) ?? 0;
    seen.set(field.name, nth + 1);
    if (nth >= values.length) return;
    field.value = values[nth];
  }
  // The page's own scripts may show or hide parts by it.
  for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
}

function resetPlain(field) {
  if (field.type === "checkbox" || field.type === "radio") field.checked = field.defaultChecked;
  else if (field instanceof HTMLSelectElement) [...field.options].forEach((option) => { option.selected = option.defaultSelected; });
  else field.value = field.defaultValue;
}

/** Bring a field to view, opening the tab that hides it. */
function takeTo(field) {
  field.closest("crowd-tab")?.show();
  field.focus();
  field.scrollIntoView({ block: "nearest" });
}

/** Act on a key wherever the focus is: 1–9 choose a category, Enter submits. True if the key was used. */
function pressKey(key) {
  if (/^[1-9]$/.test(key)) {
    const classifiers = [...document.querySelectorAll(CLASSIFIERS)];
    const classifier = classifiers.find((one) => one.matches(":focus-within"))
      ?? classifiers.find((one) => one.problem !== "") ?? classifiers[0];
    return classifier?.choose(Number(key)) ?? false;
  }
  if (key !== "Enter") return false;
  const form = document.activeElement?.closest("crowd-form") ?? document.querySelector("crowd-form")
    ?? document.querySelector("[own-form]")?.form;
  form?.submit();
  return Boolean(form);
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat || event.altKey) return;
  const path = event.composedPath().filter((node) => node instanceof Element);
  const [target] = path;
  if (!target || path.some((node) => node.matches("dialog[open], [role=dialog]"))) return;
  const chord = event.ctrlKey || event.metaKey;
  const submits = event.key === "Enter" && (chord || !path.some((node) => node.matches(OWN_ENTER)));
  const chooses = !chord && !target.matches(TYPED_IN) && event.key !== "Enter";
  if ((submits || chooses) && pressKey(event.key)) event.preventDefault();
});

document.addEventListener("crowd-key", (event) => {
  if (!document.querySelector("dialog[open]")) pressKey(event.detail);
});

define("crowd-form", CrowdForm);
