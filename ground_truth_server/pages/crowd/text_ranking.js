// crowd-text-ranking: responses to a prompt, ranked by one or more dimensions.

/** The dimensions to rank by: `{name, allowTie}` each, and what is wrong with them, in words. */
function readDimensions(element) {
  const [list, wrong] = readLiteralList(element, "ordinal-ranking-dimensions");
  if (list === null) return [[], [wrong]];
  const dimensions = new Map();
  let unfit = 0;
  for (const one of list) {
    const name = isObject(one) ? one.name : one;
    if (typeof name !== "string" || name === "" || dimensions.has(name)) unfit += 1;
    else dimensions.set(name, { name, allowTie: one.allowTie === true || one.allowTie === "true" });
  }
  const notes = [];
  if (dimensions.size === 0) notes.push("There is nothing to rank by: ordinal-ranking-dimensions holds no dimension with a name.");
  if (unfit > 0) notes.push(`${unfit} of ${list.length} dimensions have no name of their own, and are left out.`);
  return [[...dimensions.values()], notes];
}

class CrowdTextRanking extends GenerativeElement {
  static text = ["name", "header", "text", "responses", "ordinal-ranking-dimensions", "instructions", "initial-value"];
  static flags = ["disabled"];

  static markup = `
    <div class="frame">
      <section class="main">
        <h2 id="header"></h2>
        <div class="amiss" role="note"></div>
        <div class="prompt" tabindex="0" role="region" aria-label="Prompt"></div>
        <div class="responses"></div>
        <slot></slot>
      </section>
      <aside class="side" aria-label="Ranking">
        <p class="instructions"></p>
        <slot name="short-instructions"></slot>
        <div class="dimensions"></div>
        <p class="error" role="alert"></p>
        <slot name="full-instructions"></slot>
      </aside>
    </div>`;

  static style = css(`
    ${GENERATIVE_STYLE}
    .prompt, .response p { overflow-wrap: anywhere; white-space: pre-wrap; }
    .prompt { max-height: 30vh; padding: .8rem 1rem; border: 1px solid var(--line); border-radius: .55rem; background: var(--raised); overflow: auto; }
    .responses { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); margin-top: .9rem; align-items: start; }
    .response { padding: .8rem 1rem; border: 1px solid var(--line); border-radius: .55rem; background: var(--surface); }
    .response h2 { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; margin: 0 0 .4rem; font-size: 1rem; }
    .response p { margin: 0; }
    .chip { padding: 0 .5em; border-radius: 1em; background: var(--wash); font-size: .82em; font-weight: 600; }
    fieldset { margin: 0 0 1rem; padding: .6rem .8rem .8rem; border: 1px solid var(--line); border-radius: .55rem; }
    fieldset.bad { border-color: var(--bad); }
    legend { padding: 0 .3rem; font-weight: 700; }
    .rule { margin: 0 0 .4rem; color: var(--ink-soft); font-size: .88em; }
    .row { display: flex; flex-wrap: wrap; gap: .2rem .6rem; align-items: center; padding: .2rem 0; }
    .row .of { flex: 1; min-width: 7rem; }
    .ranks { display: flex; flex-wrap: wrap; gap: .25rem; }
    .rank { position: relative; display: grid; place-items: center; width: 2.4rem; height: 2.4rem; border: 1.5px solid var(--edge); border-radius: .45rem; background: var(--surface); cursor: pointer; }
    .rank:hover { border-color: var(--accent); background: var(--raised); }
    .rank:has(:checked) { border-color: var(--accent); background: var(--accent); color: var(--on-accent); font-weight: 700; }
    @media (forced-colors: active) { .rank:has(:checked) { background: Highlight; color: HighlightText; forced-color-adjust: none; } }
    .rank:has(:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; }
    .rank:has(:disabled) { opacity: .6; cursor: not-allowed; }
    .rank input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: inherit; }
    @container (min-width: 56rem) {
      .frame { grid-template-columns: minmax(0, 1fr) clamp(19rem, 32cqw, 26rem); }
      .side { position: sticky; top: 16px; max-height: calc(100vh - 6rem); overflow-y: auto; padding: 4px; align-self: start; }
    }
  `);

  #dimensions = [];
  #responses = [];
  #ranks = []; // of each dimension, the rank of each response, null for none yet
  #given = null;
  #drawnOf = null;

