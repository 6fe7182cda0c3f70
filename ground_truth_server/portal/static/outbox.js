// Answers on their way, kept in the browser until the server has them: a reload or a crash doesn't lose them. The server
// takes an answer once, however often it is sent, so what may have arrived is sent again.

const NAME = "unsent answers: ";

/** The answers of a worker to a job's tasks that the server hasn't yet. */
export class Outbox {
  #key;

  constructor(worker, job) {
    this.#key = NAME + JSON.stringify([worker, job]);
  }

  /** All outboxes of a worker in this browser, by job. */
  static all(worker) {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(NAME)).map((key) => JSON.parse(key.slice(NAME.length)))
        .filter(([owner]) => owner === worker).map(([, job]) => new Outbox(worker, job));
    } catch {
      return [];
    }
  }

  /** What waits, the first first: `{ path, task, object, body }` each. */
  get waiting() {
    try {
      const found = JSON.parse(localStorage.getItem(this.#key) ?? "[]");
      return Array.isArray(found) ? found : [];
    } catch {
      return [];
    }
  }

  /** Keep an answer; false if the browser can't, and it is in this page alone. */
  add(entry) {
    return this.#write([...this.waiting, entry]);
  }

  /** The server has said what becomes of it. */
  remove(entry) {
    const text = JSON.stringify(entry);
    return this.#write(this.waiting.filter((one) => JSON.stringify(one) !== text));
  }

  #write(entries) {
    try {
      if (entries.length > 0) localStorage.setItem(this.#key, JSON.stringify(entries));
      else localStorage.removeItem(this.#key);
      return true;
    } catch {
      return false; // storage is full or forbidden
    }
  }
}
