// crowd-button, crowd-icon-button, crowd-fab, and the icons that they show.

// Line drawings on a 24 × 24 grid, under the names that templates know them by.
const ICONS = {
  add: "M12 5v14M5 12h14",
  "arrow-back": "M19 12H5M11 6l-6 6 6 6",
  "arrow-forward": "M5 12h14M13 6l6 6-6 6",
  check: "M5 13l4 4L19 7",
  clear: "M6 6l12 12M18 6L6 18",
  close: "M6 6l12 12M18 6L6 18",
  create: "M4 20l1-5L16 4l4 4L9 19z",
  delete: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  done: "M5 13l4 4L19 7",
  error: "M12 3a9 9 0 1 0 .01 0M12 7v6M12 16.5v.5",
  flag: "M6 21V4h12l-3 4 3 4H6",
  help: "M12 3a9 9 0 1 0 .01 0M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.8-1.1 1.8M12 16.8v.4",
  info: "M12 3a9 9 0 1 0 .01 0M12 11v6M12 7.3v.4",
  "question-answer": "M4 4h12v9H8l-4 3zM18 9h3v11l-3-3h-8v-2",
  refresh: "M19 8a8 8 0 1 0 1 5M19 3v5h-5",
  remove: "M5 12h14",
  "report-problem": "M12 4L2.5 20h19zM12 10v5M12 17.3v.4",
  search: "M10.5 4a6.5 6.5 0 1 0 .01 0M15.5 15.5L21 21",
  send: "M4 12L20 4l-5 16-3-7z",
  settings: "M5 7h14M5 12h14M5 17h14M9 5v4M15 10v4M8 15v4",
  star: "M12 3l2.8 5.8 6.2.8-4.5 4.3 1.1 6.2L12 17l-5.6 3.1 1.1-6.2L3 9.6l6.2-.8z",
  warning: "M12 4L2.5 20h19zM12 10v5M12 17.3v.4",
};
const UNKNOWN_ICON = "M12 5a7 7 0 1 0 .01 0";

/** An icon by name ("icons:star" or "star"), or by the URL of an image. */
function icon(name) {
  if (/^(https?:|data:|\/)/.test(name)) return make("img", { src: name, alt: "", className: "icon" });
  const holder = document.createElement("template");
  const path = ICONS[name.replace(/^[\w-]+:/, "")] ?? UNKNOWN_ICON;
  holder.innerHTML = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
  return holder.content.firstChild;
}

const ICON_STYLE = `
  .icon { flex: none; width: 1.3em; height: 1.3em; fill: none; stroke: currentColor; stroke-width: 2;
    stroke-linecap: round; stroke-linejoin: round; }
`;

const BUTTON_STYLE = `
  :host { display: inline-block; vertical-align: middle; }
  .button {
    display: inline-flex; gap: .5rem; align-items: center; justify-content: center; min-height: 2.5rem; padding: .4rem 1.1rem;
    border: 1.5px solid var(--edge); border-radius: .5rem; background: var(--surface); color: var(--ink); font-weight: 600;
    text-decoration: none; cursor: pointer;
  }
  .button:hover { background: var(--raised); border-color: var(--accent); }
  .button:disabled { opacity: .55; cursor: not-allowed; }
  .primary { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
  .primary:hover { background: color-mix(in oklab, var(--accent), var(--ink) 18%); }
  .link { border-color: transparent; background: transparent; color: var(--accent); text-decoration: underline; }
  ${ICON_STYLE}
`;

class CrowdButton extends CrowdElement {
  static text = ["form-action", "href", "icon", "icon-align", "icon-url", "target", "variant", "aria-label"];
  static flags = ["disabled", "loading"];
  static shadow = { mode: "open", delegatesFocus: true };
  static markup = '<button class="button" type="button"><slot></slot></button>';
  static style = css(`
    ${BUTTON_STYLE}
    :host([variant="icon"]) .button { padding: .4rem .6rem; }
    .right .icon { order: 1; }
    .spin { animation: spin 1s linear infinite; }
    @keyframes spin { to { rotate: 360deg; } }
  `);

