// A text to mark passages in, by mouse, touch and keys. Offsets are in Unicode characters, as Python counts them.

// Okabe and Ito's colours, which people who see colours differently tell apart; after them, mixtures.
const TEXT_COLOURS = [
  "#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#d55e00", "#0072b2", "#b8a800", "#8a6fd1", "#7a9a3a", "#a0522d", "#5f9ea0", "#c05080",
];
const textColour = (index) => TEXT_COLOURS[index % TEXT_COLOURS.length];

const MARKED_TEXT_STYLE = `
  .marked {
    max-height: 70vh; padding: .9rem 1rem; border: 1px solid var(--edge); border-radius: .55rem; background: var(--surface);
    color: var(--ink); font-size: 1.08rem; line-height: 2.15; white-space: pre-wrap; overflow-wrap: anywhere; overflow: auto; cursor: text;
    caret-color: var(--accent);
  }
  .marked:focus { outline: 3px solid var(--accent); outline-offset: 1px; }
  .marked::selection, .marked ::selection { background: light-dark(#b5d5ff, #2f5d94); color: var(--ink); }
  .piece { padding: .15em 0; background: color-mix(in oklab, var(--c) 30%, var(--surface)); box-shadow: inset 0 -3px 0 var(--c); cursor: pointer; }
  .piece.active { background: color-mix(in oklab, var(--c) 50%, var(--surface)); box-shadow: inset 0 -3px 0 var(--c), inset 0 2px 0 var(--c); }
  .tag {
    display: inline-flex; gap: .2em; align-items: center; margin: 0 .15em 0 0; padding: 0 .15em 0 .4em; border: 1px solid var(--c); border-left-width: 4px;
    border-radius: 0 .35em .35em 0; background: var(--raised); color: var(--ink); font-size: .72em; font-weight: 600; line-height: 1.7;
    vertical-align: .1em; white-space: nowrap; cursor: pointer; user-select: none;
  }
  .tag button { min-width: 1.7em; min-height: 1.7em; padding: 0; border: 0; border-radius: .3em; background: none; line-height: 1; cursor: pointer; }
  @media (forced-colors: active) { .piece { border-bottom: 3px solid; } .piece.active { border-top: 3px solid; } }
  .tag button:hover { background: var(--bad); color: var(--surface); }
`;

/** How many Unicode characters a text, or its beginning, has. */
const charactersIn = (text) => {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
};

class MarkedText {
  #place;
  #characters = [];
  #pieces = [];
  #on;
  #kept = null; // what was selected last, for as long as something beside the text has the focus

