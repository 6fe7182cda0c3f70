// crowd-entity-annotation: passages of a text, each with a label.

const MANY_LABELS = 12; // from so many on, they are looked for by typing

/** The labels of an entity annotation: `{label, short, full, colour}` each, and what is wrong with them, in words. */
function readEntityLabels(element) {
  const [list, wrong] = readLiteralList(element, "labels");
  if (list === null) return [[], [wrong]];
  const labels = new Map();
  const notes = [];
  let [nameless, twice] = [0, 0];
  for (const one of list) {
    const name = isObject(one) ? one.label : one;
    if (typeof name !== "string" && typeof name !== "number") nameless += 1;
    else if (labels.has(String(name))) twice += 1;
    else labels.set(String(name), {
      label: String(name), short: String(one.shortDisplayName ?? name), full: String(one.fullDisplayName ?? name), colour: textColour(labels.size),
    });
  }
  if (labels.size === 0) notes.push("There are no labels: labels is empty, and a JSON array of them was expected.");
  if (nameless > 0) notes.push(`${nameless} of ${list.length} labels have no label of their own, and are left out.`);
  if (twice > 0) notes.push(`${twice} of ${list.length} labels are there twice, and are shown once.`);
  return [[...labels.values()], notes];
}

class CrowdEntityAnnotation extends AnsweringElement {
  static text = ["name", "header", "text", "labels", "initial-value"];
  static flags = ["disabled"];
  static regions = ["short-instructions", "full-instructions"];

  static markup = `
    <div class="frame">
      <section class="main">
        <h2 id="header"></h2>
        <div class="amiss" role="note"></div>
        <div id="text"></div>
        <p class="said" role="status"></p>
        <slot></slot>
      </section>
      <aside class="side" aria-label="Labels">
        <input class="filter" type="search" placeholder="Find a label" aria-label="Find a label" hidden>
        <div class="labels" role="group" aria-label="Labels"></div>
        <div class="tools">
          <button type="button" class="undo" title="Undo (Ctrl+Z)">Undo</button>
          <button type="button" class="redo" title="Redo (Ctrl+Shift+Z)">Redo</button>
          <button type="button" class="remove" title="Remove (Delete)">Remove</button>
        </div>
        <p class="error" role="alert"></p>
        <details class="list" open><summary></summary><ol></ol></details>
        <slot name="short-instructions"></slot>
        <slot name="full-instructions"></slot>
      </aside>
    </div>`;

