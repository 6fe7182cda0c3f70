// crowd-question-answer-generation: questions about a text, with their answers, tags and the passages that they refer to.

const wordsIn = (text) => (text.match(/\S+/gu) ?? []).length;
const countOf = (text) => (/^\s*\d+\s*$/.test(text) ? parseInt(text, 10) : NaN);

class CrowdQuestionAnswerGeneration extends GenerativeElement {
  static text = ["name", "header", "text", "instructions", "min-questions", "max-questions", "question-min-words", "question-max-words",
    "answer-min-words", "answer-max-words", "question-tags", "initial-value"];
  static flags = ["disabled", "allow-custom-question-tags", "allow-custom-tags"];

  static markup = `
    <div class="frame">
      <section class="main">
        <h2 id="header"></h2>
        <div class="amiss" role="note"></div>
        <p class="instructions"></p>
        <slot name="short-instructions"></slot>
        <div id="text"></div>
        <p class="said" role="status"></p>
        <slot></slot>
        <slot name="full-instructions"></slot>
      </section>
      <aside class="side" aria-label="Questions and answers">
        <div class="pairs"></div>
        <button type="button" class="more">Add a question</button>
        <p class="error" role="alert"></p>
      </aside>
    </div>`;

  static style = css(`
    ${GENERATIVE_STYLE}
    ${MARKED_TEXT_STYLE}
    .marked { margin-top: .8rem; }
    .said { min-height: 1.5em; margin: .5rem 0 0; color: var(--ink-soft); font-size: .92em; }
    .pairs { display: grid; gap: .9rem; }
    .pair { min-width: 0; margin: 0; padding: .5rem .9rem .9rem; border: 1px solid var(--line); border-left: .5rem solid var(--c); border-radius: .55rem; background: var(--surface); }
    legend { padding: 0 .4rem; font-weight: 700; }
    .pair label { display: block; margin: .4rem 0 .2rem; font-weight: 600; }
    .pair textarea, .pair .own {
      display: block; width: 100%; padding: .5rem .65rem; border: 1px solid var(--edge); border-radius: .45rem; background: var(--surface); color: var(--ink);
    }
    .pair ::placeholder { color: var(--ink-soft); opacity: 1; }
    .pair textarea { min-height: 4.2rem; resize: vertical; }
    .words { display: block; color: var(--ink-soft); font-size: .85em; text-align: right; }
    .words.bad { color: var(--bad); font-weight: 600; }
    .tags, .references { display: flex; flex-wrap: wrap; gap: .35rem; margin: .3rem 0; padding: 0; list-style: none; }
    .tags label { display: inline-flex; gap: .4rem; align-items: center; min-height: 2rem; margin: 0; padding: .1rem .7rem; border: 1px solid var(--edge); border-radius: 1rem; font-weight: 400; cursor: pointer; }
    .tags label:has(:checked) { border-color: var(--accent); background: var(--wash); font-weight: 600; }
    .tags input { margin: 0; accent-color: var(--accent); }
    .references li { display: flex; gap: .3rem; align-items: center; max-width: 100%; padding: .1rem .2rem .1rem .6rem; border-radius: .4rem; background: var(--raised); font-size: .92em; }
    .references button { min-width: 1.8rem; min-height: 1.8rem; padding: 0; border: 0; border-radius: .35rem; background: none; cursor: pointer; }
    .references button:hover { background: var(--bad); color: var(--surface); }
    .act { display: flex; flex-wrap: wrap; gap: .4rem; margin-top: .5rem; }
    .act button, .more { min-height: 2.3rem; padding: .25rem .9rem; border: 1px solid var(--edge); border-radius: .45rem; background: var(--surface); cursor: pointer; }
    .act button:hover:enabled, .more:hover:enabled { border-color: var(--accent); background: var(--raised); }
    .act button:disabled, .more:disabled { opacity: .6; cursor: not-allowed; }
    @container (min-width: 56rem) {
      .frame { grid-template-columns: minmax(0, 1fr) minmax(22rem, 45cqw); }
      .main { position: sticky; top: 16px; align-self: start; }
    }
  `);

  #surface = null;
  #tags = [];
  #pairs = []; // {question, answer, tags, references: [{start, end}]} each
  #given = [];
  #drawnOf = null;

