// crowd-button, crowd-icon-button, crowd-fab, and the icons that they show.

// Line drawings on a 24 × 24 grid, under the names that templates know them by.
const ICONS = {
  "account-circle": "M12 3a9 9 0 1 0 .01 0M12 7a3 3 0 1 0 .01 0M6 18c1-3 3.5-4 6-4s5 1 6 4",
  add: "M12 5v14M5 12h14",
  "add-circle": "M12 3a9 9 0 1 0 .01 0M12 8v8M8 12h8",
  "add-circle-outline": "M12 3a9 9 0 1 0 .01 0M12 8v8M8 12h8",
  alarm: "M12 5a8 8 0 1 0 .01 0M12 9v4l3 2M3 6l3-3M21 6l-3-3",
  "arrow-back": "M19 12H5M11 6l-6 6 6 6",
  "arrow-downward": "M12 5v14M6 13l6 6 6-6",
  "arrow-drop-down": "M7 10l5 5 5-5z",
  "arrow-drop-up": "M7 14l5-5 5 5z",
  "arrow-forward": "M5 12h14M13 6l6 6-6 6",
  "arrow-upward": "M12 19V5M6 11l6-6 6 6",
  assignment: "M5 5h14v16H5zM9 5V3h6v2M8 10h8M8 14h8M8 18h5",
  attachment: "M20 11l-8 8a5 5 0 0 1-7-7l8-8a3.5 3.5 0 0 1 5 5l-8 8a2 2 0 0 1-3-3l7-7",
  block: "M12 3a9 9 0 1 0 .01 0M6 6l12 12",
  bookmark: "M6 3h12v18l-6-4-6 4z",
  "bookmark-border": "M6 3h12v18l-6-4-6 4z",
  cancel: "M12 3a9 9 0 1 0 .01 0M9 9l6 6M15 9l-6 6",
  check: "M5 13l4 4L19 7",
  "check-circle": "M12 3a9 9 0 1 0 .01 0M8 12l3 3 5-6",
  "chevron-left": "M15 5l-7 7 7 7",
  "chevron-right": "M9 5l7 7-7 7",
  clear: "M6 6l12 12M18 6L6 18",
  close: "M6 6l12 12M18 6L6 18",
  "content-copy": "M8 8h12v13H8zM4 16V3h11",
  create: "M4 20l1-5L16 4l4 4L9 19z",
  delete: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  "delete-forever": "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11l4 5M14 11l-4 5",
  done: "M5 13l4 4L19 7",
  "done-all": "M2 13l4 4L15 7M11 16l1 1L22 7",
  error: "M12 3a9 9 0 1 0 .01 0M12 7v6M12 16.5v.5",
  "error-outline": "M12 3a9 9 0 1 0 .01 0M12 7v6M12 16.5v.5",
  event: "M4 5h16v16H4zM4 10h16M8 3v4M16 3v4M13 14h3v3h-3z",
  "expand-less": "M5 15l7-7 7 7",
  "expand-more": "M5 9l7 7 7-7",
  face: "M12 3a9 9 0 1 0 .01 0M8.5 11v.5M15.5 11v.5M8 15c2 2 6 2 8 0",
  favorite: "M12 20l-8-8a5 5 0 0 1 8-6 5 5 0 0 1 8 6z",
  "favorite-border": "M12 20l-8-8a5 5 0 0 1 8-6 5 5 0 0 1 8 6z",
  feedback: "M4 4h16v12H8l-4 4zM12 7v4M12 13.3v.4",
  "file-download": "M12 4v11M7 11l5 5 5-5M5 20h14",
  "file-upload": "M12 16V5M7 9l5-5 5 5M5 20h14",
  "filter-list": "M3 6h18M7 12h10M10 18h4",
  flag: "M6 21V4h12l-3 4 3 4H6",
  folder: "M3 6h7l2 2h9v11H3z",
  fullscreen: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  "fullscreen-exit": "M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5",
  "get-app": "M12 4v11M7 11l5 5 5-5M5 20h14",
  help: "M12 3a9 9 0 1 0 .01 0M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.8-1.1 1.8M12 16.8v.4",
  "help-outline": "M12 3a9 9 0 1 0 .01 0M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.8-1.1 1.8M12 16.8v.4",
  "highlight-off": "M12 3a9 9 0 1 0 .01 0M9 9l6 6M15 9l-6 6",
  history: "M5 8a8 8 0 1 1-1 5M5 3v5h5M12 8v5l3 2",
  home: "M3 12l9-8 9 8M6 10v10h12V10",
  info: "M12 3a9 9 0 1 0 .01 0M12 11v6M12 7.3v.4",
  "info-outline": "M12 3a9 9 0 1 0 .01 0M12 11v6M12 7.3v.4",
  label: "M3 6h12l6 6-6 6H3z",
  "label-outline": "M3 6h12l6 6-6 6H3z",
  language: "M12 3a9 9 0 1 0 .01 0M3 12h18M12 3c5 5 5 13 0 18M12 3c-5 5-5 13 0 18",
  launch: "M11 5H5v14h14v-6M14 4h6v6M20 4l-9 9",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  list: "M8 6h13M8 12h13M8 18h13M4 6v.1M4 12v.1M4 18v.1",
  lock: "M6 11h12v10H6zM8 11V7a4 4 0 0 1 8 0v4",
  "lock-open": "M6 11h12v10H6zM8 11V7a4 4 0 0 1 8 0",
  mail: "M3 6h18v13H3zM3 7l9 7 9-7",
  menu: "M4 6h16M4 12h16M4 18h16",
  mic: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3M6 11a6 6 0 0 0 12 0M12 17v4",
  "mode-edit": "M4 20l1-5L16 4l4 4L9 19z",
  "more-horiz": "M5.5 11.2a.8.8 0 1 0 .01 0M12 11.2a.8.8 0 1 0 .01 0M18.5 11.2a.8.8 0 1 0 .01 0",
  "more-vert": "M12 4.7a.8.8 0 1 0 .01 0M12 11.2a.8.8 0 1 0 .01 0M12 17.7a.8.8 0 1 0 .01 0",
  "open-in-new": "M11 5H5v14h14v-6M14 4h6v6M20 4l-9 9",
  pause: "M8 5v14M16 5v14",
  "play-arrow": "M7 4l13 8-13 8z",
  print: "M7 9V3h10v6M7 17H4V9h16v8h-3M7 14h10v7H7z",
  "question-answer": "M4 4h12v9H8l-4 3zM18 9h3v11l-3-3h-8v-2",
  redo: "M19 10H9a5 5 0 0 0 0 10h5M15 5l5 5-5 5",
  refresh: "M19 8a8 8 0 1 0 1 5M19 3v5h-5",
  remove: "M5 12h14",
  "remove-circle": "M12 3a9 9 0 1 0 .01 0M8 12h8",
  "remove-circle-outline": "M12 3a9 9 0 1 0 .01 0M8 12h8",
  "report-problem": "M12 4L2.5 20h19zM12 10v5M12 17.3v.4",
  room: "M12 21c-4-5-7-8-7-11a7 7 0 0 1 14 0c0 3-3 6-7 11M12 8a2 2 0 1 0 .01 0",
  "rotate-left": "M5 9a8 8 0 1 1-1 5M5 3v6h6",
  "rotate-right": "M19 9a8 8 0 1 0 1 5M19 3v6h-6",
  save: "M4 4h13l3 3v13H4zM8 4v5h8V4M8 20v-6h8v6",
  schedule: "M12 3a9 9 0 1 0 .01 0M12 7v6l4 2",
  search: "M10.5 4a6.5 6.5 0 1 0 .01 0M15.5 15.5L21 21",
  send: "M4 12L20 4l-5 16-3-7z",
  settings: "M5 7h14M5 12h14M5 17h14M9 5v4M15 10v4M8 15v4",
  sort: "M3 6h18M3 12h12M3 18h6",
  star: "M12 3l2.8 5.8 6.2.8-4.5 4.3 1.1 6.2L12 17l-5.6 3.1 1.1-6.2L3 9.6l6.2-.8z",
  "star-border": "M12 3l2.8 5.8 6.2.8-4.5 4.3 1.1 6.2L12 17l-5.6 3.1 1.1-6.2L3 9.6l6.2-.8z",
  stop: "M6 6h12v12H6z",
  "swap-horiz": "M4 8h15M15 4l4 4-4 4M20 16H5M9 12l-4 4 4 4",
  "swap-vert": "M8 4v15M4 15l4 4 4-4M16 20V5M12 9l4-4 4 4",
  sync: "M19 8a8 8 0 0 0-14 2M5 4v6h6M5 16a8 8 0 0 0 14-2M19 20v-6h-6",
  "thumb-down": "M17 4v10M17 14l-4 7c-2 0-3-2-2-4l1-3H5l2-10h10zM17 4h3v10h-3",
  "thumb-up": "M7 20V10M7 10l4-7c2 0 3 2 2 4l-1 3h7l-2 10H7zM7 20H4V10h3",
  today: "M4 5h16v16H4zM4 10h16M8 3v4M16 3v4M8 14h3v3H8z",
  translate: "M3 6h10M8 3v3M11 6c-1 4-4 7-7 8M5 9c1 3 4 5 6 6M12 21l4-10 4 10M13.5 17h5",
  undo: "M5 10h10a5 5 0 0 1 0 10h-5M9 5l-5 5 5 5",
  "verified-user": "M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6zM8 12l3 3 5-6",
  "view-list": "M4 5h4v4H4zM11 7h9M4 13h4v4H4zM11 15h9",
  visibility: "M2 12c4-8 16-8 20 0-4 8-16 8-20 0M12 9a3 3 0 1 0 .01 0",
  "visibility-off": "M2 12c4-8 16-8 20 0-4 8-16 8-20 0M12 9a3 3 0 1 0 .01 0M4 3l16 18",
  "volume-off": "M4 9v6h4l5 5V4L8 9zM16 10l5 5M21 10l-5 5",
  "volume-up": "M4 9v6h4l5 5V4L8 9zM16 9c2 2 2 4 0 6M18 6c4 4 4 8 0 12",
  warning: "M12 4L2.5 20h19zM12 10v5M12 17.3v.4",
  "zoom-in": "M10.5 4a6.5 6.5 0 1 0 .01 0M15.5 15.5L21 21M10.5 7.5v6M7.5 10.5h6",
  "zoom-out": "M10.5 4a6.5 6.5 0 1 0 .01 0M15.5 15.5L21 21M7.5 10.5h6",
};
const FILLED = new Set(["arrow-drop-down", "arrow-drop-up", "bookmark", "favorite", "label", "play-arrow", "star", "stop"]);
const UNKNOWN_ICON = "M12 5a7 7 0 1 0 .01 0";

/** An icon by name ("icons:star" or "star"), or by the URL of an image. */
function icon(name) {
  if (/^(https?:|data:|\/)/.test(name)) return make("img", { src: name, alt: "", className: "icon" });
  const holder = document.createElement("template");
  const bare = name.replace(/^[\w-]+:/, "");
  const path = Object.hasOwn(ICONS, bare) ? ICONS[bare] : UNKNOWN_ICON;
  holder.innerHTML = `<svg class="icon${FILLED.has(bare) ? " filled" : ""}" viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
  return holder.content.firstChild;
}

const ICON_STYLE = `
  .icon { flex: none; width: 1.3em; height: 1.3em; fill: none; stroke: currentColor; stroke-width: 2;
    stroke-linecap: round; stroke-linejoin: round; }
  .icon.filled { fill: currentColor; }
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
