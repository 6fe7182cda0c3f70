// The four classifiers: something to look at, and categories as large buttons that the keys 1–9 choose.

const CLASSIFIERS = "crowd-classifier, crowd-classifier-multi-select, crowd-image-classifier, "
  + "crowd-image-classifier-multi-select, crowd-rekognition-detect-moderation-labels, crowd-entity-annotation";

class Classifier extends AnsweringElement {
  static text = ["name", "header", "categories", "src", "overlay", "exclusion-category"];
  static flags = ["disabled"];
  static regions = ["classification-target", "short-instructions", "full-instructions", "worker-comment"];
  static kind = "radio";

  // Pages reach for some parts of AWS's element: by its names they find the same of this one.
  static markup = `
    <div class="frame annotation-area">
      <section class="main">
        <h2 id="header"></h2>
        ${OVERLAY_MARKUP}
        <slot name="classification-target"></slot>
        <slot></slot>
      </section>
      <aside class="side awsui-app-layout__navigation">
        <div class="category-picker-wrapper"><div class="choices"></div></div>
        <p class="error" role="alert"></p>
        <slot name="worker-comment"></slot>
        <slot name="short-instructions"></slot>
        <div class="awsui-modal-dialog"><slot name="full-instructions"></slot></div>
      </aside>
    </div>`;

  static style = css(`
    :host { display: block; container-type: inline-size; }
    .frame { display: grid; gap: 1rem; }
    h2 { margin: 0 0 .75rem; font-size: 1.25rem; line-height: 1.3; text-wrap: balance; }
    h2:empty { display: none; }
    ${OVERLAY_STYLE}
    .awsui-modal-dialog { display: contents; }
    .side { display: flex; flex-direction: column; gap: .75rem; min-width: 0; }
    .choices { display: grid; gap: .4rem; grid-template-columns: repeat(auto-fill, minmax(min(12.5rem, 100%), 1fr)); }
    .choice {
      position: relative; display: flex; gap: .7rem; align-items: center; min-height: 2.9rem; padding: .35rem .8rem .35rem .6rem;
      border: 1.5px solid var(--line); border-radius: .55rem; background: var(--surface); color: var(--ink);
      cursor: pointer; overflow-wrap: break-word;
    }
    .choice .name { min-width: 0; }
    .choice:hover { border-color: var(--accent); background: var(--raised); }
    .choice input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: inherit; }
    .choice:has(:checked) { border-color: var(--accent); background: var(--wash); box-shadow: inset 0 0 0 1px var(--accent); font-weight: 600; }
    .choice:has(:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; }
    .choice:has(:disabled) { color: var(--ink-soft); cursor: not-allowed; }
    .choice kbd, .choice .blank { flex: none; width: 1.6em; }
    .choice:has(:checked) kbd { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
    .choice .tick { margin-left: auto; visibility: hidden; color: var(--accent); font-weight: 700; }
    .choice:has(:checked) .tick { visibility: visible; }
    .exclusion { grid-column: 1 / -1; border-style: dashed; }
    :host([data-invalid]) .choice { border-color: var(--bad); }
    @container (min-width: 52rem) {
      .frame { grid-template-columns: minmax(0, 1fr) auto; }
      .side { width: clamp(15rem, 24cqw, 20rem); max-width: 50cqw; position: sticky; top: 16px; max-height: calc(100vh - 6rem); overflow-y: auto; padding: 4px; align-self: start; }
      .choices { grid-template-columns: 1fr; }
    }
  `);

  /** The categories, as the template wrote them. */
  get categories() { return parseList(this.getAttribute("categories")); }
  set categories(list) { this.setAttribute("categories", typeof list === "string" ? list : JSON.stringify(list)); }

  get boxes() { return [...this.shadowRoot.querySelectorAll(".choice input")]; }

  /** The chosen categories, in the order in which they stand. */
  get chosen() { return this.boxes.filter((box) => box.checked).map((box) => box.value); }

  /** The answer; as a text it is its category, which pages look up what to ask next by. */
  get value() {
    const answer = this._submittableValue ?? {};
    return Object.defineProperty(answer, "toString", { value: () => this.chosen.join() });
  }

  get _submittableValue() {
    const [label] = this.chosen;
    return label === undefined ? undefined : { label, ...this.comment };
  }

