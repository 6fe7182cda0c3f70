// What all elements that mark a picture share: the stage with its zoom, the labels, the tools, undo, keys and messages.

Object.assign(ICONS, {
  "pointer": "M6 3l13 8-6 1.5L10 19z",
  "draw-box": "M5 6h14v12H5zM3 6h4M5 4v4M17 18h4M19 16v4",
  "draw-path": "M5 18L9 6l10 4-3 9zM9 6h.01M5 18h.01M19 10h.01M16 19h.01",
  "draw-line": "M5 19L19 5M5 19h.01M19 5h.01",
  "draw-point": "M12 8a4 4 0 1 0 .01 0M12 3v5M12 16v5M3 12h5M16 12h5",
  "brush": "M20 4c-5 2-9 6-11 10l2 2c4-2 8-6 9-12M9 14c-3 0-4 2-4 5 3 0 6 0 6-3",
  "eraser": "M4 15L14 5l6 6-9 9H8zM9 10l6 6M8 20h12",
  "undo": "M4 9h10a5 5 0 0 1 0 10h-3M8 5L4 9l4 4",
  "redo": "M20 9H10a5 5 0 0 0 0 10h3M16 5l4 4-4 4",
  "fit": "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  "eye": "M2.5 12C6 6 18 6 21.5 12 18 18 6 18 2.5 12M12 9.5a2.5 2.5 0 1 0 .01 0",
  "eye-off": "M2.5 12C6 6 18 6 21.5 12 18 18 6 18 2.5 12M4 4l16 16",
  "lock": "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  "unlock": "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 6.8-1",
  "contrast": "M12 4a8 8 0 1 0 .01 0M12 4v16M12 8h6M12 12h8M12 16h6",
  "keyboard": "M3 7h18v10H3zM6.5 10.5h.01M10 10.5h.01M13.5 10.5h.01M17 10.5h.01M8 14h8",
});

const STEPS_KEPT = 200;
const HINTED_LABELS = 10; // chosen by the keys 1 to 9 and 0
const FILTERED_LABELS = 10; // more than these get a field to find them by
const PICTURE_ELEMENTS = new Set();

class PictureElement extends AnsweringElement {
  static text = ["name", "header", "src", "labels", "initial-value", "label-colors"];
  static flags = ["disabled"];
  static regions = ["short-instructions", "full-instructions"];
  /** What is marked, as [one, several]. */
  static nouns = ["mark", "marks"];
  /** The tools: id, name, key, icon. */
  static tools = [];
  static keys = [];
  /** Whether a label has a colour, rather than each of its marks. */
  static coloursLabels = true;

  static markup = `
    <div class="frame">
      <div class="head"><h2></h2><ul class="remarks" aria-label="Remarks"></ul></div>
      <section class="labels" aria-label="Labels">
        <div class="title"><span class="heading">Labels</span><span class="use"></span></div>
        <input class="filter" type="search" placeholder="Find a label" aria-label="Find a label" hidden>
        <div class="list" role="group" aria-label="Labels"></div>
      </section>
      <section class="work">
        <div class="bar" role="toolbar" aria-label="Tools"></div>
        <div class="stage" tabindex="0" role="application">
          <canvas class="picture" aria-hidden="true"></canvas>
          <canvas class="layer" aria-hidden="true"></canvas>
          <canvas class="marks" aria-hidden="true"></canvas>
          <div class="drafting" hidden></div>
          <div class="trouble" hidden></div>
        </div>
        <div class="foot"><span class="place"></span><span class="hint"></span></div>
        <p class="live" aria-live="polite"></p>
      </section>
      <aside class="rest">
        <details class="all"><summary></summary><ul></ul></details>
        <label class="tick nothing"><input type="checkbox"><span>Nothing to label</span></label>
        <label class="tick without" hidden><input type="checkbox"><span>Submit without this picture</span></label>
        <p class="error" role="alert"></p>
        <slot name="short-instructions"></slot>
        <slot name="full-instructions"></slot>
        <slot></slot>
      </aside>
    </div>`;