  get _submittableValue() {
    const answer = {
      ordinalRankingDimensions: this.#dimensions.map((dimension, index) => ({ ...dimension, responseRankings: [...this.#ranks[index]] })),
    };
    if (this.hasAttribute("initial-value")) answer.initialValueModified = !isSame(this.#ranks, this.#given);
    return answer;
  }

  get problem() {
    if (this.#responses.length === 0) return "";
    const lacking = this.#dimensions.map(({ name }, index) => [name, this.#ranks[index].filter((rank) => rank === null).length]).filter(([, count]) => count > 0);
    const left = lacking.map(([name, count]) => `${name} (${count} left)`).join(", ");
    return left === "" ? "" : `Give each response a rank: ${left}.`;
  }

  update() {
    this.part("h2").textContent = this.header;
    this.part(".instructions").textContent = this.instructions;
    const drawnOf = JSON.stringify(["text", "responses", "ordinal-ranking-dimensions", "initial-value"].map((name) => this.getAttribute(name)));
    if (this.#drawnOf !== drawnOf) this.#read();
    this.#drawnOf = drawnOf;
    this.#show();
  }

  reset() {
    this.#ranks = this.#given.map((ranks) => [...ranks]);
    this.showProblem("");
    this.#show();
  }

  /** Show ranks that were given before. */
  restore(value) {
    this.#ranks = this.#readRanks(value);
    this.#show();
  }

  showProblem(problem) {
    super.showProblem(problem);
    this.shadowRoot.querySelectorAll("fieldset").forEach((field, index) => {
      field.classList.toggle("bad", problem !== "" && this.#ranks[index].includes(null));
    });
  }

  focus() {
    const wanting = this.#ranks.findIndex((ranks) => ranks.includes(null));
    const row = Math.max(this.#ranks[wanting]?.indexOf(null) ?? 0, 0);
    this.shadowRoot.querySelectorAll("fieldset")[Math.max(wanting, 0)]?.querySelectorAll(".row")[row]?.querySelector("input")?.focus();
  }

  #read() {
    const [dimensions, notes] = readDimensions(this);
    const [responses, wrong] = readLiteralList(this, "responses");
    if (wrong) notes.push(wrong);
    else if (responses.length === 0) notes.push("There is nothing to rank: responses is empty, and a JSON array of texts was expected.");
    this.#dimensions = dimensions;
    this.#responses = (responses ?? []).map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
    this.#given = this.#readRanks(this.#givenValue(notes));
    this.#ranks = this.#given.map((ranks) => [...ranks]);
    this.tellAmiss(notes);
    const asked = this.text;
    this.readText().then(
      (text) => { if (asked === this.text) this.part(".prompt").textContent = text; },
      (error) => this.tellAmiss([...notes, error.message]),
    );
    this.part(".prompt").hidden = this.text === "";
    this.part(".responses").replaceChildren(...this.#responses.map((text, index) => make("article", { className: "response" },
      make("h2", {}, `Response ${index + 1}`, make("span", { className: "chips" })), make("p", { textContent: text }))));
    this.part(".dimensions").replaceChildren(...dimensions.map((dimension, index) => this.#field(dimension, index)));
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

  /** The ranks in an answer's form; null where there is none that fits. */
  #readRanks(value) {
    const given = isObject(value) && Array.isArray(value.ordinalRankingDimensions) ? value.ordinalRankingDimensions : [];
    const most = this.#responses.length;
    return this.#dimensions.map(({ name, allowTie }) => {
      const ranks = given.find((one) => isObject(one) && one.name === name)?.responseRankings;
      const taken = new Set();
      return this.#responses.map((_, index) => {
        const rank = Array.isArray(ranks) ? ranks[index] : null;
        const fits = Number.isInteger(rank) && rank >= 1 && rank <= most && (allowTie || !taken.has(rank));
        if (fits) taken.add(rank);
        return fits ? rank : null;
      });
    });
  }

  #field({ name, allowTie }, dimension) {
    const rule = `1 is best. ${allowTie ? "Responses may share a rank." : "Each rank is for one response."}`;
    const rows = this.#responses.map((text, response) => this.#row(name, dimension, response));
    return make("fieldset", {}, make("legend", { textContent: name }), make("p", { className: "rule", textContent: rule }), ...rows);
  }

  #row(name, dimension, response) {
    const ranks = this.#responses.map((_, index) => {
      const input = make("input", { type: "radio", name: `${dimension}-${response}`, value: String(index + 1) });
      input.setAttribute("aria-label", `${index + 1}`);
      input.addEventListener("change", () => this.#rank(dimension, response, index + 1));
      return make("label", { className: "rank" }, input, make("span", { textContent: String(index + 1) }));
    });
    const group = make("div", { className: "ranks" }, ...ranks);
    group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-label", `${name}: response ${response + 1}`);
    group.addEventListener("keydown", (event) => this.#key(event, group));
    return make("div", { className: "row" }, make("span", { className: "of", textContent: `Response ${response + 1}` }), group);
  }

  /** Digits rank the response whose row has the focus, and go on to the next. */
  #key(event, group) {
    if (event.ctrlKey || event.metaKey || event.altKey || !/^[1-9]$/.test(event.key)) return;
    event.preventDefault();
    const box = group.querySelectorAll("input")[Number(event.key) - 1];
    if (!box || box.disabled) return;
    box.click();
    const groups = [...this.shadowRoot.querySelectorAll(".ranks")];
    const next = groups[groups.indexOf(group) + 1] ?? group;
    (next.querySelector(":checked") ?? next.querySelector("input")).focus();
  }

  /** Give a rank. Where no two may share it, the response that had it gets this one's in return. */
  #rank(dimension, response, rank) {
    const ranks = this.#ranks[dimension];
    const other = this.#dimensions[dimension].allowTie ? -1 : ranks.indexOf(rank);
    if (other >= 0 && other !== response) ranks[other] = ranks[response];
    ranks[response] = rank;
    this.#show();
    this.announceChange();
  }

  #show() {
    this.shadowRoot.querySelectorAll("fieldset").forEach((field, dimension) => {
      field.querySelectorAll(".row").forEach((row, response) => {
        row.querySelectorAll("input").forEach((box, index) => {
          box.checked = this.#ranks[dimension][response] === index + 1;
          box.disabled = this.disabled;
        });
      });
    });
    this.shadowRoot.querySelectorAll(".chips").forEach((chips, response) => {
      chips.replaceChildren(...this.#dimensions.flatMap(({ name }, index) => {
        const rank = this.#ranks[index][response];
        return rank === null ? [] : [make("span", { className: "chip", textContent: `${name} ${rank}` }), " "];
      }));
    });
  }
}

define("crowd-text-ranking", CrowdTextRanking);
