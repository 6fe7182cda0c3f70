// Values as templates write them into attributes: JSON, or JavaScript with single quotes, bare keys and trailing commas.

const WORDS = { true: true, false: false, null: null, undefined: null, True: true, False: false, None: null };
const DEEPEST = 64;

/** Read a value written as JSON or JavaScript; throws a SyntaxError that says where it ends to be one. */
function readLiteral(text) {
  try {
    return JSON.parse(text);
  } catch {
    return new LiteralReader(text).whole();
  }
}

class LiteralReader {
  #text;
  #at = 0;
  #depth = 0;

  constructor(text) { this.#text = text; }

  whole() {
    const value = this.#value();
    this.#skip();
    if (this.#at < this.#text.length) throw this.#error("the end");
    return value;
  }

  #value() {
    this.#skip();
    const next = this.#text[this.#at];
    if (next === "{") return this.#deeper(() => Object.fromEntries(this.#list("}", () => this.#entry())));
    if (next === "[") return this.#deeper(() => this.#list("]", () => this.#value()));
    if (/["'`]/.test(next ?? "")) return this.#string();
    const number = this.#match(/[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w$])/y);
    if (number !== undefined) return Number(number);
    const word = this.#match(/[\p{L}_$][\p{L}\p{N}_$-]*/uy);
    if (word === undefined) throw this.#error("a value");
    return Object.hasOwn(WORDS, word) ? WORDS[word] : word;
  }

  #deeper(read) {
    this.#depth += 1;
    if (this.#depth > DEEPEST) throw new SyntaxError(`it is nested more than ${DEEPEST} levels deep`);
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #list(end, item) {
    const items = [];
    this.#at += 1;
    for (;;) {
      this.#skip();
      if (this.#take(end)) return items;
      items.push(item());
      this.#skip();
      if (this.#take(",")) continue;
      if (this.#take(end)) return items;
      throw this.#error(`a comma or ${end}`);
    }
  }

  #entry() {
    const key = /["'`]/.test(this.#text[this.#at] ?? "") ? this.#string() : this.#match(/[\p{L}\p{N}_$][\p{L}\p{N}_$-]*/uy);
    if (key === undefined) throw this.#error("a key");
    this.#skip();
    if (!this.#take(":")) throw this.#error("a colon");
    return [key, this.#value()];
  }

  #string() {
    const quote = this.#text[this.#at];
    const start = this.#at;
    this.#at += 1;
    let read = "";
    while (this.#at < this.#text.length) {
      const one = this.#text[this.#at];
      this.#at += 1;
      if (one === quote) return read;
      read += one === "\\" ? this.#escape() : one;
    }
    this.#at = start;
    throw this.#error(`a closing ${quote}`);
  }

  #escape() {
    const code = this.#match(/u\{[0-9a-f]{1,6}\}|u[0-9a-f]{4}|x[0-9a-f]{2}/iy);
    if (code) return String.fromCodePoint(Math.min(parseInt(code.replace(/[ux{}]/gi, ""), 16), 0x10ffff));
    const one = this.#text[this.#at] ?? "";
    this.#at += 1;
    return { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", v: "\v", 0: "\0", "\n": "" }[one] ?? one;
  }

  #skip() { this.#match(/(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)+/y); }

  #take(text) {
    const is = this.#text.startsWith(text, this.#at);
    if (is) this.#at += text.length;
    return is;
  }

  #match(pattern) {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #error(expected) {
    const found = this.#at < this.#text.length ? `‘${[...this.#text.slice(this.#at, this.#at + 24)].slice(0, 12).join("")}’` : "the end";
    return new SyntaxError(`${expected} was expected at character ${this.#at + 1}, where ${found} is`);
  }
}

/** Read a list from an attribute: the list, or null and what is wrong in words for who wrote the page. */
function readLiteralList(element, attribute) {
  const text = (element.getAttribute(attribute) ?? "").trim();
  if (text === "") return [[], ""];
  try {
    const value = readLiteral(text);
    if (Array.isArray(value)) return [value, ""];
    return [null, `${attribute} isn't a list: ${kindOf(value)} was found, and a JSON array was expected.`];
  } catch (error) {
    return [null, `${attribute} can't be read as a JSON array: ${error.message}.`];
  }
}

function kindOf(value) {
  if (isObject(value)) return "an object";
  return typeof value === "string" ? `the text ‘${cut(value, 24)}’` : String(value);
}

/** The beginning of a text, if it is long. */
function cut(text, most) {
  const characters = [...text];
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : text;
}

const SETTLED = 500; // milliseconds, after which a page's scripts have done their part

/** An element as its page's author knows it. */
function tagOf(element) {
  const name = element.getAttribute("name");
  return name ? `<${element.localName} name="${name}">` : `<${element.localName}>`;
}

/** Tell the job's owner what an element can't show as the page gave it, if the worker still sees it there. */
function tellOwnerOf(element, notes) {
  setTimeout(() => {
    for (const note of notes.filter((one) => element.isConnected && element.shadowRoot.textContent.includes(one))) {
      document.dispatchEvent(new CustomEvent("crowd-trouble", { detail: `${tagOf(element)}: ${note}` }));
    }
  }, SETTLED);
}