  static style = css(`
    :host { display: block; container-type: inline-size; }
    .frame { display: grid; gap: .6rem 1rem; grid-template-columns: minmax(0, 1fr); }
    h2 { margin: 0; font-size: 1.25rem; line-height: 1.3; text-wrap: balance; }
    h2:empty, .remarks:empty { display: none; }
    .remarks { display: grid; gap: .35rem; margin: .5rem 0 0; padding: 0; list-style: none; max-height: 9rem; overflow: auto; }
    .remarks li { padding: .45rem .7rem; border-left: 4px solid var(--warn); border-radius: .4rem; background: var(--warn-wash); font-size: .92em; overflow-wrap: anywhere; }
    button { cursor: pointer; }
    .bar { display: flex; flex-wrap: wrap; gap: .3rem .7rem; align-items: center; margin-bottom: .45rem; }
    .group { display: flex; gap: .15rem; align-items: center; }
    .tool {
      display: inline-flex; gap: .4rem; align-items: center; justify-content: center; min-width: 2.4rem; min-height: 2.4rem; padding: .2rem .5rem;
      border: 1.5px solid transparent; border-radius: .5rem; background: none; color: var(--ink); font-size: .95em;
    }
    .tool:hover:not(:disabled) { background: var(--raised); }
    .tool:disabled { opacity: .4; cursor: default; }
    .tool[aria-pressed=true], details[open] > .tool { border-color: var(--accent); background: var(--wash); color: var(--ink); font-weight: 600; }
    .zoom { min-width: 3.6rem; font-variant-numeric: tabular-nums; }
    details.panel { position: relative; }
    details.panel > summary { list-style: none; cursor: pointer; }
    details.panel > summary::-webkit-details-marker { display: none; }
    .sheet {
      position: absolute; right: 0; z-index: 6; display: grid; gap: .5rem; width: max-content; max-width: min(30rem, 82cqw); max-height: 60vh; overflow: auto;
      margin-top: .3rem; padding: .8rem 1rem; border: 1px solid var(--line); border-radius: .6rem; background: var(--surface); color: var(--ink);
      box-shadow: 0 8px 28px rgb(0 0 0 / .3);
    }
    .sheet label { display: grid; grid-template-columns: 6rem 11rem; gap: .6rem; align-items: center; }
    .sheet .tool { justify-self: start; border-color: var(--edge); }
    .sheet label.switch { grid-template-columns: auto 1fr; justify-content: start; }
    .sheet dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem .8rem; margin: 0; font-size: .92em; }
    .sheet dd { margin: 0; }
    .sheet dt { display: flex; flex-wrap: wrap; gap: .2rem; align-items: center; }
    input[type=range] { width: 100%; accent-color: var(--accent); }
    input[type=checkbox] { width: 1.15rem; height: 1.15rem; accent-color: var(--accent); }
    .stage {
      position: relative; width: 100%; aspect-ratio: var(--shape, 3 / 2); min-height: 16rem; max-height: max(16rem, min(calc(100vh - 15rem), 62rem)); overflow: hidden; border-radius: .5rem; background: light-dark(#d8dee4, #0d1116);
      touch-action: none; user-select: none; -webkit-user-select: none; cursor: crosshair;
    }
    .stage canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
    .stage .layer { pointer-events: none; }
    .drafting {
      position: absolute; left: 50%; bottom: .7rem; z-index: 2; display: flex; flex-wrap: wrap; justify-content: center; gap: .3rem .5rem; align-items: center; width: max-content;
      max-width: 96%; padding: .3rem .5rem .3rem .8rem; border-radius: .6rem; background: var(--surface); color: var(--ink); box-shadow: 0 3px 14px rgb(0 0 0 / .35); translate: -50% 0;
      font-size: .92em; cursor: default;
    }
    .drafting[hidden], .trouble[hidden] { display: none; }
    .drafting button, .trouble button { min-height: 2.2rem; padding: .2rem .7rem; border: 1.5px solid var(--edge); border-radius: .45rem; background: var(--surface); color: var(--ink); font-weight: 600; }
    .drafting button:hover, .trouble button:hover { background: var(--raised); }
    .drafting button:disabled { opacity: .5; }
    .trouble {
      position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: .8rem; padding: 1.5rem;
      background: light-dark(rgb(216 222 228 / .92), rgb(13 17 22 / .92)); color: var(--ink); text-align: center; cursor: default;
    }
    .trouble p { max-width: 34rem; margin: 0; overflow-wrap: anywhere; }
    .foot { display: flex; gap: .3rem 1rem; flex-wrap: wrap; justify-content: space-between; min-height: 1.6rem; margin-top: .35rem; color: var(--ink-soft); font-size: .88em; }
    .place { font-variant-numeric: tabular-nums; white-space: nowrap; }
    .live { position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    .labels { min-width: 0; }
    .title { display: flex; flex-wrap: wrap; gap: .1rem .6rem; align-items: baseline; margin-bottom: .35rem; }
    .heading { font-weight: 650; }
    .use { color: var(--ink-soft); font-size: .88em; }
    .filter { width: 100%; min-height: 2.4rem; margin-bottom: .4rem; padding: .3rem .6rem; border: 1px solid var(--edge); border-radius: .45rem; background: var(--surface); }
    .filter[hidden] { display: none; }
    .list { display: flex; flex-wrap: wrap; gap: .3rem; max-height: 11rem; padding: 3px; margin: -3px; overflow-y: auto; }
    .label { display: flex; min-width: 0; border: 1.5px solid var(--line); border-radius: .5rem; background: var(--surface); }
    .label[hidden] { display: none; }
    .label:has([aria-pressed=true].pick) { border-color: var(--accent); background: var(--wash); box-shadow: inset 0 0 0 1px var(--accent); }
    .pick { display: flex; flex: 1; gap: .5rem; align-items: center; min-width: 0; min-height: 2.4rem; padding: .25rem .5rem; border: 0; border-radius: .45rem; background: none; color: var(--ink); text-align: left; }
    .pick:hover { background: var(--raised); }
    .label:has([aria-pressed=true].pick) .pick:hover { background: none; }
    .pick .called { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; overflow-wrap: anywhere; }
    .label:has([aria-pressed=true].pick) .called { font-weight: 600; }
    .swatch { flex: none; width: 1.05rem; height: 1.05rem; border: 1.5px solid light-dark(#18222d, #e9edf2); border-radius: .25rem; background: var(--colour); }
    .count { flex: none; min-width: 1.3em; color: var(--ink-soft); font-size: .88em; font-variant-numeric: tabular-nums; text-align: right; }
    .flag { display: grid; place-items: center; width: 2.1rem; padding: 0; border: 0; border-radius: .45rem; background: none; color: var(--ink-soft); }
    .flag:hover { background: var(--raised); color: var(--ink); }
    .flag[aria-pressed=true] { color: var(--accent); }
    .label.hid .called { text-decoration: line-through; }
    .unlisted .called { font-style: italic; }
    .rest { display: flex; flex-direction: column; gap: .7rem; min-width: 0; }
    .all summary { padding: .3rem 0; font-weight: 650; cursor: pointer; }
    .all ul { display: grid; gap: .15rem; max-height: 16rem; margin: .2rem 0 0; padding: 3px; overflow-y: auto; list-style: none; }
    .all li { display: flex; border-radius: .4rem; }
    .all li:has(.chosen) { background: var(--wash); }
    .all button { min-height: 2.1rem; border: 0; border-radius: .4rem; background: none; color: var(--ink); text-align: left; }
    .all button:hover { background: var(--raised); }
    .all .go { display: flex; flex: 1; gap: .5rem; align-items: center; min-width: 0; font-size: .92em; font-variant-numeric: tabular-nums; }
    .all .go span:last-child { min-width: 0; overflow-wrap: anywhere; }
    .all .drop { width: 2.1rem; color: var(--ink-soft); text-align: center; }
    .tick { display: flex; gap: .6rem; align-items: center; min-height: 2rem; cursor: pointer; }
    .tick[hidden] { display: none; }
    .range { display: inline-flex; gap: .5rem; align-items: center; font-size: .92em; }
    .range input { width: 6rem; }
    .range output { min-width: 2.6rem; font-variant-numeric: tabular-nums; }
    ${ICON_STYLE}
    @media (forced-colors: active) { .swatch, .stage { forced-color-adjust: none; } .label:has([aria-pressed=true].pick), .tool[aria-pressed=true] { outline: 2px solid Highlight; } }
    @media (pointer: coarse) { .tool, .pick, .flag { min-height: 2.75rem; } .tool .name { display: none; } .label kbd { display: none; } }
    @container (max-width: 40rem) { .sheet dl { grid-template-columns: 1fr; } .tool .name { display: none; } .stage { max-height: max(16rem, min(62vh, 34rem)); } }
    @container (max-width: 52rem) { .label:not(:has(.pick[aria-pressed=true])) .flag { display: none; } }
    @container (min-width: 52rem) {
      .frame { grid-template: auto minmax(0, max-content) 1fr / minmax(0, 1fr) clamp(15rem, 24cqw, 20rem); }
      .head { grid-area: 1 / 1 / 2 / 3; }
      .work { grid-area: 2 / 1 / 4 / 2; min-width: 0; }
      .labels { grid-area: 2 / 2; }
      .rest { grid-area: 3 / 2; }
      .list { flex-direction: column; flex-wrap: nowrap; max-height: min(26rem, 48vh); }
    }
  `);