  get _submittableValue() {
    const answer = { questionsAndAnswers: this.#filled.map(answerOfPair) };
    if (this.hasAttribute("initial-value")) answer.initialValueModified = !isSame(answer.questionsAndAnswers, this.#given.map(answerOfPair));
    return answer;
  }

  get problem() {
    const [least, most] = [this.#least, this.#most];
    if (this.#filled.length < least) return `Write at least ${least} ${least === 1 ? "question" : "questions"} (${this.#filled.length} so far).`;
    if (this.#filled.length > most) return `Write at most ${most} questions (${this.#filled.length} so far).`;
    for (const [index, pair] of this.#pairs.entries()) {
      if (!isFilled(pair)) continue;
      for (const part of ["question", "answer"]) {
        const wrong = this.#wrongWords(pair, part);
        if (wrong) return `${part === "question" ? "Question" : "Answer"} ${index + 1}: ${wrong}.`;
      }
    }
    return "";
  }

  get #filled() { return this.#pairs.filter(isFilled); }
  get #least() { return countOf(this.minQuestions) >= 0 ? countOf(this.minQuestions) : 1; }
  get #most() { return countOf(this.maxQuestions) >= 1 ? countOf(this.maxQuestions) : Infinity; }

  #limits(part) {
    const [least, most] = [this.getAttribute(`${part}-min-words`), this.getAttribute(`${part}-max-words`)].map((text) => countOf(text ?? ""));
    return [least >= 0 ? least : 1, most >= 1 ? most : Infinity];
  }

  #wrongWords(pair, part) {
    const count = wordsIn(pair[part]);
    const [least, most] = this.#limits(part);
    if (count < least) return `at least ${least} ${least === 1 ? "word" : "words"} (${count} so far)`;
    return count > most ? `at most ${most} ${most === 1 ? "word" : "words"} (${count} so far)` : "";
  }

  #setUp() {
    this.#surface = new MarkedText(this.part("#text"), {
      select: (span) => this.#tellSelection(span),
      press: ({ pair }) => this.shadowRoot.querySelectorAll(".pair textarea")[2 * pair]?.focus(),
      remove: ({ pair, reference }) => this.#change(() => this.#dropReference(this.#pairs[pair], reference)),
    });
    this.part("#text").addEventListener("keydown", (event) => this.#key(event));
    this.part("#text").addEventListener("keyup", (event) => {
      if (event.shiftKey || event.key === "Shift") this.#tellSelection(this.#surface.selection);
    });
    this.part(".more").addEventListener("click", () => {
      this.#change(() => this.#pairs.push(emptyPair()));
      [...this.shadowRoot.querySelectorAll(".pair textarea")].at(-2)?.focus();
    });
    // A button that took the focus would take the selection with it.
    this.part(".side").addEventListener("pointerdown", (event) => { if (event.target.closest(".refer")) event.preventDefault(); });
  }

  update() {
    if (this.#surface === null) this.#setUp();
    this.part("h2").textContent = this.header;
    this.part(".instructions").textContent = this.instructions.replace(/^[ \t]+/gm, "");
    this.part("#text").setAttribute("aria-label", this.header || "The text to ask about");
    const drawnOf = JSON.stringify(["text", "question-tags", "initial-value"].map((name) => this.getAttribute(name)));
    if (this.#drawnOf !== drawnOf) this.#read();
    this.#drawnOf = drawnOf;
    this.#show();
  }

  reset() {
    this.#start(this.#given);
    this.showProblem("");
    this.#show();
  }

  /** Show questions that were given before. */
  restore(value) {
    this.#start(this.#readPairs(value, []));
    this.#show();
  }

  focus() {
    const at = this.#pairs.findIndex((pair) => this.#wrongWords(pair, "question") || this.#wrongWords(pair, "answer"));
    const boxes = this.shadowRoot.querySelectorAll(".pair textarea");
    if (at < 0) this.part(".more").focus();
    else boxes[2 * at + (this.#wrongWords(this.#pairs[at], "question") ? 0 : 1)].focus();
  }

  #read() {
    const [tags, wrong] = readLiteralList(this, "question-tags");
    const notes = wrong ? [wrong] : [];
    this.#tags = [...new Set((tags ?? []).filter((tag) => typeof tag === "string" || typeof tag === "number").map(String))];
    if (tags && this.#tags.length < tags.length) notes.push(`${tags.length - this.#tags.length} of ${tags.length} question-tags are there twice or no text, and are left out.`);
    this.#surface.text = "";
    const asked = this.getAttribute("text");
    const begin = (text) => {
      this.#surface.text = text;
      this.#given = this.#readPairs(this.#givenValue(notes), notes);
      this.#start(this.#given);
      this.tellAmiss(notes);
    };
    if (isAddress(asked)) this.#fetch(asked, begin, notes);
    else {
      if (!asked) notes.push("There is no text to ask about: text is empty.");
      begin(asked ?? "");
    }
  }

  async #fetch(asked, begin, notes) {
    try {
      const text = await this.readText();
      if (asked !== this.getAttribute("text")) return;
      begin(text);
    } catch (error) {
      notes.push(error.message);
      begin("");
    }
    this.#show();
  }

  #givenValue(notes) {
    const text = this.getAttribute("initial-value")?.trim();
    if (!text) return undefined;
    try {
      return readLiteral(text);
    } catch (error) {
      notes.push(`initial-value can't be read: ${error.message}.`);
      return undefined;
    }
  }

  /** Pairs in an answer's form; what doesn't fit is left out and told. */
  #readPairs(value, notes) {
    const given = isObject(value) && Array.isArray(value.questionsAndAnswers) ? value.questionsAndAnswers : [];
    const { length } = this.#surface;
    let outside = 0;
    const pairs = given.filter((one) => isObject(one)).map((one) => {
      const spans = (Array.isArray(one.references) ? one.references : []).map((span) => ({ start: span?.startOffset, end: span?.endOffset }));
      const references = spans.filter(({ start, end }) => Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= length);
      outside += spans.length - references.length;
      const tags = (Array.isArray(one.questionTags) ? one.questionTags : []).map(String);
      return { question: String(one.question ?? ""), answer: String(one.answer ?? ""), tags, references };
    });
    if (outside > 0) notes.push(`${outside} given references are no passages of a text of ${length} characters, and are left out.`);
    return pairs;
  }

  #start(pairs) {
    this.#pairs = pairs.map((pair) => ({ ...pair, tags: [...pair.tags], references: [...pair.references] }));
    while (this.#pairs.length < Math.min(Math.max(this.#least, 1), 20)) this.#pairs.push(emptyPair());
  }

  // -- what the worker does

  #change(act) {
    if (this.disabled) return;
    act();
    this.#show();
    this.announceChange();
  }

  #tellSelection(span) {
    if (span) this.#say(`“${cut(this.#surface.slice(span), 40)}” is selected: add it to a question${this.#pairs.length ? ", or press the question's number" : ""}.`);
  }

