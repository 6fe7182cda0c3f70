// An answer on its way, kept in the browser until the server has it: a reload or a crash doesn't lose it.

export class KeptAnswer {
  #key;

  constructor(worker, job) {
    this.#key = `unsent answer: ${worker}: ${job}`;
  }

  get() {
    try {
      return JSON.parse(localStorage.getItem(this.#key));
    } catch {
      return null;
    }
  }

  set(task, answer) {
    try {
      localStorage.setItem(this.#key, JSON.stringify({ task, answer }));
    } catch {
      // Storage is full or forbidden: the answer is still in this page, which keeps on trying.
    }
  }

  clear() {
    try {
      localStorage.removeItem(this.#key);
    } catch {
      // Nothing was kept.
    }
  }
}