  view = new PictureView();
  picture = null;
  /** Why the picture can't be marked; empty if it can. */
  trouble = "";
  /** Labels in the order of their keys: name, colour, isHidden, isLocked, isListed. */
  labelList = [];
  current = 0;
  tool = "";
  /** Where the pointer, or the keys, are in the picture; null if nowhere. */
  cursor = null;
  cursorBy = "pointer";

  #given = {};
  #opening = 0;
  #undone = [];
  #done = [];
  #remarks = [];
  #pointers = new Map();
  #gesture = null;
  #pinch = null;
  #isSpaceHeld = false;
  #stale = { frame: 0, picture: true, layer: true };
  #look = { brightness: 100, contrast: 100, crosshair: true };
  #buttons = {};
  #isRefreshing = false;
  /** A former answer that is shown as soon as it can be; until then it is the answer. */
  #waiting = null;

  // -- what an element says of itself

  /** Forget what was drawn and take what the template gave, `value` as its initial-value has it. */
  start() {}
  /** The picture is there, with its size, and is shown when this is done. */
  opened() {}
  /** The element can be worked on. */
  started() {}
  /** What the answer holds beside the picture's size. */
  get marked() { return {}; }
  /** How many marks there are. */
  get count() { return 0; }
  get isModified() { return false; }
  /** Whether something is begun and not finished, such as an open polygon. */
  get isDrafting() { return false; }
  /** Draw the marks; the context is in pixels of the stage. */
  drawMarks() {}
  /** Draw what lies between picture and marks, in pixels of the canvas. */
  drawLayer() {}
  /** Take what begins at a place of the picture: an object with move(at), end(at) and cancel(), or null. */
  begin() { return null; }
  /** What the pointer would do here, as a name of a cursor. */
  cursorAt() { return "crosshair"; }
  /** Act on a key; true if it was one. */
  press() { return false; }
  /** Delete what is chosen; true if there was something. */
  drop() { return false; }
  get canDrop() { return false; }
  /** The rows of the list of all marks: {text, label, isChosen, choose(), drop()}. */
  rows() { return []; }
  /** A label was chosen by the worker; true if it went to something that is there, and not to the next. */
  labelChosen() { return false; }
  /** The page has other labels now than those that marks may have. */
  labelsChanged() {}
  countOf() { return 0; }
  get hint() { return ""; }
  get placeText() { return ""; }
  /** Further controls for the bar. */
  controls() { return []; }
  /** Further controls for how the picture is shown. */
  lookControls() { return []; }
  restoreMarks() {}

  // -- the answer

  /** The form that this element stands in. */
  get form() { return this.closest("crowd-form, form"); }

  /** The labels that the page gives, each once. */
  get labels() { return readLabels(this.getAttribute("labels")).names; }
  set labels(list) { this.setAttribute("labels", typeof list === "string" ? list : JSON.stringify(list)); }

  get value() { return this._submittableValue ?? {}; }
  set value(value) { this.restore(value); }

