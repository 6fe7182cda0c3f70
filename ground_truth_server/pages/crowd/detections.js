// The elements of Augmented AI: people review what Rekognition and Textract detected.

class CrowdRekognitionDetectModerationLabels extends MultiClassifier {
  connectedCallback() {
    if (!this.hasAttribute("name")) this.setAttribute("name", "AWS/Rekognition/DetectModerationLabels/Image/V3");
    super.connectedCallback();
  }

  /** The names of the categories; an answer holds the whole of each that is an object. */
  get categories() { return this.#listed.map((one) => String(isObject(one) ? one.name : one)); }
  set categories(list) { super.categories = list; }

  get #listed() { return readLiteralList(this, "categories")[0] ?? []; }

  get #excluding() { return exclusionText(this.exclusionCategory) ? this.boxes.at(-1) : null; }

  get _submittableValue() {
    const { boxes } = this;
    return { ModerationLabels: this.#excluding?.checked ? [] : this.#listed.filter((_, index) => boxes[index]?.checked) };
  }

  get problem() { return this.#excluding ? super.problem : ""; }

  update() {
    super.update();
    const [list, wrong] = readLiteralList(this, "categories");
    if (list === null) {
      this.showProblem(wrong);
      tellOwnerOf(this, [wrong]);
    }
    this.#bar();
  }

  restore(value) {
    const labels = (isObject(value) && Array.isArray(value.ModerationLabels) ? value.ModerationLabels : []).map((one) => JSON.stringify(one));
    this.#listed.forEach((one, index) => { this.boxes[index].checked = labels.includes(JSON.stringify(one)); });
    this.showProblem("");
  }

  settle() { this.#bar(); }

  /** While none applies, nothing can be chosen. */
  #bar() {
    const none = this.#excluding;
    for (const box of this.boxes) {
      if (box === none) continue;
      if (none?.checked) box.checked = false;
      box.disabled = this.disabled || Boolean(none?.checked);
    }
  }
}

const idOfBlock = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

class CrowdTextractAnalyzeDocument extends AnsweringElement {
  static text = ["name", "header", "src", "initial-value", "keys", "block-types"];
  static flags = ["disabled", "no-key-edit", "no-geometry-edit"];
  static regions = ["short-instructions", "full-instructions"];

  static markup = `
    <div class="frame">
      <section class="main">
        <h2 id="header"></h2>
        <div class="amiss" role="note"></div>
        <div class="picture" hidden><img class="image" alt="The document"><div class="over"></div></div>
        <slot></slot>
      </section>
      <aside class="side" aria-label="Keys and values">
        <slot name="short-instructions"></slot>
        <div class="pairs"></div>
        <p class="error" role="alert"></p>
        <slot name="full-instructions"></slot>
      </aside>
    </div>`;

  static style = css(`
    ${GENERATIVE_STYLE}
    ${OVERLAY_STYLE}
    .amiss:empty { display: none; }
    .box { padding: 0; background: none; border-color: #0072b2; pointer-events: auto; cursor: pointer; }
    .box.value { border-style: dashed; }
    .box.active { background: rgb(240 228 66 / .35); border-width: 3px; }
    .pairs { display: grid; gap: .7rem; }
    .pair { min-width: 0; margin: 0; padding: .4rem .9rem .8rem; border: 1px solid var(--line); border-radius: .55rem; background: var(--surface); }
    .pair.active { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
    .pair.no .fields { display: none; }
    legend { padding: 0 .4rem; font-weight: 700; overflow-wrap: anywhere; }
    .ask, .fields { display: flex; flex-wrap: wrap; gap: .3rem 1rem; align-items: center; margin: .2rem 0; }
    .ask .what { color: var(--ink-soft); font-size: .92em; }
    .ask label, .fields .blank { display: inline-flex; gap: .4rem; align-items: center; min-height: 2rem; cursor: pointer; }
    .pair [type=radio], .pair [type=checkbox] { margin: 0; accent-color: var(--accent); }
    .fields .text { flex: 1 1 12rem; min-width: 0; padding: .5rem .65rem; border: 1px solid var(--edge); border-radius: .45rem; background: var(--surface); color: var(--ink); }
    .fields .text:disabled { background: var(--raised); color: var(--ink-soft); }
    @container (min-width: 52rem) {
      .frame { grid-template-columns: minmax(0, 1fr) minmax(20rem, 38cqw); }
      .main { position: sticky; top: 16px; align-self: start; }
    }
  `);

  #blocks = [];
  #pairs = []; // {title, key, value, text, isPair, isBlank} each; without key where an important key wasn't detected
  #active = null;
  #notes = [];
  #drawnOf = null;

  connectedCallback() {
    if (!this.hasAttribute("name")) this.setAttribute("name", "AWS/Textract/AnalyzeDocument/Forms/V1");
    super.connectedCallback();
  }

  prepare() {
    this.part(".image").addEventListener("error", () => this.#tell("The document can't be loaded. Please try again later, or hand the task back."));
  }

  get value() { return this._submittableValue; }

  get _submittableValue() {
    const dropped = new Set();
    const texts = new Map();
    const added = [];
    for (const { title, key, value, text, isPair, isBlank } of this.#pairs) {
      const written = isBlank ? "" : text;
      if (!key) {
        if (isPair) added.push(...this.#added(title, written));
      } else if (!isPair) [key, value].forEach((block) => dropped.add(block));
      else if (value && textOfBlock(value, this.#blocks) !== written) texts.set(value, written);
    }
    const kept = this.#blocks.filter((block) => !dropped.has(block));
    return { blocks: [...kept.map((block) => (texts.has(block) ? { ...block, text: texts.get(block) } : block)), ...added] };
  }

  /** The blocks of a key that a person found, and their value. */
  #added(title, text) {
    const pair = this.#pairs.find((one) => one.title === title && !one.key);
    pair.ids ??= [idOfBlock(), idOfBlock()];
    const [key, value] = pair.ids;
    return [
      { blockType: "KEY_VALUE_SET", id: key, relationships: [{ type: "VALUE", ids: [value] }], entityTypes: ["KEY"], text: title },
      { blockType: "KEY_VALUE_SET", id: value, relationships: [], entityTypes: ["VALUE"], text },
    ];
  }

  get problem() {
    const lacking = this.#pairs.find(({ text, isPair, isBlank }) => isPair && !isBlank && text.trim() === "");
    if (!lacking) return "";
    return `${lacking.title}: write the value, or choose ${lacking.key ? "Value is blank" : "Value is blank or Key not found"}.`;
  }

  update() {
    this.part("h2").textContent = this.header;
    this.part(".picture").hidden = this.src === "";
    if (this.src && this.part(".image").getAttribute("src") !== this.src) this.part(".image").src = this.src;
    const drawnOf = JSON.stringify(["initial-value", "keys", "src"].map((name) => this.getAttribute(name)));
    if (this.#drawnOf !== drawnOf) this.#read();
    this.#drawnOf = drawnOf;
    this.#draw();
  }

  reset() {
    this.#read();
    this.showProblem("");
    this.#draw();
  }

  focus() {
    const at = this.#pairs.findIndex(({ text, isPair, isBlank }) => isPair && !isBlank && text.trim() === "");
    this.shadowRoot.querySelectorAll(".pair .text")[Math.max(at, 0)]?.focus();
  }

  #tell(...notes) {
    this.#notes.push(...notes);
    this.part(".amiss").replaceChildren(...this.#notes.map((note) => make("p", { textContent: note })));
    tellOwnerOf(this, notes);
  }

  #read() {
    this.#notes = [];
    const [blocks, wrong] = readLiteralList(this, "initial-value");
    const [keys, wrongKeys] = readLiteralList(this, "keys");
    this.#tell(...[wrong, wrongKeys].filter(Boolean));
    this.#blocks = (blocks ?? []).filter((block) => isObject(block));
    const byId = new Map(this.#blocks.map((block) => [block.id, block]));
    const isKey = (block) => block.blockType === "KEY_VALUE_SET" && Array.isArray(block.entityTypes) && block.entityTypes.includes("KEY");
    this.#pairs = this.#blocks.filter(isKey).map((key) => {
      const value = byId.get(relatedIds(key, "VALUE")[0]);
      const text = value ? textOfBlock(value, this.#blocks) : "";
      return { title: textOfBlock(key, this.#blocks) || "(a key without text)", key, value, text, isPair: true, isBlank: false };
    });
    const found = new Set(this.#pairs.map(({ title }) => bareKey(title)));
    for (const one of keys ?? []) {
      const names = isObject(one) ? [one.importantFormKey, one.importantFormKeyAliases ?? []].flat() : [one];
      const isNamed = typeof names[0] === "string" && names[0] !== "";
      if (isNamed && !names.some((name) => found.has(bareKey(String(name))))) {
        this.#pairs.push({ title: names[0], key: null, value: null, text: "", isPair: true, isBlank: false });
      }
    }
    const lost = this.#pairs.filter(({ key, value }) => key && !value).length;
    if (lost > 0) this.#tell(`${lost} of ${this.#pairs.length} keys have no value block: what is written for them isn't in the answer.`);
  }

  #draw() {
    const boxes = this.#pairs.flatMap((pair, index) => [pair.key, pair.value].map((block) => this.#box(pair, index, block))).filter(Boolean);
    this.part(".over").replaceChildren(...boxes);
    this.part(".pairs").replaceChildren(...this.#pairs.map((pair, index) => this.#card(pair, index)));
    this.#highlight();
  }

  #box(pair, index, block) {
    const { left, top, width, height } = block?.geometry?.boundingBox ?? {};
    const sides = { left, top, width, height };
    if (!Object.values(sides).every((side) => Number.isFinite(Number(side ?? NaN)))) return null;
    const box = make("div", { className: block === pair.key ? "box key" : "box value", title: pair.title });
    for (const [side, share] of Object.entries(sides)) box.style[side] = `${100 * Number(share)}%`;
    box.pair = pair;
    box.addEventListener("click", () => {
      this.#activate(pair);
      this.shadowRoot.querySelectorAll(".pair")[index].querySelector("input").focus();
    });
    return box;
  }

  #card(pair, index) {
    const text = make("input", { className: "text", type: "text", value: pair.text });
    const blank = make("input", { type: "checkbox", checked: pair.isBlank, disabled: this.disabled });
    const card = make("fieldset", { className: "pair" }, make("legend", { textContent: pair.title }));
    const look = () => {
      card.classList.toggle("no", !pair.isPair);
      text.disabled = this.disabled || pair.isBlank;
    };
    text.setAttribute("aria-label", `Value of ${pair.title}`);
    text.addEventListener("input", () => {
      pair.text = text.value;
      this.showProblem("");
    });
    text.addEventListener("change", () => this.announceChange());
    blank.addEventListener("change", () => {
      pair.isBlank = blank.checked;
      look();
      this.announceChange();
    });
    const [yes, no] = pair.key ? ["Yes", "No"] : ["Key found", "Key not found"];
    const choice = (words, isPair) => {
      const box = make("input", { type: "radio", name: `pair-${index}`, checked: pair.isPair === isPair, disabled: this.disabled });
      box.addEventListener("change", () => {
        pair.isPair = isPair;
        look();
        this.announceChange();
      });
      return make("label", {}, box, words);
    };
    const what = make("span", { className: "what", textContent: pair.key ? "Is this a key with its value?" : "Not detected. Is it in the document?" });
    const ask = make("div", { className: "ask" }, what, choice(yes, true), choice(no, false));
    ask.setAttribute("role", "radiogroup");
    ask.setAttribute("aria-label", `${pair.title}: ${what.textContent}`);
    card.append(ask, make("div", { className: "fields" }, text, make("label", { className: "blank" }, blank, "Value is blank")));
    card.pair = pair;
    card.addEventListener("focusin", () => this.#activate(pair));
    look();
    return card;
  }

  #activate(pair) {
    this.#active = pair;
    this.#highlight();
  }

  #highlight() {
    for (const one of this.shadowRoot.querySelectorAll(".box, .pair")) one.classList.toggle("active", one.pair === this.#active);
  }
}

const relatedIds = (block, type) => (Array.isArray(block.relationships) ? block.relationships : [])
  .filter((one) => one?.type === type && Array.isArray(one.ids)).flatMap(({ ids }) => ids);

/** The text of a block, or else of the words that it is made of. */
function textOfBlock(block, blocks) {
  if (typeof block.text === "string") return block.text;
  const ids = new Set(relatedIds(block, "CHILD"));
  return blocks.filter((one) => ids.has(one.id) && typeof one.text === "string").map(({ text }) => text).join(" ");
}

const bareKey = (text) => text.trim().replace(/[:：]\s*$/, "").toLowerCase();

define("crowd-rekognition-detect-moderation-labels", CrowdRekognitionDetectModerationLabels);
define("crowd-textract-analyze-document", CrowdTextractAnalyzeDocument);
