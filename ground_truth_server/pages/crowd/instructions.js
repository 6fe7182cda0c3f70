// Instructions and what opens on a click: crowd-instructions, full-instructions, crowd-modal, worker-comment.

/** A trigger and the dialog that it opens; Escape, the cross or a click outside closes it. */
class DialogElement extends CrowdElement {
  static text = ["link-text", "link-type", "header"];
  static body = "<slot></slot>";

  static get markup() {
    return `
      <button class="trigger" type="button" aria-haspopup="dialog"></button>
      <dialog aria-labelledby="title">
        <header><h2 id="title"></h2><button class="close" type="button" aria-label="Close">✕</button></header>
        <div class="body">${this.body}</div>
      </dialog>`;
  }

  static style = css(`
    :host { display: block; }
    .trigger {
      padding: .35rem 0; border: 0; background: none; color: var(--accent); text-align: left; text-decoration: underline; cursor: pointer;
    }
    .trigger.button {
      padding: .45rem .9rem; border: 1.5px solid var(--edge); border-radius: .5rem; background: var(--surface); color: var(--ink);
      font-weight: 600; text-decoration: none;
    }
    .trigger:hover { background: var(--raised); }
    dialog {
      width: min(52rem, 92vw); max-height: 88vh; padding: 0; border: 1px solid var(--line); border-radius: .8rem;
      background: var(--surface); color: var(--ink); box-shadow: 0 12px 48px rgb(0 0 0 / .4);
    }
    dialog[open] { display: flex; flex-direction: column; }
    dialog::backdrop { background: rgb(8 14 20 / .55); }
    header { display: flex; gap: 1rem; align-items: center; padding: .8rem 1.2rem; border-bottom: 1px solid var(--line); }
    h2 { flex: 1; margin: 0; font-size: 1.15rem; }
    .close { width: 2.4rem; height: 2.4rem; border: 0; border-radius: 50%; background: none; cursor: pointer; }
    .close:hover { background: var(--raised); }
    .body { padding: 1rem 1.2rem; overflow: auto; }
    textarea { width: 100%; padding: .6rem; border: 1px solid var(--edge); border-radius: .45rem; background: var(--surface); }
    .done { margin-top: .8rem; padding: .45rem 1.1rem; border: 0; border-radius: .5rem; background: var(--accent); color: var(--on-accent);
      font-weight: 600; cursor: pointer; }
    .panel[hidden] { display: none; }
    [role=tablist] { display: flex; gap: .25rem; margin-bottom: .8rem; border-bottom: 1px solid var(--line); }
    [role=tab] { padding: .5rem .9rem; border: 0; border-bottom: 3px solid transparent; background: none; color: var(--ink-soft); cursor: pointer; }
    [role=tab][aria-selected=true] { border-color: var(--accent); color: var(--ink); font-weight: 600; }
  `);

  get dialog() { return this.part("dialog"); }
  get openingText() { return this.linkText || "Click to open modal"; }
  get dialogTitle() { return this.header || this.openingText; }
  get looksLikeButton() { return this.linkType === "button"; }

  prepare() {
    this.part(".trigger").addEventListener("click", () => this.open());
    this.part(".close").addEventListener("click", () => this.close());
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.close(); });
  }

  update() {
    const trigger = this.part(".trigger");
    trigger.textContent = this.openingText;
    trigger.classList.toggle("button", this.looksLikeButton);
    this.part("#title").textContent = this.dialogTitle;
  }

  open() { if (!this.dialog.open) this.dialog.showModal(); }

  close() { this.dialog.close(); }
}

/** Put an element where its parent has a place for it: `regions` name the slots. */
function takePlace(element) {
  const { parentElement: parent, localName } = element;
  if (parent?.constructor.regions?.includes(localName)) element.slot = localName;
}

class FullInstructions extends DialogElement {
  get openingText() { return "View full instructions"; }
  get dialogTitle() { return this.header || "Instructions"; }
  get looksLikeButton() { return true; }

  connectedCallback() {
    super.connectedCallback();
    takePlace(this);
  }

  /** As wide as a page made the dialog that it found within the element around this. */
  open() {
    const { maxWidth = "", width = "" } = this.assignedSlot?.closest(".awsui-modal-dialog")?.style ?? {};
    Object.assign(this.dialog.style, { maxWidth, width: width || maxWidth });
    super.open();
  }
}

