// What templates write into attributes: JSON, or JavaScript with single quotes, bare keys and trailing commas.

const DEEPEST_VALUE = 100;

/** Read a value; a SyntaxError says what was expected, and where. */
function parseLoose(text) {
  try {
    return JSON.parse(text);
  } catch {
    return new LooseReader(text).read();
  }
}

class LooseReader {
  #text;
  #at = 0;
  #depth = 0;

  constructor(text) { this.#text = text; }

  read() {
    const value = this.#value();
    if (this.#next() !== "") this.#expect("nothing more");
    return value;
  }

  #value() {
    const first = this.#next();
    if (first === "[") return this.#nested(() => this.#list());
    if (first === "{") return this.#nested(() => this.#object());
    if (first === "'" || first === '"') return this.#quoted();
    return this.#bare();
  }

  #nested(read) {
    this.#depth += 1;
    if (this.#depth > DEEPEST_VALUE) this.#expect(`at most ${DEEPEST_VALUE} levels`);
    this.#at += 1;
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #list() {
    const items = [];
    while (!this.#ends("]")) {
      items.push(this.#value());
      this.#separates("]");
    }
    return items;
  }

  #object() {
    const members = [];
    while (!this.#ends("}")) {
      const key = String(/['"]/.test(this.#next()) ? this.#quoted() : this.#match(/[\w$-]+/y, "a key"));
      if (this.#next() !== ":") this.#expect("“:”");
      this.#at += 1;
      members.push([key, this.#value()]);
      this.#separates("}");
    }
    return Object.fromEntries(members);
  }

  #quoted() {
    const literal = this.#match(/'(?:\\[^]|[^'\\])*'|"(?:\\[^]|[^"\\])*"/y, "the end of a quoted text");
    return literal.slice(1, -1).replace(/\\u([0-9a-f]{4})|\\([^])/gi, unescaped);
  }

  #bare() {
    const word = this.#match(/[^,\][{}:'"\n]+/y, "a value").trim();
    if (/^(null|undefined|None)$/.test(word)) return null;
    if (/^(true|false)$/i.test(word)) return word.toLowerCase() === "true";
    return word !== "" && Number.isFinite(Number(word)) ? Number(word) : word;
  }

  /** The next character that isn't space; empty at the end. */
  #next() {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at += 1;
    return this.#text[this.#at] ?? "";
  }

  #ends(bracket) {
    if (this.#next() !== bracket) return false;
    this.#at += 1;
    return true;
  }

  #separates(bracket) {
    const next = this.#next();
    if (next === ",") this.#at += 1;
    else if (next !== bracket) this.#expect(`“,” or “${bracket}”`);
  }

  #match(pattern, expected) {
    this.#next();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (!found) this.#expect(expected);
    this.#at = pattern.lastIndex;
    return found[0];
  }

  #expect(what) {
    throw new SyntaxError(`at character ${this.#at + 1} ${what} was expected, not “${this.#text.slice(this.#at, this.#at + 20)}”`);
  }
}

/** A value as a person can read it in a message. */
function shown(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/**
 * Read the labels that a page gives.
 *
 * @returns names, each once, in their order; and remarks on what was wrong with them.
 */
function readLabels(attribute) {
  if ((attribute ?? "").trim() === "") return { names: [], remarks: ["The page gives no labels: its attribute labels is missing or empty."] };
  const expected = 'expected was an array of texts, such as ["Car", "Bus"]';
  let given;
  try {
    given = parseLoose(attribute);
  } catch (error) {
    return { names: [], remarks: [`The labels can't be read: ${error.message}; ${expected}.`] };
  }
  if (typeof given === "string" || typeof given === "number") {
    return { names: [String(given)], remarks: [`labels is the text “${shown(given)}”; ${expected}. It is taken as one label.`] };
  }
  if (!Array.isArray(given)) return { names: [], remarks: [`labels is ${shown(given)}; ${expected}.`] };
  return tidied(given, expected);
}

function tidied(given, expected) {
  const names = new Set();
  const remarks = [];
  for (const item of given) {
    const name = labelName(item);
    if (name === "") remarks.push(`labels holds ${shown(item)}, which is no label; ${expected}.`);
    else if (names.has(name)) remarks.push(`The label “${shown(name)}” is there twice; it is shown once.`);
    else names.add(name);
  }
  if (given.length === 0) remarks.push(`labels is empty; ${expected}.`);
  return { names: [...names], remarks };
}

function labelName(item) {
  const name = isObject(item) ? item.label ?? item.name : item;
  return typeof name === "string" || typeof name === "number" ? String(name).trim() : "";
}