  static style = css(`
    :host { display: block; container-type: inline-size; }
    .frame { display: grid; gap: 1rem; }
    .main { min-width: 0; }
    h2 { margin: 0 0 .75rem; font-size: 1.25rem; line-height: 1.3; text-wrap: balance; }
    h2:empty, .amiss:empty { display: none; }
    .amiss { margin: 0 0 .6rem; padding: .5rem .8rem; border-radius: .4rem; background: var(--warn-wash); color: var(--warn); }
    .amiss p { margin: .2rem 0; }
    .said { min-height: 1.5em; margin: .5rem 0 0; color: var(--ink-soft); font-size: .92em; }
    .side { display: flex; flex-direction: column; gap: .75rem; min-width: 0; }
    .filter { padding: .5rem .7rem; border: 1px solid var(--edge); border-radius: .45rem; background: var(--surface); }
    .filter::placeholder { color: var(--ink-soft); opacity: 1; }
    .filter[hidden] { display: none; }
    .labels { display: grid; gap: .35rem; grid-template-columns: repeat(auto-fill, minmax(min(11rem, 100%), 1fr)); max-height: 45vh; overflow: auto; padding: 3px; }
    .label {
      display: flex; gap: .6rem; align-items: center; min-height: 2.6rem; padding: .3rem .7rem .3rem .5rem; border: 1.5px solid var(--line);
      border-left: .5rem solid var(--c); border-radius: .5rem; background: var(--surface); text-align: left; cursor: pointer; overflow-wrap: anywhere;
    }
    .label:hover { background: var(--raised); border-color: var(--accent); border-left-color: var(--c); }
    .label[aria-pressed=true] { background: var(--wash); border-color: var(--accent); border-left-color: var(--c); font-weight: 600; box-shadow: inset 0 0 0 1px var(--accent); }
    @media (forced-colors: active) { .label[aria-pressed=true] { outline: 3px solid Highlight; outline-offset: -3px; } }
    .label kbd, .label .blank { flex: none; width: 1.6em; }
    .label .count { margin-left: auto; color: var(--ink-soft); font-variant-numeric: tabular-nums; }
    .label[hidden] { display: none; }
    .tools { display: flex; flex-wrap: wrap; gap: .4rem; }
    .tools button, li button { min-height: 2rem; padding: .2rem .8rem; border: 1px solid var(--edge); border-radius: .4rem; background: var(--surface); cursor: pointer; }
    .tools button:hover:enabled, li button:hover { background: var(--raised); }
    .tools button:disabled, .label:disabled { color: var(--ink-soft); opacity: .6; cursor: not-allowed; }
    summary { cursor: pointer; font-weight: 600; }
    ol { max-height: 30vh; margin: .4rem 0 0; padding: 0; overflow: auto; list-style: none; }
    li { display: flex; gap: .4rem; align-items: center; margin: .15rem 0; }
    li .goto { flex: 1; min-width: 0; border-color: var(--line); border-left: .4rem solid var(--c); text-align: left; overflow-wrap: anywhere; }
    li .goto[aria-current=true] { background: var(--wash); border-color: var(--accent); border-left-color: var(--c); }
    li .cross { min-width: 2rem; padding: 0; }
    ${MARKED_TEXT_STYLE}
    @container (min-width: 52rem) {
      .frame { grid-template-columns: minmax(0, 1fr) clamp(15rem, 26cqw, 21rem); }
      .side { position: sticky; top: 16px; max-height: calc(100vh - 6rem); overflow-y: auto; padding: 4px; align-self: start; }
      .labels { grid-template-columns: 1fr; }
    }
  `);

  #surface = null;
  #labels = [];
  #history = [[]]; // states of the marks, of which one is shown
  #at = 0;
  #given = []; // those that the page came with
  #active = null;
  #armed = null; // the label that the next selection gets
  #drawnOf = null;

  get labels() { return readLiteralList(this, "labels")[0] ?? []; }
  set labels(labels) { this.setAttribute("labels", typeof labels === "string" ? labels : JSON.stringify(labels)); }

  /** The form that the answer is in: the page's, or this element's own. */
  get form() { return this.closest("crowd-form") ?? this.shadowRoot.querySelector("crowd-form"); }