  #refer(pair) {
    const span = this.#surface.selection;
    if (!span) {
      this.#say("Select a passage of the text first.");
      return;
    }
    const isThere = pair.references.some(({ start, end }) => start === span.start && end === span.end);
    if (!isThere) this.#change(() => { pair.references = [...pair.references, span].sort((a, b) => a.start - b.start || a.end - b.end); });
    this.#say(`Question ${this.#pairs.indexOf(pair) + 1} refers to “${cut(this.#surface.slice(span), 40)}”.`);
  }

  #dropReference(pair, reference) { pair.references = pair.references.filter((one) => one !== reference); }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !/^[1-9]$/.test(event.key)) return;
    const pair = this.#pairs[Number(event.key) - 1];
    if (!pair || this.disabled) return;
    event.preventDefault();
    this.#refer(pair);
  }

  // -- what is shown

  #show() {
    const place = this.part("#text");
    const { scrollTop } = place;
    this.#surface.draw(this.#pairs.flatMap(({ references }, index) => references.map((reference) => ({
      ...reference, colour: textColour(index), tag: `${index + 1}`, title: `Question ${index + 1}`, pair: index, reference,
    }))));
    place.scrollTop = scrollTop;
    this.part(".pairs").replaceChildren(...this.#pairs.map((pair, index) => this.#card(pair, index)));
    this.part(".more").hidden = this.#pairs.length >= this.#most;
    this.part(".more").disabled = this.disabled;
  }

  #card(pair, index) {
    const remove = make("button", { type: "button", textContent: "Remove the question", disabled: this.disabled });
    remove.addEventListener("click", () => this.#change(() => {
      this.#pairs = this.#pairs.filter((one) => one !== pair);
      if (this.#pairs.length === 0) this.#pairs.push(emptyPair());
    }));
    const refer = make("button", { type: "button", className: "refer", textContent: "Add the selected passage", disabled: this.disabled });
    refer.addEventListener("click", () => this.#refer(pair));
    const card = make("fieldset", { className: "pair" },
      make("legend", { textContent: `Question ${index + 1}` }),
      ...this.#box(pair, index, "question"), ...this.#box(pair, index, "answer"),
      ...this.#tagFields(pair, index),
      make("ul", { className: "references" }, ...pair.references.map((reference) => this.#reference(pair, reference))),
      make("div", { className: "act" }, refer, remove));
    card.style.setProperty("--c", textColour(index));
    return card;
  }

  #box(pair, index, part) {
    const id = `${part}-${index}`;
    const box = make("textarea", { id, value: pair[part], disabled: this.disabled });
    const words = make("span", { className: "words" });
    const count = () => {
      const [least, most] = this.#limits(part);
      const limit = most === Infinity ? "at least" : `to ${most}`;
      words.textContent = `${wordsIn(pair[part])} words, ${least} ${limit}`;
      words.classList.toggle("bad", pair[part] !== "" && this.#wrongWords(pair, part) !== "");
    };
    count();
    box.addEventListener("input", () => {
      pair[part] = box.value;
      this.showProblem(""); // now, not as the box is left: what moves then moves the button that is being pressed
      count();
    });
    box.addEventListener("change", () => this.announceChange());
    return [make("label", { htmlFor: id, textContent: part === "question" ? "Question" : "Answer" }), box, words];
  }

  #tagFields(pair, index) {
    const isOwn = this.allowCustomQuestionTags || this.allowCustomTags;
    const tags = [...new Set([...this.#tags, ...pair.tags])];
    if (tags.length === 0 && !isOwn) return [];
    const boxes = tags.map((tag) => {
      const box = make("input", { type: "checkbox", value: tag, checked: pair.tags.includes(tag), disabled: this.disabled });
      box.addEventListener("change", () => {
        pair.tags = tags.filter((one) => (one === tag ? box.checked : pair.tags.includes(one)));
        this.announceChange();
      });
      return make("label", {}, box, tag);
    });
    const group = make("div", { className: "tags" }, ...boxes);
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", `Tags of question ${index + 1}`);
    return isOwn ? [group, this.#ownTag(pair)] : [group];
  }

  #ownTag(pair) {
    const box = make("input", { className: "own", placeholder: "Another tag, then Enter", maxLength: 100, disabled: this.disabled });
    box.setAttribute("aria-label", "Another tag");
    const take = () => {
      const tag = box.value.trim();
      if (tag !== "" && !pair.tags.includes(tag)) this.#change(() => pair.tags.push(tag));
    };
    box.addEventListener("change", take);
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
      event.preventDefault();
      take();
      this.shadowRoot.querySelectorAll(".own")[this.#pairs.indexOf(pair)]?.focus();
    });
    return box;
  }

  #reference(pair, reference) {
    const passage = cut(this.#surface.slice(reference), 60);
    const cross = make("button", { type: "button", textContent: "✕", disabled: this.disabled });
    cross.setAttribute("aria-label", `Remove the reference to ${passage}`);
    cross.addEventListener("click", () => this.#change(() => this.#dropReference(pair, reference)));
    return make("li", {}, `“${passage}”`, cross);
  }

  #say(text) { this.part(".said").textContent = text; }
}

const emptyPair = () => ({ question: "", answer: "", tags: [], references: [] });
const isFilled = ({ question, answer, tags, references }) => question.trim() !== "" || answer.trim() !== "" || tags.length > 0 || references.length > 0;
const isAddress = (text) => /^\s*(https?|s3):\/\/\S+\s*$/.test(text ?? "");

const answerOfPair = ({ question, answer, tags, references }) => ({
  question: question.trim(), answer: answer.trim(), questionTags: tags,
  references: references.map(({ start, end }) => ({ startOffset: start, endOffset: end })),
});

define("crowd-question-answer-generation", CrowdQuestionAnswerGeneration);
