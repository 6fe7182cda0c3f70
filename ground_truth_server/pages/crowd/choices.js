// crowd-checkbox, crowd-toggle-button, crowd-radio-button and crowd-radio-group: yes or no, or one of several.

/** Something that is on or off; the answer is {VALUE: true or false}. */
class OnOffElement extends AnsweringElement {
  static text = ["name", "value", "label"];
  static flags = ["checked", "disabled", "required", "invalid"];

  #on = null;

  get checked() { return this.#on ?? isSet(this, "checked"); }
  set checked(on) {
    this.#on = Boolean(on);
    this.update();
  }

  get value() { return this.getAttribute("value") || "on"; }
  set value(value) { this.setAttribute("value", value); }

  get _submittableValue() { return { [this.value]: this.checked }; }

  reset() {
    this.#on = null;
    this.showProblem("");
    this.update();
  }

  restore(value) {
    this.checked = isObject(value) && Object.hasOwn(value, this.value) && value[this.value] === true;
    this.showProblem("");
  }

  /** The worker's own change. */
  turn(on) {
    if (this.checked === on) return;
    this.checked = on;
    this.announceChange();
  }
}

const ROW = `
  :host { display: inline-block; margin: .15rem .6rem .15rem 0; }
  label { display: inline-flex; gap: .55rem; align-items: center; min-height: 2.2rem; cursor: pointer; }
  :host([disabled]) label { color: var(--ink-soft); cursor: not-allowed; }
  input { margin: 0; accent-color: var(--accent); cursor: inherit; }
`;

/** A box that is drawn by the browser's own control. */
class BoxElement extends OnOffElement {
  get box() { return this.part("input"); }

  get problem() {
    return this.required && !this.checked ? `${this.textContent.trim() || this.accessibleName}: please turn this on.` : "";
  }

  prepare() {
    this.box.addEventListener("change", () => this.turn(this.box.checked));
    this.part("slot").addEventListener("slotchange", () => this.update());
  }

  update() {
    this.box.checked = this.checked;
    this.box.disabled = this.disabled;
    this.part(".label").textContent = this.label;
    if (this.textContent.trim() || this.label) this.box.removeAttribute("aria-label");
    else this.box.setAttribute("aria-label", this.accessibleName);
  }
}

class CrowdCheckbox extends BoxElement {
  static markup = `
    <label><input type="checkbox"><span><slot></slot><span class="label"></span></span></label>
    <p class="error" role="alert"></p>`;
  static style = css(`${ROW} input { width: 1.2rem; height: 1.2rem; }`);
}

class CrowdToggleButton extends BoxElement {
  static markup = `
    <label><input type="checkbox" role="switch"><span><slot></slot><span class="label"></span></span></label>
    <p class="error" role="alert"></p>`;

  static style = css(`
    ${ROW}
    input {
      appearance: none; position: relative; width: 2.75rem; height: 1.5rem; border-radius: 1rem; border: 2px solid var(--edge);
      background: var(--raised);
    }
    input::after {
      content: ""; position: absolute; inset: 2px auto 2px 2px; width: 1rem; border-radius: 50%; background: var(--edge);
      transition: transform .12s;
    }
    input:checked { border-color: var(--accent); background: var(--accent); }
    input:checked::after { background: var(--on-accent); transform: translateX(1.25rem); }
    :host([invalid]) input:not(:checked) { border-color: var(--bad); }
    :host([invalid]) input:not(:checked)::after { background: var(--bad); }
  `);
}

/** One of a group. The host is the radio, so that groups reach across shadow roots. */
class CrowdRadioButton extends OnOffElement {
  static shadow = { mode: "open" };
  static markup = '<span class="dot"></span><span><slot></slot><span class="label"></span></span>';
  static style = css(`
    :host {
      display: inline-flex; gap: .55rem; align-items: center; min-height: 2.2rem; margin: .15rem .9rem .15rem 0;
      border-radius: .4rem; cursor: pointer;
    }
    :host(:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; }
    :host([disabled]) { color: var(--ink-soft); cursor: not-allowed; }
    .dot { flex: none; width: 1.2rem; height: 1.2rem; border: 2px solid var(--edge); border-radius: 50%; background: var(--surface); }
    :host([aria-checked="true"]) .dot { border: .38rem solid var(--accent); }
  `);

  get group() { return this.closest("crowd-radio-group"); }

  prepare() {
    this.addEventListener("click", () => this.select());
    this.addEventListener("keydown", (event) => {
      if (event.key === " ") event.preventDefault();
      if (event.key === " ") this.select();
    });
  }

  connectedCallback() {
    if (!this.hasAttribute("role")) this.setAttribute("role", "radio");
    if (!this.hasAttribute("tabindex")) this.tabIndex = 0;
    super.connectedCallback();
  }

  get checked() { return super.checked; }
  set checked(on) {
    super.checked = on;
    if (on) this.#clearOthers();
  }

  update() {
    this.setAttribute("aria-checked", String(this.checked));
    this.setAttribute("aria-disabled", String(this.disabled));
    this.part(".label").textContent = this.label;
    this.group?.updateStops?.();
  }

  /** The worker's choice of this one. */
  select() {
    if (!this.disabled) this.turn(true);
  }

  #clearOthers() {
    for (const other of this.group?.buttons ?? []) {
      if (other !== this && other.checked) other.checked = false;
    }
  }
}

class CrowdRadioGroup extends CrowdElement {
  static style = css(":host { display: block; margin: .4rem 0; }");

  get buttons() { return [...this.querySelectorAll("crowd-radio-button")]; }

  /** The name of the chosen button. */
  get selected() { return this.buttons.find((button) => button.checked)?.name ?? ""; }
  set selected(name) { for (const button of this.buttons) button.checked = button.name === name; }

  get value() { return this.buttons.find((button) => button.checked)?.value ?? ""; }
  set value(value) { for (const button of this.buttons) button.checked = button.value === value; }

  prepare() {
    this.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      const choices = this.buttons.filter((button) => !button.disabled);
      const at = choices.indexOf(document.activeElement);
      if (!step || at < 0) return;
      event.preventDefault();
      const next = choices[(at + step + choices.length) % choices.length];
      next.select();
      next.focus();
    });
    new MutationObserver(() => this.updateStops()).observe(this, { childList: true, subtree: true });
  }

  connectedCallback() {
    if (!this.hasAttribute("role")) this.setAttribute("role", "radiogroup");
    super.connectedCallback();
  }

  /** One stop of the Tab key for the group: the chosen button, or the first. */
  updateStops() {
    const { buttons } = this;
    const stop = buttons.find((button) => button.checked) ?? buttons[0];
    for (const button of buttons) button.tabIndex = button === stop ? 0 : -1;
  }
}

define("crowd-checkbox", CrowdCheckbox);
define("crowd-toggle-button", CrowdToggleButton);
define("crowd-radio-group", CrowdRadioGroup);
define("crowd-radio-button", CrowdRadioButton);