  get comment() {
    const comment = this.querySelector("worker-comment")?.value?.trim();
    return comment ? { workerComment: comment } : {};
  }

  get problem() {
    return this.chosen.length === 0 && this.boxes.length > 0 ? "Choose a category." : "";
  }

  #drawn = null;
  #picture = null;
  #pictured = null;

  update() {
    this.part("h2").textContent = this.header;
    this.#picture ??= new OverlaidPicture(this);
    const pictured = JSON.stringify([this.src, this.header, this.overlay]);
    if (this.#pictured !== pictured) this.#picture.show(this.src, this.header || "The image to classify", this.overlay);
    this.#pictured = pictured;
    const wanted = this.getAttribute("categories") + this.exclusionCategory;
    if (this.#drawn !== wanted) this.#draw();
    this.#drawn = wanted;
    this.part(".choices").setAttribute("aria-label", this.header || "Categories");
    for (const box of this.boxes) box.disabled = this.disabled;
  }

  reset() {
    for (const box of this.boxes) box.checked = false;
    this.showProblem("");
  }

  /** Choose again what was chosen before; what a page sends is looked at as if anybody had sent it. */
  restore(value) {
    const labels = isObject(value) ? [value.label, value.labels].flat() : [];
    for (const box of this.boxes) box.checked = labels.includes(box.value);
    const comment = this.querySelector("worker-comment");
    if (comment && typeof value?.workerComment === "string") comment.value = value.workerComment;
    this.showProblem("");
  }

  focus() { (this.boxes.find((box) => box.checked) ?? this.boxes[0])?.focus(); }

  /** Choose the nth category, counted from 1; false if there is none. */
  choose(nth) {
    const box = this.boxes[nth - 1];
    if (!box || box.disabled) return false;
    box.focus();
    box.click();
    return true;
  }

  /** After a choice, for what one choice means to the others. */
  settle() {}

  #draw() {
    const { kind } = this.constructor;
    const choices = this.part(".choices");
    choices.setAttribute("role", kind === "radio" ? "radiogroup" : "group");
    choices.replaceChildren(...this.categories.map((category, index) => this.#choice(category, index)));
    const excluding = exclusionText(this.exclusionCategory);
    if (excluding) {
      const choice = this.#choice(excluding, this.categories.length);
      choice.classList.add("exclusion");
      choices.append(choice);
    }
  }

  #choice(category, index) {
    const box = make("input", { type: this.constructor.kind, name: "category", value: category });
    box.setAttribute("aria-label", category);
    box.addEventListener("change", () => {
      this.settle(box);
      this.announceChange();
    });
    const hint = make(index < 9 ? "kbd" : "span", { className: "blank", textContent: index < 9 ? String(index + 1) : "" });
    const tick = make("span", { className: "tick", textContent: "✓" });
    hint.setAttribute("aria-hidden", "true");
    tick.setAttribute("aria-hidden", "true");
    return make("label", { className: "choice" }, box, hint, make("span", { className: "name", textContent: category }), tick);
  }
}

class MultiClassifier extends Classifier {
  static kind = "checkbox";

  get _submittableValue() { return { labels: this.chosen, ...this.comment }; }

  get problem() {
    return this.chosen.length === 0 && this.boxes.length > 0 ? "Choose at least one category." : "";
  }

  /** "None of the above" and the categories rule each other out. */
  settle(box) {
    if (!box.checked || !exclusionText(this.exclusionCategory)) return;
    const excluding = this.boxes.at(-1);
    for (const other of this.boxes) {
      if (other !== box && (box === excluding || other === excluding)) other.checked = false;
    }
  }
}

/** The text in `{ text: 'None of the above' }`, JSON or not, or a bare text. */
function exclusionText(attribute) {
  if (!/^\s*[{"'[]/.test(attribute)) return attribute.trim();
  const [, single, double] = /text["']?\s*:\s*(?:'([^']*)'|"([^"]*)")/.exec(attribute) ?? [];
  return single ?? double ?? "";
}

define("crowd-classifier", class extends Classifier {});
define("crowd-classifier-multi-select", class extends MultiClassifier {});
define("crowd-image-classifier", class extends Classifier {});
define("crowd-image-classifier-multi-select", class extends MultiClassifier {});
