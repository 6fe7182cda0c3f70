// Another item beside the one that is worked on: its page in a second sandboxed frame, to look at alone.

import { PageFrame } from "./page_frame.js";

export class Beside {
  #box; #title; #said; #frame; #closed;

  /** @param box the part of the page; @param closed is called when the worker closes it. */
  constructor(box, sandbox, closed) {
    this.#box = box;
    this.#title = box.querySelector("h2");
    this.#said = box.querySelector("p");
    this.#closed = closed;
    this.#frame = new PageFrame(box.querySelector(".stage"), sandbox, (message) => this.#heard(message));
    box.querySelector("[data-closes]").addEventListener("click", () => this.close());
    box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
  }

  get isOpen() { return !this.#box.hidden; }

  /** Show an item as the server tells of it. */
  async open(item) {
    this.#box.hidden = false;
    this.#title.textContent = `Object ${item.object}`;
    const remark = item.remark ? `, “${item.remark}”` : "";
    this.#said.textContent = item.answer ? `Your answer: ${item.answered}${remark}. To look at.` : "You put it aside. To look at.";
    this.#title.focus();
    const before = item.answer ? [{ type: "restore", answer: item.answer }] : [];
    const ready = await this.#frame.show(item.page, `Object ${item.object}, to look at`, [...before, { type: "read-only" }]);
    if (!ready) this.#said.textContent = "Its page does not load.";
  }

  close() {
    if (!this.isOpen) return;
    this.#box.hidden = true;
    this.#frame.clear();
    this.#closed();
  }

  /** Nothing is submitted from here, whatever the page sends. */
  #heard(message) {
    if (message.type === "answer") this.#frame.tell({ type: "rejected", message: "This item is to look at: nothing is submitted." });
    else if (message.type === "key" && message.key === "Escape") this.close();
  }
}