  prepare() {
    this.addEventListener("click", (event) => this.#act(event));
  }

  connectedCallback() {
    super.connectedCallback();
    if (this.formAction === "submit" && !this.hasAttribute("variant")) this.variant = "primary";
  }

  update() {
    const tag = this.href && !this.disabled ? "a" : "button";
    let button = this.part(".button");
    if (button.localName !== tag) {
      const other = make(tag, {}, ...button.childNodes);
      button.replaceWith(other);
      button = other;
    }
    button.className = `button ${this.variant} ${this.iconAlign}`;
    if (tag === "a") Object.assign(button, { href: this.href, target: this.target || "_blank", rel: "noopener" });
    else Object.assign(button, { type: "button", disabled: this.disabled || this.loading });
    if (this.ariaLabel) button.setAttribute("aria-label", this.ariaLabel);
    this.#showIcon(button);
  }

  #showIcon(button) {
    button.querySelector(".icon")?.remove();
    const name = this.loading ? "refresh" : this.iconUrl || this.icon;
    if (name) button.prepend(icon(name));
    button.querySelector(".icon")?.classList.toggle("spin", this.loading);
  }

  #act(event) {
    if (this.disabled || this.loading) {
      event.stopImmediatePropagation();
      return;
    }
    // Listeners of the page come first: they may prevent the submission, or set hidden fields for it.
    queueMicrotask(() => {
      const form = this.closest("crowd-form");
      if (event.defaultPrevented || !form) return;
      if (this.formAction === "submit") form.submit(this);
      if (this.formAction === "reset") form.reset();
    });
  }
}

class CrowdIconButton extends CrowdElement {
  static text = ["icon", "label", "title", "aria-label"];
  static flags = ["disabled"];
  static shadow = { mode: "open", delegatesFocus: true };
  static markup = '<button class="round" type="button"><slot></slot></button>';
  static style = css(`
    :host { display: inline-block; vertical-align: middle; }
    .round {
      display: inline-grid; place-items: center; width: 2.6rem; height: 2.6rem; border: 1.5px solid transparent; border-radius: 50%;
      background: transparent; color: var(--ink); cursor: pointer;
    }
    .round:hover { background: var(--raised); border-color: var(--line); }
    .round:disabled { opacity: .55; cursor: not-allowed; }
    ${ICON_STYLE}
  `);

  prepare() {
    this.addEventListener("click", (event) => { if (this.disabled) event.stopImmediatePropagation(); }, true);
    this.part("slot").addEventListener("slotchange", () => this.update());
  }

  update() {
    const button = this.part("button");
    button.disabled = this.disabled;
    button.querySelector(":scope > .icon, :scope > b")?.remove();
    if (this.icon) button.prepend(icon(this.icon));
    else if (this.label) button.prepend(make("b", { textContent: [...this.label].length > 1 ? "…" : this.label }));
    const words = this.ariaLabel || this.title || this.label || this.icon.replace(/^[\w-]+:|-/g, " ").trim();
    if (words && !this.textContent.trim()) button.setAttribute("aria-label", words);
    else button.removeAttribute("aria-label");
  }
}

class CrowdFab extends CrowdIconButton {
  static style = css(`
    :host { display: inline-block; vertical-align: middle; }
    .round {
      display: inline-grid; place-items: center; width: 3.4rem; height: 3.4rem; border: 0; border-radius: 50%;
      background: var(--accent); color: var(--on-accent); box-shadow: 0 2px 8px rgb(0 0 0 / .35); cursor: pointer;
    }
    .round:hover { background: color-mix(in oklab, var(--accent), var(--ink) 18%); }
    .round:disabled { opacity: .55; cursor: not-allowed; }
    ${ICON_STYLE}
  `);
}

class IronIcon extends CrowdElement {
  static text = ["icon", "src"];
  static markup = "";
  static style = css(`:host { display: inline-flex; vertical-align: middle; } ${ICON_STYLE}`);

  update() {
    const name = this.src || this.icon;
    const [theme] = [...this.shadowRoot.children];
    theme?.remove();
    if (name) this.shadowRoot.append(icon(name));
  }
}

define("crowd-button", CrowdButton);
define("crowd-icon-button", CrowdIconButton);
define("crowd-fab", CrowdFab);
define("iron-icon", IronIcon);
