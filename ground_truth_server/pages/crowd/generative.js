// What crowd-text-ranking and crowd-question-answer-generation share: AWS's later elements, for texts of language models.

const GENERATIVE_STYLE = `
  :host { display: block; container-type: inline-size; }
  .frame { display: grid; gap: 1rem; }
  h2 { margin: 0 0 .6rem; font-size: 1.25rem; line-height: 1.3; text-wrap: balance; }
  h2:empty, .amiss:empty, .instructions:empty { display: none; }
  .amiss { margin: 0 0 .6rem; padding: .5rem .8rem; border-radius: .4rem; background: var(--warn-wash); color: var(--warn); }
  .amiss p { margin: .2rem 0; }
  .instructions {
    margin: 0 0 .8rem; padding: .7rem .9rem; border-left: 4px solid var(--accent); border-radius: .4rem; background: var(--raised);
    font-size: .95em; white-space: pre-line;
  }
  .main { min-width: 0; }
  .side { display: flex; flex-direction: column; gap: .9rem; min-width: 0; }
`;

class GenerativeElement extends AnsweringElement {
  static regions = ["short-instructions", "full-instructions"];

  get form() { return this.closest("crowd-form"); }

  connectedCallback() {
    super.connectedCallback();
    whenParsed(() => this.#joinForm());
  }

  get value() { return this._submittableValue; }

  /** Earlier pages put it beside a form, hidden, which they name: it goes into that form, and the form is shown. */
  #joinForm() {
    const form = document.getElementById(this.getAttribute("crowd-form-element-id") ?? "");
    if (!(form instanceof CrowdForm)) return;
    if (this.contains(form)) this.after(form); // a page that wrote "/>", as if that ended an element
    if (!form.contains(this)) form.prepend(this);
    form.style.display = "";
  }

  /** Show the notes on what is wrong with the page. */
  tellAmiss(notes) {
    this.part(".amiss").replaceChildren(...notes.map((note) => make("p", { textContent: note })));
    tellOwnerOf(this, notes);
  }

  /** Give the text that `text` is or, where it is only an address, what lies there. */
  async readText() {
    const text = this.getAttribute("text") ?? "";
    if (/^s3:\/\/\S+$/.test(text)) throw new Error(`text is ${text}, which a browser can't read: write {{ … | grant_read_access }}.`);
    if (!/^https?:\/\/\S+$/.test(text.trim())) return text;
    try {
      const response = await fetch(text.trim());
      if (!response.ok) throw new Error(`status ${response.status}`);
      return await response.text();
    } catch (error) {
      throw new Error(`The text at ${cut(text.trim().split("?")[0], 80)} can't be loaded: ${error.message}.`);
    }
  }
}
