// The remark that goes with an answer: why the worker answered so. It is the portal's own field, outside the worker page.

export class Remark {
  #bar; #field; #button; #left;

  /** @param changed is called when the text changes; @param left when the worker is done; @param submit on Ctrl+Enter. */
  constructor(bar, button, { changed, left, submit }) {
    this.#bar = bar;
    this.#field = bar.querySelector("textarea");
    this.#button = button;
    this.#left = left;
    button.addEventListener("click", () => this.toggle());
    bar.querySelector("button").addEventListener("click", () => this.close());
    this.#field.addEventListener("input", () => {
      this.#mark();
      changed();
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") this.close();
      else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
    });
  }

  get text() { return this.#field.value; }

  /** Show what was written for the item at hand; nothing, for one that has no remark. */
  show(text) {
    this.#field.value = text;
    this.#bar.hidden = text === "";
    this.#mark();
  }

  toggle() {
    if (this.#button.disabled) return;
    if (this.#bar.hidden) this.open();
    else this.close();
  }

  open() {
    this.#bar.hidden = false;
    this.#mark();
    this.#field.focus();
  }

  close() {
    this.#bar.hidden = true;
    this.#mark();
    this.#left();
  }

  set disabled(now) {
    this.#button.disabled = now;
    this.#field.readOnly = now;
  }

  #mark() {
    const written = this.text.trim() !== "";
    this.#button.setAttribute("aria-expanded", String(!this.#bar.hidden));
    this.#button.classList.toggle("written", written);
    this.#button.querySelector(".for-readers").textContent = written ? " is written" : "";
  }
}