  get marks() { return this.#history[this.#at]; }

  get value() { return this._submittableValue; }

  get _submittableValue() {
    const answer = { entities: entitiesOf(this.marks) };
    if (this.hasAttribute("initial-value")) answer.initialValueModified = !isSame(answer.entities, entitiesOf(this.#given));
    return answer;
  }

  /** Once, when it is first in a page: before that there are no fields to keep things in. */
  #setUp() {
    this.#surface = new MarkedText(this.part("#text"), {
      select: (span) => (this.#armed ? this.#mark(span, this.#armed) : this.#offer(span)),
      press: (mark) => this.#activate(mark.entity),
      remove: (mark) => this.#remove(mark.entity),
    });
    this.part(".filter").addEventListener("input", () => this.#filter());
    this.part(".filter").addEventListener("keydown", (event) => this.#filterKey(event));
    this.part(".undo").addEventListener("click", () => this.#go(-1));
    this.part(".redo").addEventListener("click", () => this.#go(1));
    this.part(".remove").addEventListener("click", () => this.#removeCurrent());
    // A button that took the focus would take the selection with it.
    this.part(".side").addEventListener("pointerdown", (event) => { if (event.target.closest("button")) event.preventDefault(); });
    this.shadowRoot.addEventListener("keydown", (event) => this.#key(event));
    this.part("#text").addEventListener("keyup", (event) => { if (event.shiftKey || event.key === "Shift") this.#tellSelection(); });
  }

  connectedCallback() {
    this.#bringForm();
    super.connectedCallback();
  }

  update() {
    if (this.#surface === null) this.#setUp();
    this.part("h2").textContent = this.header;
    this.part("#text").setAttribute("aria-label", this.header || "The text to mark");
    this.part("#text").contentEditable = String(!this.disabled);
    if (this.disabled) this.part("#text").tabIndex = 0;
    const drawnOf = JSON.stringify(["text", "labels", "initial-value"].map((name) => this.getAttribute(name)));
    if (this.#drawnOf !== drawnOf) this.#read();
    this.#drawnOf = drawnOf;
    this.#show();
  }

  reset() {
    this.#history = [this.#given];
    this.#at = 0;
    this.#active = null;
    this.showProblem("");
    this.#show();
  }

  /** Show entities that were given before; what can't be shown is left out. */
  restore(value) {
    const [marks] = this.#readEntities(isObject(value) && Array.isArray(value.entities) ? value.entities : []);
    this.#history = [marks];
    this.#at = 0;
    this.#active = null;
    this.#show();
  }

  focus() { this.part("#text").focus(); }

  /** Choose the nth label, counted from 1, for what is selected, or for what will be; false if there is none. */
  choose(nth) {
    const label = this.#labels[nth - 1];
    if (!label || this.disabled) return false;
    this.#apply(label.label);
    return true;
  }

  /** Without a form of the page's, this element brings its own, with a button to submit. */
  #bringForm() {
    const own = this.shadowRoot.querySelector("crowd-form");
    const around = this.parentElement?.closest("crowd-form");
    const frame = this.part(".frame");
    if (around && own) own.replaceWith(frame);
    else if (!around && !own) {
      const form = make("crowd-form", { id: "wrapform" });
      frame.before(form);
      form.append(frame);
    }
    this.toggleAttribute("own-form", !around);
  }

  #read() {
    const [labels, notes] = readEntityLabels(this);
    this.#labels = labels;
    this.#surface.text = this.text;
    if (this.text === "") notes.push("There is no text to mark: text is empty.");
    const [given, wrong] = readLiteralList(this, "initial-value");
    if (wrong) notes.push(wrong);
    const [marks, unfit] = this.#readEntities(given ?? []);
    this.#given = marks;
    this.#history = [marks];
    this.#at = 0;
    this.#active = null;
    if (!labels.some(({ label }) => label === this.#armed)) this.#armed = null;
    notes.push(...unfit);
    this.part(".amiss").replaceChildren(...notes.map((note) => make("p", { textContent: note })));
    tellOwnerOf(this, notes);
    this.#drawLabels();
  }

  /** Entities as marks, and what is wrong with those that can't be shown. */
  #readEntities(entities) {
    const marks = [];
    const unfit = [];
    const { length } = this.#surface;
    for (const one of entities) {
      const { label, startOffset: start, endOffset: end } = isObject(one) ? one : {};
      if (typeof label !== "string" || !Number.isInteger(start) || !Number.isInteger(end)) {
        unfit.push(`${JSON.stringify(one)} has no label, startOffset and endOffset`);
      } else if (start < 0 || end > length || start >= end) {
        unfit.push(`${label} from ${start} to ${end} is no passage of a text of ${length} characters`);
      } else marks.push({ label, start, end });
    }
    const some = unfit.slice(0, 3).join("; ") + (unfit.length > 3 ? "; …" : "");
    return [marks, unfit.length ? [`${unfit.length} of ${entities.length} given marks can't be shown, and aren't in the answer: ${some}.`] : []];
  }

  // -- what the worker does

  #apply(label) {
    const selected = this.#surface.selection;
    if (this.#active) this.#relabel(this.#active, label);
    else if (selected) this.#mark(selected, label);
    else this.#arm(this.#armed === label ? null : label);
  }

  #arm(label) {
    this.#armed = label;
    this.#show();
    this.#say(label === null ? "" : `Select passages to mark them as ${this.#named(label).full}. Esc ends it.`);
  }

  #mark(span, label) {
    if (this.disabled) return;
    const met = this.marks.filter((mark) => mark.start < span.end && span.start < mark.end);
    const within = met.filter((mark) => span.start <= mark.start && mark.end <= span.end);
    const crossing = met.filter((mark) => !within.includes(mark));
    if (crossing.length > 0) {
      this.#activate(crossing[0]);
      this.#say(`Part of this is marked as ${this.#named(crossing[0].label).full} already: choose a label for all of that, or remove it.`);
      return;
    }
    this.#change([...this.marks.filter((mark) => !within.includes(mark)), { ...span, label }]);
    this.#surface.select(span.end);
    this.#say(`Marked “${cut(this.#surface.slice(span), 40)}” as ${this.#named(label).full}.`);
  }

  #relabel(mark, label) {
    if (this.disabled) return;
    const changed = { ...mark, label };
    this.#active = changed;
    this.#change(this.marks.map((one) => (one === mark ? changed : one)));
    this.#say(`“${cut(this.#surface.slice(mark), 40)}” is ${this.#named(label).full} now.`);
  }

  #remove(mark) {
    if (this.disabled) return;
    if (this.#active === mark) this.#active = null;
    this.#change(this.marks.filter((one) => one !== mark));
    this.#say(`Removed ${this.#named(mark.label).full} from “${cut(this.#surface.slice(mark), 40)}”.`);
  }

  #removeCurrent() {
    const mark = this.#current;
    if (mark) this.#remove(mark);
  }

  /** The mark that was pressed, or else the one that the caret is in or the selection covers. */
  get #current() {
    if (this.#active) return this.#active;
    const { caret, selection } = this.#surface;
    if (selection) return this.marks.find((mark) => mark.start >= selection.start && mark.end <= selection.end);
    return caret === null ? undefined : this.marks.find((mark) => mark.start <= caret && caret <= mark.end);
  }

  #activate(mark) {
    this.#active = this.#active === mark ? null : mark;
    this.#show();
    if (this.#active) this.#say(`“${cut(this.#surface.slice(mark), 40)}” is ${this.#named(mark.label).full}: choose another label, or Delete.`);
  }

  #offer(span) {
    this.#active = null;
    this.#show();
    this.#surface.select(span.start, span.end);
    this.#say(`“${cut(this.#surface.slice(span), 40)}”: choose a label.`);
  }

  #tellSelection() {
    const span = this.#surface.selection;
    if (span) this.#say(`“${cut(this.#surface.slice(span), 40)}”: choose a label${this.#labels.length ? ", or press its number" : ""}.`);
  }

  #change(marks) {
    this.#history = [...this.#history.slice(0, this.#at + 1), marks];
    this.#at += 1;
    this.#show();
    this.announceChange();
  }

  #go(step) {
    const next = this.#at + step;
    if (this.disabled || next < 0 || next >= this.#history.length) return;
    this.#at = next;
    this.#active = null;
    this.#show();
    this.#say(step < 0 ? "Undone." : "Done again.");
    this.announceChange();
  }

  #key(event) {
    if (event.defaultPrevented || event.isComposing || event.altKey || event.target.matches("input")) return;
    const chord = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    let used = true;
    if (chord && key === "z") this.#go(event.shiftKey ? 1 : -1);
    else if (chord && key === "y") this.#go(1);
    else if (chord) used = false;
    else if (/^[1-9]$/.test(key)) used = this.choose(Number(key));
    else if (key === "delete" || key === "backspace") this.#removeCurrent();
    else if (key === "enter" && event.target === this.part("#text") && this.#surface.selection && this.#armed) {
      this.#mark(this.#surface.selection, this.#armed);
    } else if (key === "escape" && (this.#active || this.#armed)) {
      this.#active = null;
      this.#arm(null);
    } else used = false;
    if (used) event.preventDefault();
  }

  // -- what is shown

  #show() {
    const named = (mark) => this.#named(mark.label);
    const place = this.part("#text");
    const { scrollTop } = place;
    const caret = this.#surface.caret;
    this.#surface.draw(inOrder(this.marks).map((mark) => ({
      start: mark.start, end: mark.end, colour: named(mark).colour, tag: named(mark).short, title: named(mark).full,
      isActive: mark === this.#active, entity: mark,
    })));
    place.scrollTop = scrollTop;
    if (caret !== null) this.#surface.select(caret);
    this.#showLabels();
    this.#showList();
    this.part(".undo").disabled = this.disabled || this.#at === 0;
    this.part(".redo").disabled = this.disabled || this.#at + 1 >= this.#history.length;
    this.part(".remove").disabled = this.disabled || this.marks.length === 0;
  }

  #drawLabels() {
    this.part(".labels").replaceChildren(...this.#labels.map(({ label, full, colour }, index) => {
      const hint = make(index < 9 ? "kbd" : "span", { className: "blank", textContent: index < 9 ? String(index + 1) : "" });
      hint.setAttribute("aria-hidden", "true");
      const button = make("button", { type: "button", className: "label" }, hint, make("span", { textContent: full }), make("span", { className: "count" }));
      button.style.setProperty("--c", colour);
      button.addEventListener("click", () => this.#apply(label));
      return button;
    }));
    this.part(".filter").hidden = this.#labels.length <= MANY_LABELS;
    this.#filter();
  }

  #showLabels() {
    const counts = new Map();
    for (const { label } of this.marks) counts.set(label, (counts.get(label) ?? 0) + 1);
    const buttons = this.shadowRoot.querySelectorAll(".label");
    this.#labels.forEach(({ label }, index) => {
      buttons[index].setAttribute("aria-pressed", String(label === this.#armed || label === this.#active?.label));
      buttons[index].disabled = this.disabled;
      buttons[index].querySelector(".count").textContent = counts.get(label) ?? "";
    });
  }

  #showList() {
    const { length } = this.marks;
    this.part("summary").textContent = length === 1 ? "1 marked passage" : `${length} marked passages`;
    this.part("ol").replaceChildren(...inOrder(this.marks).map((mark) => {
      const { full, colour } = this.#named(mark.label);
      const passage = cut(this.#surface.slice(mark), 60);
      const goto = make("button", { type: "button", className: "goto", textContent: `${passage} – ${full}` });
      goto.style.setProperty("--c", colour);
      goto.setAttribute("aria-current", String(mark === this.#active));
      goto.addEventListener("click", () => this.#activate(mark));
      const cross = make("button", { type: "button", className: "cross", textContent: "✕", disabled: this.disabled });
      cross.setAttribute("aria-label", `Remove ${full} from ${passage}`);
      cross.addEventListener("click", () => this.#remove(mark));
      return make("li", {}, goto, cross);
    }));
  }

  /** A label of the page's, or one that only a given mark has. */
  #named(label) {
    return this.#labels.find((one) => one.label === label) ?? { label, short: label, full: label, colour: "#8a8f98" };
  }

  #filter() {
    const wanted = this.part(".filter").value.trim().toLowerCase();
    const buttons = this.shadowRoot.querySelectorAll(".label");
    this.#labels.forEach(({ label, full }, index) => {
      buttons[index].hidden = !`${full}\n${label}`.toLowerCase().includes(wanted);
    });
  }

  /** Enter takes the first label that is found. */
  #filterKey(event) {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.shadowRoot.querySelector(".label:not([hidden])")?.click();
  }

  #say(text) { this.part(".said").textContent = text; }
}

const inOrder = (marks) => [...marks].sort((one, other) => one.start - other.start || one.end - other.end);
const entitiesOf = (marks) => inOrder(marks).map(({ label, start, end }) => ({ label, startOffset: start, endOffset: end }));
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

define("crowd-entity-annotation", CrowdEntityAnnotation);
