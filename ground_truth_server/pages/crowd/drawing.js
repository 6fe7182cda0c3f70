// The elements that draw on an image or mark up text are AWS's own: say so, show what there is, and let the rest work.

const DRAWING = {
  "crowd-entity-annotation": "marks passages of a text",
  "crowd-text-ranking": "ranks texts",
};

class DrawingElement extends CrowdElement {
  static text = ["header", "src", "text"];
  static regions = ["short-instructions", "full-instructions"];
  static markup = `
    <h2></h2>
    <div class="notice" role="note"></div>
    <slot name="short-instructions"></slot>
    <img hidden alt="The image to work on" src="data:,">
    <p class="text"></p>
    <slot></slot>
    <slot name="full-instructions"></slot>`;

  static style = css(`
    :host { display: flex; flex-direction: column; gap: .7rem; }
    h2, .text { margin: 0; }
    h2 { font-size: 1.25rem; }
    h2:empty, .text:empty { display: none; }
    .notice { padding: .8rem 1rem; border: 1px solid var(--warn); border-left-width: 5px; border-radius: .5rem; background: var(--warn-wash); }
    code { font-size: .95em; }
    img { max-width: 100%; max-height: 60vh; object-fit: contain; object-position: left; border-radius: .4rem; }
    img[hidden] { display: none; }
    .text { padding: .8rem 1rem; border: 1px solid var(--line); border-radius: .5rem; white-space: pre-wrap; }
  `);

  /** Nothing can be drawn here; scripts that ask find nothing, rather than fail. */
  get value() { return {}; }
  get _submittableValue() { return undefined; }

  update() {
    const { localName } = this;
    this.part("h2").textContent = this.header;
    this.part(".text").textContent = this.text;
    this.part(".notice").replaceChildren(
      make("code", { textContent: `<${localName}>` }),
      ` ${DRAWING[localName]} and needs AWS's own script. Start with `,
      make("code", { textContent: "--crowd-elements hosted" }),
      " to use it. Until then this page can't be submitted.",
    );
    this.dataset.placeholder = "";
    const image = this.part("img");
    image.hidden = this.src === "";
    if (this.src) image.src = this.src;
  }
}

for (const tag of Object.keys(DRAWING)) define(tag, class extends DrawingElement {});

// Templates wait for this event before they touch an element.
whenParsed(() => setTimeout(() => document.dispatchEvent(new CustomEvent("all-crowd-elements-ready", { bubbles: true }))));