class WorkerComment extends DialogElement {
  static text = [...DialogElement.text, "placeholder"];
  static body = `<slot></slot><textarea rows="4"></textarea><button class="done" type="button">Done</button>`;

  get openingText() { return this.linkText || "Add a comment"; }

  get value() { return this.part("textarea").value; }
  set value(text) {
    this.part("textarea").value = text;
    this.update();
  }

  prepare() {
    super.prepare();
    this.part(".done").addEventListener("click", () => this.close());
    this.dialog.addEventListener("close", () => this.update());
  }

  connectedCallback() {
    super.connectedCallback();
    takePlace(this);
  }

  update() {
    super.update();
    const box = this.part("textarea");
    box.placeholder = this.placeholder;
    box.setAttribute("aria-label", this.header || "Comment");
    const comment = box.value.trim();
    const short = comment.length > 60 ? `${comment.slice(0, 59)}…` : comment;
    if (comment) this.part(".trigger").textContent = `Your comment: ${short}`;
  }
}

class CrowdInstructions extends DialogElement {
  static regions = ["short-summary", "detailed-instructions", "positive-example", "negative-example"];
  static body = `
    <div role="tablist" aria-label="Instructions">
      <button role="tab" type="button">Summary</button><button role="tab" type="button">Detailed Instructions</button>
      <button role="tab" type="button">Examples</button>
    </div>
    <div class="panel" role="tabpanel" aria-label="Summary"><slot name="short-summary"></slot><slot></slot></div>
    <div class="panel" role="tabpanel" aria-label="Detailed Instructions"><slot name="detailed-instructions"></slot></div>
    <div class="panel" role="tabpanel" aria-label="Examples">
      <slot name="positive-example"></slot><slot name="negative-example"></slot></div>`;

  get openingText() { return this.linkText || "Click for instructions"; }
  get dialogTitle() { return this.header || "Instructions"; }

  prepare() {
    super.prepare();
    const tabs = [...this.shadowRoot.querySelectorAll("[role=tab]")];
    const panels = [...this.shadowRoot.querySelectorAll(".panel")];
    steerTabs(tabs, (chosen) => panels.forEach((panel, index) => { panel.hidden = index !== chosen; }));
  }
}

/** Make buttons a tab list: a click or the arrow keys choose; `show` gets the chosen index. */
function steerTabs(tabs, show) {
  const choose = (chosen) => {
    tabs.forEach((tab, index) => {
      tab.setAttribute("aria-selected", String(index === chosen));
      tab.tabIndex = index === chosen ? 0 : -1;
    });
    show(chosen);
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => choose(index));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = (index + step + tabs.length) % tabs.length;
      choose(next);
      tabs[next].focus();
    });
  });
  choose(0);
}

const REGION_STYLES = {
  "short-instructions": `
    ::slotted(:first-child) { margin-top: 0; }
    ::slotted(:last-child) { margin-bottom: 0; }
    :host { padding: .7rem .9rem; border-left: 4px solid var(--accent); border-radius: .4rem; background: var(--raised); font-size: .95em; }`,
  "positive-example": `
    :host { margin: .6rem 0; padding: .4rem .9rem; border-left: 4px solid var(--good); border-radius: .4rem; background: var(--good-wash); }
    :host::before { content: "✓ Good example"; color: var(--good); font-weight: 700; }`,
  "negative-example": `
    :host { margin: .6rem 0; padding: .4rem .9rem; border-left: 4px solid var(--bad); border-radius: .4rem; background: var(--bad-wash); }
    :host::before { content: "✕ Bad example"; color: var(--bad); font-weight: 700; }`,
  "classification-target": "",
  "short-summary": "",
  "detailed-instructions": "",
};

define("crowd-modal", class extends DialogElement {});
define("full-instructions", FullInstructions);
define("worker-comment", WorkerComment);
define("crowd-instructions", CrowdInstructions);
for (const [tag, style] of Object.entries(REGION_STYLES)) {
  define(tag, class extends CrowdElement {
    static style = css(`:host { display: block; overflow-wrap: break-word; } ${style}`);

    update() { takePlace(this); }
  });
}
