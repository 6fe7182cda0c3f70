// crowd-input, crowd-text-area and crowd-slider: what a worker types or measures out.

const FIELD_STYLE = `
  :host { display: block; margin: .5rem 0; }
  .label { display: block; margin-bottom: .25rem; font-weight: 600; }
  .label:empty { display: none; }
  .box {
    display: block; width: 100%; padding: .55rem .7rem; border: 1px solid var(--edge); border-radius: .45rem;
    background: var(--surface); color: var(--ink);
  }
  .box::placeholder { color: var(--ink-soft); opacity: 1; }
  .box:disabled { background: var(--raised); color: var(--ink-soft); }
  :host([data-invalid]) .box { border-color: var(--bad); box-shadow: 0 0 0 1px var(--bad); }
  .below { display: flex; gap: 1rem; justify-content: space-between; }
  .count { margin-left: auto; color: var(--ink-soft); font-size: .85em; }
`;

/** A text field; crowd-input and crowd-text-area differ in the box only. */
class TextElement extends AnsweringElement {
  static text = ["name", "label", "placeholder", "value", "type", "max-length", "min-length", "max-chars",
    "allowed-pattern", "error-message", "rows", "max-rows"];
  static flags = ["required", "disabled", "auto-focus", "auto-validate", "char-counter"];
  static style = css(FIELD_STYLE);

  #edited = false;

  get box() { return this.part(".box"); }

  get value() { return this.box.value; }
  set value(value) {
    this.#edited = true;
    this.box.value = value ?? "";
    this.#afterEdit();
  }

  get problem() {
    const text = this.value.trim();
    if (this.required && text === "") return this.errorMessage || `${this.#title}: please fill this in.`;
    if (text === "") return "";
    if (text.length < Number(this.minLength)) return this.errorMessage || `${this.#title}: at least ${this.minLength} characters.`;
    if (this.autoValidate && this.#breaksPattern(this.value)) return this.errorMessage || `${this.#title}: this can't be written here.`;
    return this.box.validity.valid ? "" : this.errorMessage || this.box.validationMessage;
  }

  get #title() { return this.accessibleName || "Answer"; }

  prepare() {
    this.box.addEventListener("beforeinput", (event) => this.#refuse(event));
    this.box.addEventListener("input", () => {
      this.#edited = true;
      this.showProblem("");
      this.#afterEdit();
    });
    this.box.addEventListener("change", () => this.announceChange());
  }

  connectedCallback() {
    super.connectedCallback();
    if (this.autoFocus) queueMicrotask(() => this.box.focus());
  }

  update() {
    const { box } = this;
    this.part(".label").textContent = this.label;
    box.setAttribute("aria-label", this.accessibleName);
    box.setAttribute("aria-required", String(this.required));
    box.placeholder = this.placeholder;
    box.disabled = this.disabled;
    const limit = parseInt(this.maxLength || this.maxChars, 10);
    if (limit >= 0) box.maxLength = limit;
    else box.removeAttribute("maxlength");
    if (!this.#edited) box.value = this.getAttribute("value") ?? "";
    this.#afterEdit();
  }

  reset() {
    this.#edited = false;
    this.showProblem("");
    this.update();
  }

  restore(value) {
    this.value = typeof value === "string" ? value : "";
    this.showProblem("");
  }

  showProblem(problem) {
    super.showProblem(problem);
    this.box.setAttribute("aria-invalid", String(problem !== ""));
  }

  /** allowed-pattern says which characters may be typed. */
  #refuse(event) {
    if (this.autoValidate && event.data && this.#breaksPattern(event.data)) event.preventDefault();
  }

  #breaksPattern(text) {
    if (!this.allowedPattern) return false;
    const allowed = new RegExp(this.allowedPattern);
    return [...text].some((character) => !allowed.test(character));
  }

  #afterEdit() {
    const { length } = this.box.value;
    const limit = this.maxLength || this.maxChars;
    this.part(".count").textContent = this.charCounter ? (limit ? `${length} / ${limit}` : String(length)) : "";
    this.grow();
  }

  /** Take the height that the text needs. */
  grow() {}
}

const BELOW = '<div class="below"><p class="error" role="alert"></p><span class="count"></span></div>';

class CrowdInput extends TextElement {
  static markup = `<span class="label" aria-hidden="true"></span><input class="box" type="text">${BELOW}`;

  get _submittableValue() { return this.value === "" ? undefined : this.value; }