  get _submittableValue() {
    if (this.#isLeftOut) return undefined;
    if (this.#waiting) return this.#waiting;
    const { width, height } = this.picture ?? {};
    return {
      ...this.marked,
      ...(this.picture ? { inputImageProperties: { height, width } } : {}),
      ...(this.#hasInitialValue ? { initialValueModified: this.isModified } : {}),
    };
  }

  get problem() {
    const [one] = this.constructor.nouns;
    if (this.#isLeftOut) return "";
    if (this.trouble) return `${this.trouble} Try again, or tick “Submit without this picture”.`;
    if (!this.picture) return "The picture is still loading.";
    if (this.isDrafting) return `Finish or cancel the ${one} that you began.`;
    if (this.count === 0 && !this.#nothing.checked) return `Mark at least one ${one}, or tick “Nothing to label”.`;
    return "";
  }

  /** Show an answer that was given before, as `_submittableValue` gave it. */
  async restore(value) {
    if (!isObject(value)) return;
    this.#waiting = value;
    this.showProblem("");
    if (!this.picture) return;
    this.#done = [];
    this.#undone = [];
    const showing = this.restoreMarks(value);
    if (showing) await showing;
    if (this.#waiting === value) this.#waiting = null;
    this.changed();
  }

  reset() {
    this.#nothing.checked = false;
    this.#without.checked = false;
    this.#begin();
    this.showProblem("");
  }

  focus() { this.stage.focus({ preventScroll: true }); }

  get stage() { return this.part(".stage"); }
  get #nothing() { return this.part(".nothing input"); }
  get #without() { return this.part(".without input"); }
  get #isLeftOut() { return this.trouble !== "" && this.#without.checked; }
  get #hasInitialValue() { return this.initialValue.trim() !== ""; }
  get label() { return this.labelList[this.current]; }
  labelOf(name) { return this.labelList.find((label) => label.name === name); }

  /** The initial value as the template wrote it; undefined if there is none that can be read. */
  readInitialValue() {
    if (!this.#hasInitialValue) return undefined;
    try {
      return readLiteral(this.initialValue);
    } catch (error) {
      this.remark(`The initial value can't be read and isn't shown: ${error.message}.`);
      return undefined;
    }
  }

  // -- set up

  constructor() {
    super();
    this.tool = this.constructor.tools[0]?.id ?? "";
    this.part(".all").open = !this.constructor.coloursLabels; // then the list is the only place that tells them
    this.#makeBar();
    const { stage } = this;
    stage.addEventListener("pointerdown", (event) => this.#pointerDown(event));
    stage.addEventListener("pointermove", (event) => this.#pointerMoved(event));
    for (const type of ["pointerup", "pointercancel"]) stage.addEventListener(type, (event) => this.#pointerUp(event));
    stage.addEventListener("pointerleave", () => this.#pointerLeft());
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("blur", () => { this.#isSpaceHeld = false; });
    this.shadowRoot.addEventListener("keydown", (event) => this.#keyDown(event));
    this.shadowRoot.addEventListener("keyup", (event) => { if (event.key === " ") this.#isSpaceHeld = false; });
    this.addEventListener("pointerenter", () => { latestPictureElement = this; });
    this.addEventListener("focusin", () => { latestPictureElement = this; });
    this.part(".filter").addEventListener("input", () => this.#filter());
    this.part(".filter").addEventListener("keydown", (event) => this.#filterKey(event));
    this.part(".all").addEventListener("toggle", () => this.#showRows());
    for (const box of [this.#nothing, this.#without]) box.addEventListener("change", () => this.announceChange());
    new ResizeObserver(() => this.#resized()).observe(stage);
  }

  connectedCallback() {
    PICTURE_ELEMENTS.add(this);
    super.connectedCallback();
  }

  disconnectedCallback() { PICTURE_ELEMENTS.delete(this); }

  update() {
    this.part("h2").textContent = this.header;
    this.stage.setAttribute("aria-label", `${this.header || "Picture"}. Arrow keys move the cursor, Enter marks; the list of keys tells the rest.`);
    const now = { src: this.src, labels: `${this.getAttribute("labels")}${this.labelColors}`, initial: this.initialValue };
    const before = this.#given;
    this.#given = now;
    if (now.src !== before.src || now.initial !== before.initial) this.#begin();
    else if (now.labels !== before.labels) this.#changeLabels();
    this.#refreshBar();
  }

  #changeLabels() {
    this.#setLabels();
    this.labelsChanged();
    this.#drawLabels();
    if (this.picture) this.#showTrouble(this.#lack);
  }

  get #lack() { return this.labelList.length === 0 ? "There are no labels to mark it with." : ""; }

  /** Take the labels, the initial value and the picture, all anew. */
  #begin() {
    this.#done = [];
    this.#undone = [];
    this.#remarks = [];
    this.#waiting = null;
    this.part(".remarks").replaceChildren();
    this.#setLabels();
    this.start(this.readInitialValue());
    this.#open();
    this.changed();
  }

  async #open() {
    this.#opening += 1;
    const nth = this.#opening;
    this.picture?.close();
    this.picture = null;
    this.#showTrouble("", "Loading the picture…");
    let picture;
    try {
      if (!this.src) throw new PictureTrouble("The page names no picture: its attribute src is missing or empty.");
      picture = await Picture.open(new URL(this.src, document.baseURI).href);
      if (nth === this.#opening) await this.opened(picture);
    } catch (error) {
      picture?.close();
      if (nth === this.#opening) this.#showTrouble(error instanceof PictureTrouble ? error.message : `The picture could not be opened: ${error.message}.`);
      return;
    }
    if (nth !== this.#opening) return picture.close();
    this.picture = picture;
    for (const remark of picture.remarks) this.remark(remark);
    this.#showTrouble(this.#lack);
    this.stage.style.setProperty("--shape", `${picture.width} / ${picture.height}`);
    this.view.fit(picture);
    this.started();
    if (this.#waiting) this.restore(this.#waiting);
    this.changed();
    this.moved();
    picture.refine(() => this.paint({ picture: true }));
  }

  #showTrouble(trouble, waiting = "") {
    this.trouble = trouble;
    const place = this.part(".trouble");
    place.hidden = !trouble && !waiting;
    place.replaceChildren(make("p", { textContent: trouble || waiting }));
    this.part(".without").hidden = !trouble;
    this.part(".nothing").hidden = Boolean(trouble);
    if (!trouble) return;
    this.tellOwner(trouble);
    const again = make("button", { type: "button", textContent: "Try again" });
    again.addEventListener("click", () => this.#open());
    place.append(again);
    this.paint({ picture: true });
  }

  /** Say something to the worker and to the job's owner. */
  remark(text) {
    if (this.#remarks.includes(text)) return;
    this.#remarks.push(text);
    this.part(".remarks").append(make("li", { textContent: text }));
    this.tellOwner(text);
  }

  /** Tell the job's owner what is still so when the page's scripts have done their part. */
  tellOwner(text) {
    whenSettled(() => {
      if (!this.#remarks.includes(text) && this.trouble !== text) return;
      document.dispatchEvent(new CustomEvent("crowd-trouble", { detail: `${tagOf(this)}: ${text}` }));
    });
  }

  #takeBack(texts) {
    this.#remarks = this.#remarks.filter((text) => !texts.includes(text));
    for (const item of [...this.part(".remarks").children]) if (texts.includes(item.textContent)) item.remove();
  }

  #labelRemarks = [];

  #setLabels() {
    const { names, remarks } = readLabels(this.getAttribute("labels"));
    this.#takeBack(this.#labelRemarks);
    this.#labelRemarks = remarks;
    for (const text of remarks) this.remark(text);
    let wished = [];
    try {
      wished = this.labelColors ? [readLiteral(this.labelColors)].flat() : [];
    } catch (error) {
      this.remark(`The colours of labels can't be read: ${error.message}.`);
    }
    const bad = wished.filter((colour) => hexOf(colour) === "");
    if (bad.length > 0) this.remark(`label-colors holds ${shown(bad[0])}, which is no colour.`);
    const colours = paletteOf(names.length, wished);
    this.labelList = names.map((name, nth) => ({ name, colour: colours[nth], nth, isHidden: false, isLocked: false, isListed: true }));
    this.current = Math.min(this.current, Math.max(0, names.length - 1));
    this.#drawLabels();
    this.changed();
  }

  /** Give labels these colours, by name; no two end up with the same. */
  colourLabels(colours) {
    const wished = this.labelList.map(({ name, colour }) => colours.get(name) ?? colour);
    const isTaken = (nth) => wished.indexOf(wished[nth]) !== nth;
    this.labelList.forEach((label, nth) => {
      if (!colours.has(label.name) && [...colours.values()].includes(label.colour)) wished[nth] = "";
      else if (isTaken(nth)) wished[nth] = "";
    });
    paletteOf(wished.length, wished).forEach((colour, nth) => { this.labelList[nth].colour = colour; });
    this.#drawLabels();
  }

  /** Make a label known that the page's labels lack, so that its marks can be seen. */
  addUnlisted(name) {
    const colour = freshColour(new Set(this.labelList.map((label) => label.colour)));
    this.labelList.push({ name, colour, nth: this.labelList.length, isHidden: false, isLocked: false, isListed: false });
    this.#drawLabels();
    return this.labelList.at(-1);
  }

  // -- labels

  #drawLabels() {
    this.part(".list").replaceChildren(...this.labelList.map((label, nth) => this.#labelRow(label, nth)));
    this.part(".filter").hidden = this.labelList.length <= FILTERED_LABELS;
    this.#filter();
    this.#refreshLabels();
  }

  #labelRow(label, nth) {
    const swatch = this.constructor.coloursLabels ? [make("span", { className: "swatch" })] : [];
    swatch[0]?.style.setProperty("--colour", label.colour);
    const hint = nth < HINTED_LABELS && label.isListed ? [make("kbd", { textContent: String((nth + 1) % 10) })] : [];
    hint[0]?.setAttribute("aria-hidden", "true");
    const pick = make("button", { type: "button", className: "pick", title: label.name }, ...swatch, ...hint,
      make("span", { className: "called", textContent: label.name || "(no label)" }), make("span", { className: "count" }));
    pick.addEventListener("click", () => this.chooseLabel(nth));
    const hide = this.#flag(() => this.toggleHidden(nth));
    const lock = this.#flag(() => this.toggleLocked(nth));
    const row = make("div", { className: "label" }, pick, hide, lock);
    row.classList.toggle("unlisted", !label.isListed);
    return row;
  }

  #flag(act) {
    const button = make("button", { type: "button", className: "flag" });
    button.addEventListener("click", act);
    return button;
  }

  /** Choose the nth label, counted from 0, for the next mark or the one that is chosen. */
  chooseLabel(nth) {
    if (!this.labelList[nth] || this.disabled) return false;
    if (!this.labelChosen(nth)) {
      this.current = nth;
      this.say(`Label ${this.label.name}`);
    }
    this.changed();
    return true;
  }

  toggleHidden(nth) {
    const label = this.labelList[nth];
    label.isHidden = !label.isHidden;
    this.say(`${label.name} ${label.isHidden ? "hidden" : "shown"}`);
    this.visibilityChanged();
    this.changed();
  }

  toggleLocked(nth) {
    const label = this.labelList[nth];
    label.isLocked = !label.isLocked;
    this.say(`${label.name} ${label.isLocked ? "locked" : "unlocked"}`);
    this.visibilityChanged();
    this.changed();
  }

  visibilityChanged() {}

  #revealed = null;

  /** Keep the chosen label in sight, in the list and not in the page. */
  #revealLabel(row) {
    if (!row || row === this.#revealed) return;
    this.#revealed = row;
    const list = this.part(".list");
    const [{ top, bottom }, seen] = [row.getBoundingClientRect(), list.getBoundingClientRect()];
    if (top < seen.top) list.scrollTop += top - seen.top - 4;
    else if (bottom > seen.bottom) list.scrollTop += bottom - seen.bottom + 4;
  }

  #refreshLabels() {
    const chosen = this.shownLabel;
    this.#revealLabel(this.part(".list").children[chosen]);
    this.part(".use").textContent = this.labelUse;
    [...this.part(".list").children].forEach((row, nth) => {
      const label = this.labelList[nth];
      const [pick, hide, lock] = row.children;
      pick.setAttribute("aria-pressed", String(nth === chosen));
      setText(pick.querySelector(".count"), String(this.countOf(label) || ""));
      row.classList.toggle("hid", label.isHidden);
      turnFlag(hide, label.isHidden, label.isHidden ? "eye-off" : "eye", `${label.isHidden ? "Show" : "Hide"} ${label.name} (H)`);
      turnFlag(lock, label.isLocked, label.isLocked ? "lock" : "unlock", `${label.isLocked ? "Unlock" : "Lock"} ${label.name} (K)`);
    });
  }

  /** The label that the list shows as chosen. */
  get shownLabel() { return this.current; }
  get labelUse() { return ""; }

  #filter() {
    const wanted = this.part(".filter").value.trim().toLowerCase();
    [...this.part(".list").children].forEach((row, nth) => { row.hidden = !this.labelList[nth].name.toLowerCase().includes(wanted); });
  }

  #filterKey(event) {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    const first = [...this.part(".list").children].findIndex((row) => !row.hidden);
    if (event.key === "Enter" && first >= 0) this.chooseLabel(first);
    this.part(".filter").value = "";
    this.#filter();
    this.focus();
  }

  // -- the bar

  #makeBar() {
    const { tools } = this.constructor;
    const button = (id, name, key, sign, act, isNamed = false) => {
      const made = make("button", { type: "button", className: "tool", title: key ? `${name} (${key})` : name }, icon(sign));
      made.setAttribute("aria-label", name);
      if (isNamed) made.append(make("span", { className: "name", textContent: name }));
      made.addEventListener("click", act);
      this.#buttons[id] = made;
      return made;
    };
    const group = (...children) => make("div", { className: "group" }, ...children);
    const zoom = button("fit", "Fit the picture", "F", "fit", () => this.fit());
    zoom.classList.add("zoom");
    zoom.append(make("span", { className: "percent" }));
    const extra = this.controls();
    this.part(".bar").append(
      group(...tools.map(({ id, name, key, sign }) => button(id, name, key, sign, () => this.chooseTool(id), true))),
      ...(extra.length > 0 ? [group(...extra)] : []),
      group(
        button("undo", "Undo", "Ctrl+Z", "undo", () => this.undo()),
        button("redo", "Redo", "Ctrl+Shift+Z", "redo", () => this.redo()),
        button("drop", "Delete", "Delete", "delete", () => this.drop()),
      ),
      group(
        button("out", "Zoom out", "−", "remove", () => this.zoom(1 / 1.5)),
        zoom,
        button("in", "Zoom in", "+", "add", () => this.zoom(1.5)),
      ),
      group(this.#lookPanel(), this.#keysPanel()),
    );
  }

  #panel(name, sign, ...children) {
    const opener = make("summary", { className: "tool", title: name }, icon(sign), make("span", { className: "name", textContent: name }));
    opener.setAttribute("aria-label", name);
    const sheet = make("div", { className: "sheet" }, ...children);
    const panel = make("details", { className: "panel" }, opener, sheet);
    panel.addEventListener("toggle", () => {
      sheet.style.right = "";
      const beyond = this.getBoundingClientRect().left - sheet.getBoundingClientRect().left;
      if (beyond > 0) sheet.style.right = `${-beyond}px`; // its button stands at the left
    });
    panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !panel.open) return;
      event.stopPropagation();
      panel.open = false;
      opener.focus();
    });
    this.addEventListener("pointerdown", (event) => { if (!event.composedPath().includes(panel)) panel.open = false; });
    return panel;
  }

  #lookPanel() {
    const slider = (name, property) => {
      const range = make("input", { type: "range", min: "20", max: "300", value: "100" });
      range.addEventListener("input", () => {
        this.#look[property] = Number(range.value);
        this.#applyLook();
      });
      return make("label", {}, name, range);
    };
    const crosshair = make("input", { type: "checkbox", checked: true });
    crosshair.addEventListener("change", () => {
      this.#look.crosshair = crosshair.checked;
      this.paint();
    });
    const sliders = [slider("Brightness", "brightness"), slider("Contrast", "contrast")];
    const again = make("button", { type: "button", className: "tool", textContent: "Reset" });
    again.addEventListener("click", () => {
      Object.assign(this.#look, { brightness: 100, contrast: 100 });
      for (const one of sliders) one.querySelector("input").value = "100";
      this.#applyLook();
    });
    return this.#panel("Picture", "contrast", ...sliders, ...this.lookControls(), make("label", { className: "switch" }, crosshair, "Crosshair"), again);
  }

  #applyLook() {
    const { brightness, contrast } = this.#look;
    this.part(".picture").style.filter = brightness === 100 && contrast === 100 ? "" : `brightness(${brightness}%) contrast(${contrast}%)`;
  }

  #keysPanel() {
    const keys = [...this.constructor.keys,
      ["1 … 9, 0", "choose a label; / finds one"], ["arrows, Shift+arrows", "move what is chosen, or the cursor, by 1 or 10 pixels"],
      ["Enter", "mark at the cursor"], ["PgDn, PgUp", "choose the next or the one before"], ["Delete", "delete what is chosen"],
      ["Ctrl+Z, Ctrl+Shift+Z", "undo, redo"], ["H, K", "hide, lock the label"],
      ["+, −, F", "zoom; show the whole picture"], ["wheel", "zoom"], ["Space+drag, right drag", "move the picture, as two fingers do"],
      ["Alt+arrows", "move the picture"], ["Esc", "cancel; choose nothing"]];
    const list = document.createElement("dl");
    for (const [names, meaning] of keys) {
      list.append(make("dt", {}, ...names.split(", ").map((name) => make("kbd", { textContent: name }))), make("dd", { textContent: meaning }));
    }
    return this.#panel("Keys", "keyboard", list);
  }

  #refreshBar() {
    for (const { id } of this.constructor.tools) this.#buttons[id].setAttribute("aria-pressed", String(this.tool === id));
    const off = this.disabled;
    this.#buttons.undo.disabled = off || (this.#done.length === 0 && !this.isDrafting);
    this.#buttons.redo.disabled = off || this.#undone.length === 0;
    this.#buttons.drop.disabled = off || !this.canDrop;
    this.#nothing.disabled = off || this.count > 0;
    this.#without.disabled = off;
    for (const { id } of this.constructor.tools) this.#buttons[id].disabled = off;
  }

  chooseTool(id) {
    this.tool = id;
    this.say(this.constructor.tools.find((tool) => tool.id === id).name);
    this.changed();
  }

  // -- undo

  /** Note a change that is done: two functions that undo it and do it again. */
  did(undo, redo) {
    this.#done.push({ undo, redo });
    if (this.#done.length > STEPS_KEPT) this.#done.shift();
    this.#undone = [];
    this.changed();
    this.announceChange();
  }

  undo() { return this.#step(this.#done, this.#undone, "undo", "Undone"); }
  redo() { return this.#step(this.#undone, this.#done, "redo", "Done again"); }

  #step(from, to, way, said) {
    const step = from.pop();
    if (!step || this.disabled) return;
    step[way]();
    to.push(step);
    this.say(said);
    this.changed();
    this.announceChange();
  }

  // -- messages

  say(text) { this.part(".live").textContent = text; }

  /** Something that is seen beside the picture may have changed. */
  changed() {
    this.paint({ layer: true });
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    queueMicrotask(() => {
      this.#isRefreshing = false;
      if (this.count > 0) this.#nothing.checked = false;
      this.#refreshBar();
      this.#refreshLabels();
      this.#showRows();
      this.#showDraft();
      setText(this.part(".hint"), this.disabled || this.trouble ? "" : this.hint);
    });
  }

  #showRows() {
    const [one, several] = this.constructor.nouns;
    const all = this.part(".all");
    all.hidden = this.count === 0;
    setText(all.querySelector("summary"), `${this.count} ${this.count === 1 ? one : several}`);
    if (!all.open) return;
    const rows = this.rows();
    const list = all.querySelector("ul");
    while (list.children.length > rows.length) list.lastChild.remove();
    while (list.children.length < rows.length) list.append(this.#row());
    rows.forEach((row, nth) => this.#fillRow(list.children[nth], row));
  }

  #row() {
    const go = make("button", { type: "button", className: "go" }, make("span", { className: "swatch" }), make("span"));
    const drop = make("button", { type: "button", className: "drop", textContent: "✕" });
    const row = make("li", {}, go, drop);
    go.addEventListener("click", () => row.shown.choose());
    drop.addEventListener("click", () => { if (!this.disabled) row.shown.drop(); });
    return row;
  }

  #fillRow(item, row) {
    item.shown = row;
    const [go, drop] = item.children;
    go.classList.toggle("chosen", row.isChosen);
    go.setAttribute("aria-pressed", String(row.isChosen));
    go.firstChild.style.setProperty("--colour", row.colour);
    setText(go.lastChild, row.text);
    drop.setAttribute("aria-label", `Delete ${row.text}`);
  }

  /** The controls that stand on the stage while something is begun. */
  draftControls() { return null; }

  #showDraft() {
    const place = this.part(".drafting");
    const controls = this.draftControls();
    place.hidden = !controls;
    if (!controls) return;
    const { text, actions } = controls;
    if (place.children.length !== actions.length + 1) {
      place.replaceChildren(make("span"), ...actions.map(() => {
        const button = make("button", { type: "button" });
        button.addEventListener("pointerdown", (event) => event.stopPropagation());
        button.addEventListener("click", () => { button.act(); this.focus(); });
        return button;
      }));
    }
    setText(place.firstChild, text);
    actions.forEach(([name, act, isPossible], nth) => {
      const button = place.children[nth + 1];
      setText(button, name);
      Object.assign(button, { act, disabled: !isPossible });
    });
  }

  // -- painting

  /** Paint anew with the next frame; picture and layer only where they say so. */
  paint({ picture = false, layer = false } = {}) {
    this.#stale.picture ||= picture;
    this.#stale.layer ||= layer;
    this.#stale.frame ||= requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.#stale.frame = 0;
    const { width, height, density } = this.#size;
    if (!width) return;
    if (this.#stale.picture) this.#paintPicture(density);
    if (this.#stale.layer && this.picture) this.drawLayer(this.part(".layer").getContext("2d"), this.#viewOf(density));
    Object.assign(this.#stale, { picture: false, layer: false });
    const context = this.part(".marks").getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.picture) return;
    this.drawMarks(context);
    this.#paintCrosshair(context, width, height);
    setText(this.part(".percent"), `${percent(this.view.scale)} %`);
    setText(this.part(".place"), this.#placeText());
  }

  #size = { width: 0, height: 0, density: 1 };

  #viewOf(density) { return { scale: this.view.scale * density, x: this.view.x * density, y: this.view.y * density }; }

  #paintPicture(density) {
    const context = this.part(".picture").getContext("2d");
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    this.picture?.draw(context, this.#viewOf(density));
  }

  #paintCrosshair(context, width, height) {
    const shows = this.#look.crosshair || this.cursorBy === "keys";
    if (!this.cursor || !shows || this.disabled || !this.wantsCrosshair || !this.isInside(this.cursor)) return;
    const [x, y] = this.view.toStage(this.cursor).map((place) => Math.round(place) + 0.5);
    const lines = new Path2D(`M${x} 0V${height}M0 ${y}H${width}`);
    strokeTwice(context, lines, ["rgb(0 0 0 / .45)", 3], ["#fff", 1]);
  }

  get wantsCrosshair() { return true; }

  isInside([x, y]) { return x >= 0 && y >= 0 && x <= this.picture.width && y <= this.picture.height; }

  /** A place within the picture, in whole pixels. */
  within([x, y]) {
    const { width, height } = this.picture;
    return [Math.round(Math.min(width, Math.max(0, x))), Math.round(Math.min(height, Math.max(0, y)))];
  }

  #placeText() {
    if (!this.cursor) return `${this.picture.width} × ${this.picture.height} pixels`;
    const [x, y] = this.cursor.map(Math.floor);
    const place = `x ${x}, y ${y}${this.isInside(this.cursor) ? "" : ", outside the picture"}`;
    return this.placeText ? `${place} · ${this.placeText}` : place;
  }

  #resized() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!width || !height) return;
    const density = Math.min(window.devicePixelRatio || 1, 3);
    this.#size = { width, height, density };
    for (const canvas of this.shadowRoot.querySelectorAll(".stage canvas")) {
      Object.assign(canvas, { width: Math.round(width * density), height: Math.round(height * density) });
    }
    this.view.resize(width, height);
    this.paint({ picture: true, layer: true });
  }

  moved() { this.paint({ picture: true, layer: true }); }
  fit() { this.view.fit(); this.moved(); }
  zoom(factor, at) { this.view.zoom(factor, at); this.moved(); }
  pan(x, y) { this.view.pan(x, y); this.moved(); }
  reveal(place) { if (this.view.reveal(place)) this.moved(); }

  // -- pointers

  #stagePlace(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  #pointerDown(event) {
    if (!this.picture || event.target.closest?.(".drafting, .trouble")) return;
    event.preventDefault();
    this.focus();
    const place = this.#stagePlace(event);
    this.#pointers.set(event.pointerId, place);
    this.stage.setPointerCapture(event.pointerId);
    if (this.#pointers.size === 2) {
      this.#gesture?.cancel();
      this.#gesture = null;
      this.#pinch = [...this.#pointers.values()];
      return;
    }
    if (this.#pointers.size > 2) return;
    this.#place(place);
    const pans = event.button !== 0 || this.#isSpaceHeld || this.disabled;
    this.#gesture = (pans ? null : this.begin(this.cursor, event)) ?? this.#panning(place);
    this.changed();
  }

  #panning(from) {
    let last = from;
    return {
      move: (_, event) => {
        const place = this.#stagePlace(event);
        this.pan(place[0] - last[0], place[1] - last[1]);
        last = place;
      },
      end: () => {},
      cancel: () => {},
    };
  }

  #pointerMoved(event) {
    if (!this.picture) return;
    const place = this.#stagePlace(event);
    if (this.#pointers.has(event.pointerId)) this.#pointers.set(event.pointerId, place);
    if (this.#pinch) return this.#pinched();
    this.#place(place);
    // Fast strokes are sampled more often than frames are painted.
    const events = this.#gesture?.isFine ? event.getCoalescedEvents?.() ?? [] : [];
    if (this.#gesture) for (const one of events.length > 0 ? events : [event]) this.#gesture.move(this.view.toPicture(this.#stagePlace(one)), one);
    const isPanning = this.#isSpaceHeld || this.disabled;
    this.stage.style.cursor = isPanning ? "grab" : this.#gesture?.cursor ?? this.cursorAt(this.cursor, event);
    this.paint();
  }

  #place(place) {
    this.cursor = this.view.toPicture(place);
    this.cursorBy = "pointer";
  }

  #pinched() {
    const before = this.#pinch;
    const now = [...this.#pointers.values()].slice(0, 2);
    if (now.length < 2) return;
    const [middleBefore, middleNow] = [middleOf(before), middleOf(now)];
    this.pan(middleNow[0] - middleBefore[0], middleNow[1] - middleBefore[1]);
    this.zoom(distance(...now) / Math.max(1, distance(...before)), middleNow);
    this.#pinch = now;
  }

  #pointerUp(event) {
    if (!this.#pointers.delete(event.pointerId)) return;
    if (this.#pinch) {
      if (this.#pointers.size === 0) this.#pinch = null;
      return;
    }
    const gesture = this.#gesture;
    this.#gesture = null;
    if (!gesture) return;
    if (event.type === "pointercancel") gesture.cancel();
    else gesture.end(this.view.toPicture(this.#stagePlace(event)), event);
    if (event.pointerType === "touch") this.cursor = null;
    this.changed();
  }

  #pointerLeft() {
    if (this.cursorBy === "keys" || this.#pointers.size > 0) return;
    this.cursor = null;
    this.paint();
  }

  #wheel(event) {
    if (!this.picture) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    if (event.shiftKey) return this.pan(-(event.deltaX || event.deltaY) * lines, 0);
    const place = this.#stagePlace(event);
    this.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), place);
    this.#place(place);
  }

  // -- keys

  #keyDown(event) {
    const [target] = event.composedPath();
    if (event.defaultPrevented || event.isComposing || target.matches("input:not([type=checkbox])")) return;
    const onControl = target.matches("button, summary, input");
    if (onControl && (event.key === "Enter" || event.key === " ")) return;
    if (onControl && event.key.startsWith("Arrow")) return;
    if (this.key(event)) event.preventDefault();
  }

  /** Act on a key; true if it was one of ours. */
  key(event) {
    const { key, code, ctrlKey, metaKey, altKey, shiftKey } = event;
    if (!this.picture) return false;
    if (ctrlKey || metaKey) return !altKey && this.#chord(key.toLowerCase(), shiftKey);
    if (this.#viewKey(key, altKey)) return true;
    if (altKey || this.disabled) return false;
    if (this.press(event)) {
      this.changed();
      return true;
    }
    if (shiftKey && /^Digit\d$/.test(code)) return false;
    if (/^\d$/.test(key)) return this.chooseLabel(key === "0" ? 9 : Number(key) - 1);
    const tool = this.constructor.tools.find((one) => one.key.toLowerCase() === key.toLowerCase());
    if (tool) this.chooseTool(tool.id);
    else if (key === "Delete" || key === "Backspace") return this.drop();
    else if (key === "/" && !this.part(".filter").hidden) this.part(".filter").focus();
    else if (/^[hk]$/i.test(key) && this.label) this[key.toLowerCase() === "h" ? "toggleHidden" : "toggleLocked"](this.shownLabel);
    else return this.#cursorKey(key, shiftKey);
    return true;
  }

  #chord(key, shiftKey) {
    if (key === "z" && shiftKey) this.redo();
    else if (key === "z") this.undo();
    else if (key === "y") this.redo();
    else return false;
    return true;
  }

  #viewKey(key, altKey) {
    const step = ARROWS[key];
    if (altKey && step) this.pan(-80 * step[0], -80 * step[1]);
    else if (key === "+" || key === "=") this.zoom(1.25, this.cursor ? this.view.toStage(this.cursor) : undefined);
    else if (key === "-" || key === "−") this.zoom(0.8, this.cursor ? this.view.toStage(this.cursor) : undefined);
    else if (key === "f" || key === "F") this.fit();
    else if (key === " ") this.#isSpaceHeld = true;
    else return false;
    return true;
  }

  /** The arrow keys carry a cursor over the picture, and Enter is its button. */
  #cursorKey(key, shiftKey) {
    const step = ARROWS[key];
    if (step) {
      const by = shiftKey ? 10 : 1;
      const [x, y] = this.cursor && this.isInside(this.cursor) ? this.cursor : this.within(this.view.middle);
      this.cursor = this.within([Math.round(x) + by * step[0], Math.round(y) + by * step[1]]);
      this.cursorBy = "keys";
      this.reveal(this.cursor);
      this.cursorMoved();
      this.changed();
      return true;
    }
    if (key !== "Enter" || !this.cursor || this.cursorBy !== "keys") return false;
    const gesture = this.begin(this.cursor, { pointerType: "keys", shiftKey, button: 0 });
    gesture?.end(this.cursor, { pointerType: "keys", shiftKey });
    this.changed();
    return true;
  }

  cursorMoved() {}
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const distance = ([x, y], [otherX, otherY]) => Math.hypot(x - otherX, y - otherY);
const middleOf = ([[x, y], [otherX, otherY]]) => [(x + otherX) / 2, (y + otherY) / 2];
const percent = (scale) => (scale < 0.1 ? (scale * 100).toFixed(1) : Math.round(scale * 100));

/** Stroke a path over a broader stroke, so that it is seen on any picture. */
function strokeTwice(context, path, ...strokes) {
  for (const [strokeStyle, lineWidth, dashes = []] of strokes) {
    Object.assign(context, { strokeStyle, lineWidth });
    context.setLineDash(dashes);
    context.stroke(path);
  }
  context.setLineDash([]);
}

/** Fill and stroke what can be taken hold of. */
function paintHandle(context, path, fillStyle = "#fff", strokeStyle = "#10161c") {
  Object.assign(context, { fillStyle, strokeStyle, lineWidth: 1.5 });
  context.fill(path);
  context.stroke(path);
}

function circle([x, y], radius) {
  const path = new Path2D();
  path.arc(x, y, radius, 0, 2 * Math.PI);
  return path;
}

/** Set a text only where it differs: the browser lays out less. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function turnFlag(button, on, sign, name) {
  if (button.title === name) return;
  button.title = name;
  button.setAttribute("aria-label", name.replace(/ \(\w\)$/, ""));
  button.setAttribute("aria-pressed", String(on));
  button.replaceChildren(icon(sign));
}

/** Run when the page is there, with its scripts' first work done. */
function whenSettled(run) {
  const soon = () => setTimeout(run, 300);
  if (document.readyState === "complete") soon();
  else window.addEventListener("load", soon, { once: true });
}

// Keys that are pressed while nothing has the focus are those of the element under the pointer, or else of the last one.
let latestPictureElement = null;

function listeningPictureElement() {
  if (document.querySelector("dialog[open]")) return null;
  if (latestPictureElement?.isConnected && PICTURE_ELEMENTS.has(latestPictureElement)) return latestPictureElement;
  return [...PICTURE_ELEMENTS].find((one) => one.problem !== "") ?? [...PICTURE_ELEMENTS][0] ?? null;
}

const OWN_KEYS = `${TYPED_IN}, input, select, [contenteditable], [role=radio], [role=tab], [role=slider], audio, video`;

document.addEventListener("keydown", (event) => {
  const path = event.composedPath();
  const isFree = event.target === document.body || event.target === document.documentElement;
  if (event.defaultPrevented || event.isComposing || path.some((node) => node instanceof PictureElement)) return;
  // Elsewhere only what can't be meant for what has the focus.
  if (!isFree && (event.key.length > 1 || path[0].matches?.(OWN_KEYS))) return;
  if (event.key === " " || event.key === "Enter") return;
  if (listeningPictureElement()?.key(event)) event.preventDefault();
});

// The portal passes the digits on; where a page has categories, they are theirs.
document.addEventListener("crowd-key", ({ detail }) => {
  if (/^[1-9]$/.test(detail) && !document.querySelector(CLASSIFIERS)) listeningPictureElement()?.chooseLabel(Number(detail) - 1);
});
