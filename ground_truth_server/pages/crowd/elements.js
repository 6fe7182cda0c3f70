// What every crowd element is made of: a shadow root with the theme, properties that mirror attributes, an answer.

/** Make a stylesheet that shadow roots share. */
function css(text) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}

// light-dark() follows the page's color-scheme, so a template that is light only stays light.
const THEME = css(`
  :host {
    --ink: light-dark(#18222d, #e9edf2);
    --ink-soft: light-dark(#52606e, #a9b5c1);
    --surface: light-dark(#ffffff, #1a2027);
    --raised: light-dark(#f3f6f9, #232b34);
    --line: light-dark(#c5ced8, #3d4956);
    --edge: light-dark(#76838f, #7d8b99);
    --accent: light-dark(#0a5caa, #74b9ff);
    --on-accent: light-dark(#ffffff, #05203b);
    --wash: light-dark(#e4f0fc, #173350);
    --bad: light-dark(#b3261e, #ffa199);
    --bad-wash: light-dark(#fdecea, #40211f);
    --good: light-dark(#1c6b35, #7fd79b);
    --good-wash: light-dark(#e6f5ea, #1b3625);
    --warn: light-dark(#7a5200, #f3c969);
    --warn-wash: light-dark(#fff4d6, #3a3019);
    box-sizing: border-box;
    font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
    line-height: 1.45;
  }
  :host([hidden]) { display: none !important; }
  *, *::before, *::after { box-sizing: border-box; }
  button, input, textarea { font: inherit; color: inherit; }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
  kbd {
    display: inline-grid; place-items: center; min-width: 1.6em; height: 1.6em; padding: 0 .3em;
    border: 1px solid var(--line); border-radius: .35em; background: var(--raised); color: var(--ink-soft);
    font: 600 .8em/1 ui-monospace, "DejaVu Sans Mono", monospace;
  }
  .error { margin: .3em 0 0; color: var(--bad); font-size: .92em; font-weight: 600; }
  .error:empty { display: none; }
  @media (prefers-reduced-motion: no-preference) { button, label, dialog { transition: background-color .12s, border-color .12s; } }
`);

// The page around the elements. :where() weighs nothing, so any rule of the template wins.
const PAGE = css(`
  :where(html) { scroll-padding-bottom: 6rem; }
  :where(body) {
    margin: 16px; background: light-dark(#fff, #14191f); color: light-dark(#18222d, #e9edf2);
    font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  }
  :where(a) { color: light-dark(#0a5caa, #74b9ff); }
  :where(img, video) { max-width: 100%; }
  :where(crowd-form input, crowd-form select, crowd-form textarea):focus-visible {
    outline: 3px solid light-dark(#0a5caa, #74b9ff); outline-offset: 2px;
  }
`);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, PAGE];

/** A custom element that renders its shadow root once and then follows its attributes. */
class CrowdElement extends HTMLElement {
  /** Attributes that are properties as well: text as strings, flags as booleans. */
  static text = [];
  static flags = [];
  static markup = "<slot></slot>";
  static style = css("");
  static shadow = { mode: "open" };

  static get observedAttributes() {
    return [...this.text, ...this.flags];
  }

  constructor() {
    super();
    const root = this.attachShadow(this.constructor.shadow);
    root.adoptedStyleSheets = [THEME, this.constructor.style];
    root.innerHTML = this.constructor.markup;
    this.prepare();
  }

  /** Find an element of the shadow root. */
  part(selector) {
    return this.shadowRoot.querySelector(selector);
  }

  /** Set up listeners, once. */
  prepare() {}

  /** Show what the attributes say. */
  update() {}

  connectedCallback() {
    // What a script set before the element was defined hides the accessors: set it again through them.
    for (const name of Object.keys(this)) {
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    this.update();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.update();
  }
}

const camelCase = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());

/** Give a class the properties that its attributes have, and define it. */
function define(tag, element) {
  for (const name of element.text) {
    reflect(element, name, {
      get() { return this.getAttribute(name) ?? ""; },
      set(value) { this.setAttribute(name, typeof value === "string" ? value : JSON.stringify(value)); },
    });
  }
  for (const name of element.flags) {
    reflect(element, name, {
      get() { return isSet(this, name); },
      set(value) { this.toggleAttribute(name, Boolean(value)); },
    });
  }
  customElements.define(tag, element);
}

function reflect(element, name, accessors) {
  const property = camelCase(name);
  // What a class defines itself, such as a value that is more than its attribute, stays.
  if (!(property in element.prototype)) {
    Object.defineProperty(element.prototype, property, { ...accessors, configurable: true });
  }
}

/** Whether a boolean attribute is on: templates write `pin`, `pin="true"`, and sometimes `pin="false"`. */
function isSet(element, name) {
  return element.hasAttribute(name) && element.getAttribute(name) !== "false";
}

/** A crowd element that puts something into the answer. */
class AnsweringElement extends CrowdElement {
  static formAssociated = true;
  static shadow = { mode: "open", delegatesFocus: true };

  #internals = this.attachInternals();

  /** What the answer holds under this element's name; undefined for nothing. */
  get _submittableValue() { return undefined; }

  /** What is wrong with the answer so far, in words for the worker; empty if nothing is. */
  get problem() { return ""; }

  /** Put the answer back to what the template gave. */
  reset() {}

  /** Show an answer that was given before, as `_submittableValue` gave it; undefined for nothing. */
  restore() {}

  /** Show or clear the message about what is wrong. */
  showProblem(problem) {
    const place = this.part(".error");
    if (place) place.textContent = problem;
    this.toggleAttribute("data-invalid", problem !== "");
  }

  /** The name that assistive technology reads: the template's own words, wherever it put them. */
  get accessibleName() {
    const labels = [...this.#internals.labels].map(labelText).join(" ");
    return this.getAttribute("label") || this.getAttribute("aria-label") || labels
      || this.getAttribute("placeholder") || this.getAttribute("title") || this.getAttribute("name") || "";
  }

  /** Tell the page's scripts that the worker changed the answer. */
  announceChange() {
    this.showProblem("");
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

/** Read a JSON array, or one written as JavaScript with single quotes, as templates do. */
function parseList(text) {
  const trimmed = (text ?? "").trim();
  if (!trimmed) return [];
  try {
    const list = JSON.parse(trimmed);
    return Array.isArray(list) ? list.map(String) : [String(list)];
  } catch {
    return [...trimmed.matchAll(/'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"/g)].map(
      ([, single, double]) => (single ?? double).replace(/\\u([0-9a-f]{4})|\\(.)/gi, unescaped),
    );
  }
}

function unescaped(_, code, character) {
  if (code) return String.fromCharCode(parseInt(code, 16));
  return { n: "\n", t: "\t" }[character] ?? character;
}

/** Make an element with properties and children. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