  update() {
    this.box.type = this.type || "text";
    super.update();
  }
}

class CrowdTextArea extends TextElement {
  static markup = `<span class="label" aria-hidden="true"></span><textarea class="box"></textarea>${BELOW}`;
  static style = css(`${FIELD_STYLE} textarea { resize: vertical; }`);

  get _submittableValue() { return this.value; }

  update() {
    this.box.rows = parseInt(this.rows, 10) || 2;
    super.update();
  }

  grow() {
    const { box } = this;
    if (!box.isConnected || box.scrollHeight <= box.clientHeight) return;
    const line = parseFloat(getComputedStyle(box).lineHeight) || 20;
    const most = parseInt(this.maxRows, 10) || 20;
    box.style.height = `${Math.min(box.scrollHeight + 2, most * line + 20)}px`;
  }
}

class CrowdSlider extends AnsweringElement {
  static text = ["name", "label", "min", "max", "step", "value", "secondary-progress"];
  static flags = ["required", "disabled", "pin", "editable"];
  static markup = `
    <span class="label" aria-hidden="true"></span>
    <div class="row"><span class="end"></span>
      <span class="track"><span class="second" hidden></span><input class="range" type="range"></span><span class="end"></span>
      <output></output><input class="number" type="number" hidden></div>
    <div class="labels"><slot></slot></div>
    <p class="error" role="alert"></p>`;

  static style = css(`
    ${FIELD_STYLE}
    .row { display: flex; gap: .6rem; align-items: center; }
    .track { position: relative; flex: 1; display: flex; min-width: 6rem; }
    .range { position: relative; width: 100%; height: 2rem; margin: 0; accent-color: var(--accent); cursor: pointer; }
    .second {
      position: absolute; left: 0; bottom: .1rem; height: .35rem; border-radius: .2rem;
      background: var(--crowd-slider-secondary-color, var(--edge));
    }
    .second[hidden] { display: none; }
    .labels { display: flex; gap: 1rem; justify-content: space-between; color: var(--ink-soft); font-size: .92em; }
    .end { color: var(--ink-soft); font-size: .85em; }
    output { min-width: 3.2em; padding: .2em .5em; border-radius: .4em; background: var(--wash); text-align: center; font-weight: 600; }
    .number { width: 6em; padding: .35rem .5rem; border: 1px solid var(--edge); border-radius: .4rem; background: var(--surface); }
  `);

  #moved = false;

  get range() { return this.part(".range"); }
  get number() { return this.part(".number"); }

  get value() { return Number(this.range.value); }
  set value(value) {
    this.#moved = true;
    this.#show(value);
  }

  get _submittableValue() { return this.value; }

  prepare() {
    this.range.addEventListener("input", () => { this.value = this.range.value; });
    this.number.addEventListener("input", () => { if (this.number.value !== "") this.value = this.number.value; });
    for (const box of [this.range, this.number]) box.addEventListener("change", () => this.announceChange());
  }

  update() {
    const limits = { min: this.min || "0", max: this.max || "100", step: this.step || "1" };
    for (const box of [this.range, this.number]) {
      Object.assign(box, limits, { disabled: this.disabled });
      box.setAttribute("aria-label", this.accessibleName);
    }
    const [low, high] = this.shadowRoot.querySelectorAll(".end");
    [low.textContent, high.textContent] = [limits.min, limits.max];
    this.part(".label").textContent = this.label;
    this.number.hidden = !this.editable;
    this.part("output").hidden = this.editable;
    this.#showSecond(limits);
    this.#show(this.#moved ? this.value : this.getAttribute("value") ?? limits.min);
  }

  reset() {
    this.#moved = false;
    this.update();
  }

  /** How far something else has come, on the same scale. */
  #showSecond({ min, max }) {
    const second = this.part(".second");
    const share = (Number(this.secondaryProgress) - min) / (max - min);
    second.hidden = this.secondaryProgress === "" || !Number.isFinite(share);
    second.style.width = `${100 * Math.min(Math.max(share, 0), 1)}%`;
  }

  restore(value) {
    if (typeof value === "number") this.value = value;
  }

  #show(value) {
    this.range.value = value;
    this.part("output").textContent = this.range.value;
    if (this.shadowRoot.activeElement !== this.number) this.number.value = this.range.value;
  }
}

define("crowd-input", CrowdInput);
define("crowd-text-area", CrowdTextArea);
/** What a place on a slider means, below it or beside it. */
class CrowdSliderLabel extends CrowdElement {
  static style = css(":host { display: inline-block; }");
}

define("crowd-slider", CrowdSlider);
define("crowd-slider-label", CrowdSliderLabel);
