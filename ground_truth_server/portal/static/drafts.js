// What a worker has entered and not submitted, kept in the browser under the portal's own origin, by data object: a reload
// doesn't lose it, and when a task's time is up it waits for the object to come back. What a worker page sends is
// somebody else's: it is kept as data and handed back to such a page, never shown as markup.

const NAME = "draft: ";
const LONGEST = 2_000_000; // characters; browsers keep some five million for all
const OLDEST = 30 * 24 * 3600 * 1000; // milliseconds

export class Drafts {
  #worker; #job;

  constructor(worker, job) {
    this.#worker = worker;
    this.#job = job;
    forgetOld();
  }

  /** The draft of an object, `{ task, answer, remark, at }`, or null. */
  get(name) {
    return read(this.#key(name));
  }

  /** Keep a draft; false if the browser can't. */
  set(name, task, answer, remark) {
    const text = JSON.stringify({ task, answer, remark, at: Date.now() });
    try {
      if (text.length > LONGEST) return false;
      localStorage.setItem(this.#key(name), text);
      return true;
    } catch {
      return false; // storage is full or forbidden
    }
  }

  clear(name) {
    try {
      localStorage.removeItem(this.#key(name));
    } catch {
      // Nothing was kept.
    }
  }

  #key(name) {
    return NAME + JSON.stringify([this.#worker, this.#job, name]);
  }
}

function read(key) {
  try {
    const found = JSON.parse(localStorage.getItem(key));
    return isDraft(found) ? found : null;
  } catch {
    return null;
  }
}

function isDraft(found) {
  return typeof found === "object" && found !== null && typeof found.task === "string" && typeof found.remark === "string"
    && (found.answer === null || isAnswer(found.answer));
}

/** Whether a value can be an answer at all: a JSON object. */
export function isAnswer(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function forgetOld() {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(NAME) && !(read(key)?.at > Date.now() - OLDEST)) localStorage.removeItem(key);
    }
  } catch {
    // Storage is forbidden.
  }
}