  /**
   * Make an element such a text. `on.select(span)` is told when the worker has selected a passage, `on.press(mark)` when
   * they press a mark, `on.remove(mark)` when they press the cross on its tag.
   */
  constructor(place, on) {
    this.#place = place;
    this.#on = on;
    // Editable, for the caret and for all the ways of selecting that the browser has; nothing of it can be changed.
    Object.assign(place, { contentEditable: "true", spellcheck: false, inputMode: "none", className: "marked" });
    place.setAttribute("role", "textbox");
    place.setAttribute("aria-readonly", "true");
    place.setAttribute("aria-multiline", "true");
    place.addEventListener("beforeinput", (event) => event.preventDefault());
    place.addEventListener("input", () => this.draw(this.marks)); // what a browser lets nobody prevent
    for (const type of ["dragstart", "drop"]) place.addEventListener(type, (event) => event.preventDefault());
    place.addEventListener("pointerup", () => setTimeout(() => this.#selected()));
    place.addEventListener("click", (event) => this.#clicked(event));
    document.addEventListener("selectionchange", () => { if (this.#range()) this.#kept = this.#liveSelection; });
  }

  get text() { return this.#characters.join(""); }
  set text(text) {
    this.#characters = [...text];
    this.draw([]);
  }

  get length() { return this.#characters.length; }

  marks = [];

  /** The characters of a span. */
  slice({ start, end }) { return this.#characters.slice(start, end).join(""); }

  /** Show marks: `{start, end, colour, tag, title, isActive}` each; they may overlap. */
  draw(marks) {
    this.marks = marks;
    this.#kept = null;
    const cuts = [...new Set([0, this.length, ...marks.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
    this.#pieces = [];
    const nodes = [];
    for (let index = 0; index + 1 < cuts.length; index += 1) {
      const [start, end] = [cuts[index], cuts[index + 1]];
      const over = marks.filter((mark) => mark.start <= start && end <= mark.end);
      nodes.push(this.#piece(start, end, over));
      for (const mark of marks) if (mark.end === end && mark.tag !== undefined) nodes.push(this.#tag(mark));
    }
    this.#place.replaceChildren(...nodes);
  }

  #piece(start, end, over) {
    const text = document.createTextNode(this.slice({ start, end }));
    this.#pieces.push({ start, end, text });
    if (over.length === 0) return text;
    const top = over.find((mark) => mark.isActive) ?? over.reduce((one, other) => (other.end - other.start < one.end - one.start ? other : one));
    const piece = make("span", { className: top.isActive ? "piece active" : "piece", title: over.map((mark) => mark.title).join(", ") }, text);
    piece.style.setProperty("--c", top.colour);
    piece.mark = top;
    return piece;
  }

  #tag(mark) {
    const cross = make("button", { type: "button", textContent: "✕", tabIndex: -1 });
    cross.setAttribute("aria-label", `Remove ${mark.title}`);
    const tag = make("span", { className: "tag", contentEditable: "false", title: mark.title }, mark.tag, cross);
    tag.style.setProperty("--c", mark.colour);
    tag.mark = mark;
    return tag;
  }

  /** What is selected, as `{start, end}` without white space at its ends; null for nothing. */
  get selection() {
    const isBeside = this.#root.activeElement?.matches("input, textarea, button");
    return this.#liveSelection ?? (isBeside ? this.#kept : null);
  }

  get #liveSelection() {
    const range = this.#range();
    if (!range) return null;
    let [start, end] = [this.#offset(range.startContainer, range.startOffset), this.#offset(range.endContainer, range.endOffset)];
    const isBlank = (at) => /^\s$/u.test(this.#characters[at]);
    while (start < end && isBlank(start)) start += 1;
    while (end > start && isBlank(end - 1)) end -= 1;
    return start < end ? { start, end } : null;
  }

  /** Where the caret is; null if it is elsewhere. */
  get caret() {
    const range = this.#range();
    return range && this.#offset(range.endContainer, range.endOffset);
  }

  /** Put the caret at a character, or select up to another. */
  select(start, end = start) {
    const [from, to] = [this.#point(start), this.#point(end)];
    const selection = this.#root.getSelection?.() ?? document.getSelection();
    selection.setBaseAndExtent(from.text, from.at, to.text, to.at);
  }

  get #root() { return this.#place.getRootNode(); }

  /** Browsers tell of a selection in a shadow root by three ways; null if it isn't in this text. */
  #range() {
    const shared = document.getSelection();
    const own = this.#root.getSelection?.();
    let range = null;
    if (own) range = own.rangeCount ? own.getRangeAt(0) : null;
    else if (shared?.getComposedRanges) [range] = shared.getComposedRanges({ shadowRoots: [this.#root] });
    else range = shared?.rangeCount ? shared.getRangeAt(0) : null;
    const isHere = range && this.#place.contains(range.startContainer) && this.#place.contains(range.endContainer);
    return isHere ? range : null;
  }

  #offset(node, at) {
    const inside = this.#pieces.find(({ text }) => text === node);
    if (inside) return inside.start + charactersIn(node.data.slice(0, at));
    const point = document.createRange();
    point.setStart(node, at);
    const next = this.#pieces.find(({ text }) => point.comparePoint(text, 0) >= 0);
    return next ? next.start : this.length;
  }

  #point(offset) {
    const piece = this.#pieces.find(({ end }) => offset <= end) ?? this.#pieces.at(-1);
    if (!piece) return { text: this.#place, at: 0 };
    return { text: piece.text, at: this.slice({ start: piece.start, end: offset }).length };
  }

  /** A finger selects a word by a tap; more, as everywhere, by holding and pulling the handles. */
  #tapped() {
    const { caret } = this;
    if (caret === null) return;
    let start = 0;
    for (const { segment, isWordLike } of new Intl.Segmenter(undefined, { granularity: "word" }).segment(this.text)) {
      const end = start + charactersIn(segment);
      if (isWordLike && start <= caret && caret <= end) {
        this.select(start, end);
        this.#selected();
        return;
      }
      start = end;
    }
  }

  #selected() {
    const span = this.selection;
    if (span) this.#on.select?.(span);
  }

  #clicked(event) {
    const { mark } = event.target.closest(".piece, .tag") ?? {};
    if (!mark) {
      if (event.pointerType === "touch" && !this.#liveSelection) this.#tapped();
      return;
    }
    if (event.target.closest("button")) this.#on.remove?.(mark);
    else if (!this.selection) this.#on.press?.(mark);
  }
}
