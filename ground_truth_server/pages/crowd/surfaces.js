// What content stands on: crowd-card, crowd-alert, crowd-badge, crowd-toast, crowd-tabs.

class CrowdCard extends CrowdElement {
  static text = ["heading", "image"];
  static markup = '<img hidden alt=""><h3></h3><slot></slot>';
  static style = css(`
    :host {
      display: block; margin: .5rem 0; padding: 1rem; border: 1px solid var(--line); border-radius: .7rem; background: var(--surface);
      color: var(--ink); box-shadow: 0 1px 4px rgb(0 0 0 / .12); overflow: hidden;
    }
    ::slotted(:last-child) { margin-bottom: 0; }
    h3 { margin: 0 0 .5rem; font-size: 1.1rem; }
    h3:empty { display: none; }
    img { display: block; width: calc(100% + 2rem); max-width: none; margin: -1rem -1rem 1rem; }
    img[hidden] { display: none; }
  `);

  update() {
    const image = this.part("img");
    image.hidden = this.image === "";
    if (this.image) image.src = this.image;
    this.part("h3").textContent = this.heading;
  }
}

const ALERT_SIGNS = { info: "i", success: "✓", warning: "!", error: "✕" };

class CrowdAlert extends CrowdElement {
  static text = ["type"];
  static flags = ["dismissible"];
  static markup = `
    <span class="sign" aria-hidden="true"></span><div class="body"><slot></slot></div>
    <button type="button" aria-label="Dismiss" hidden>✕</button>`;

  static style = css(`
    :host {
      --tone: var(--accent); display: flex; gap: .7rem; align-items: flex-start; margin: .6rem 0; padding: .7rem .9rem;
      border: 1px solid var(--tone); border-left-width: 5px; border-radius: .5rem; background: var(--wash); color: var(--ink);
    }
    :host([type="success"]) { --tone: var(--good); background: var(--good-wash); }
    :host([type="warning"]) { --tone: var(--warn); background: var(--warn-wash); }
    :host([type="error"]) { --tone: var(--bad); background: var(--bad-wash); }
    .sign {
      display: grid; place-items: center; width: 1.4rem; height: 1.4rem; border-radius: 50%; background: var(--tone);
      color: var(--surface); font-size: .85rem; font-weight: 800;
    }
    .body { flex: 1; }
    button { width: 1.9rem; height: 1.9rem; margin: -.2rem 0; border: 0; border-radius: 50%; background: none; cursor: pointer; }
    button:hover { background: var(--raised); }
    button[hidden] { display: none; }
  `);

  prepare() {
    this.part("button").addEventListener("click", () => this.remove());
  }

  update() {
    this.setAttribute("role", this.type === "error" ? "alert" : "status");
    this.part(".sign").textContent = ALERT_SIGNS[this.type] ?? ALERT_SIGNS.info;
    this.part("button").hidden = !this.dismissible;
  }
}

class CrowdBadge extends CrowdElement {
  static text = ["for", "icon", "label"];
  static markup = '<span class="badge"></span><slot></slot>';
  static style = css(`
    :host { display: inline; }
    .badge {
      display: inline-grid; place-items: center; min-width: 1.5rem; height: 1.5rem; padding: 0 .4rem; border-radius: 1rem;
      background: var(--accent); color: var(--on-accent); font-size: .8rem; font-weight: 700;
    }
    .badge.afloat { position: absolute; top: -.6rem; right: -.6rem; z-index: 2; }
    ${ICON_STYLE}
  `);

  update() {
    const badge = this.part(".badge");
    badge.replaceChildren(this.icon ? icon(this.icon) : this.label);
    const target = this.for && this.getRootNode().getElementById?.(this.for);
    badge.classList.toggle("afloat", Boolean(target));
    if (!target) return;
    if (getComputedStyle(target).position === "static") target.style.position = "relative";
    if (this.parentElement !== target && !this.contains(target)) target.append(this);
  }
}

class CrowdToast extends CrowdElement {
  static text = ["duration", "text"];
  static flags = ["opened"];
  static markup = '<span class="text"></span><slot></slot>';
  static style = css(`
    :host {
      position: fixed; left: 50%; bottom: 5rem; z-index: 20; display: none; max-width: min(36rem, 90vw); padding: .8rem 1.2rem;
      border-radius: .6rem; background: light-dark(#1c2733, #e9edf2); color: light-dark(#fff, #14191f);
      box-shadow: 0 6px 24px rgb(0 0 0 / .35); translate: -50% 0;
    }
    :host([opened]) { display: block; }
  `);

  #timer = 0;

  connectedCallback() {
    this.setAttribute("role", "status");
    super.connectedCallback();
  }

  show() { this.opened = true; }
  hide() { this.opened = false; }

  update() {
    this.part(".text").textContent = this.text;
    clearTimeout(this.#timer);
    if (!this.opened) return;
    // One toast is seen at a time.
    for (const other of document.querySelectorAll("crowd-toast[opened]")) if (other !== this) other.opened = false;
    const duration = Number(this.duration || 3000);
    if (duration > 0) this.#timer = setTimeout(() => this.hide(), duration);
  }
}

class CrowdTabs extends CrowdElement {
  static markup = '<div role="tablist"></div><slot></slot>';
  static style = css(`
    :host { display: block; margin: .5rem 0; }
    [role=tablist] { display: flex; flex-wrap: wrap; gap: .25rem; border-bottom: 1px solid var(--line); }
    button { min-height: 2.6rem; padding: .5rem 1rem; border: 0; border-bottom: 3px solid transparent; background: none; color: var(--ink-soft); cursor: pointer; }
    button:hover { background: var(--raised); }
    button[aria-selected=true] { border-color: var(--accent); color: var(--ink); font-weight: 600; }
  `);

  #shown = 0;

  get tabs() { return [...this.children].filter((child) => child.localName === "crowd-tab"); }

  prepare() {
    new MutationObserver(() => this.update()).observe(this, { childList: true });
  }

  update() {
    const { tabs } = this;
    const buttons = tabs.map((tab) => make("button", { type: "button", textContent: tab.getAttribute("header") ?? "" }));
    for (const button of buttons) button.setAttribute("role", "tab");
    this.part("[role=tablist]").replaceChildren(...buttons);
    if (tabs.length === 0) return;
    const shown = Math.min(this.#shown, tabs.length - 1);
    steerTabs(buttons, (chosen) => {
      this.#shown = chosen;
      tabs.forEach((tab, index) => tab.toggleAttribute("hidden", index !== chosen));
    });
    buttons[shown].click();
  }

  show(tab) {
    this.shadowRoot.querySelectorAll("button")[this.tabs.indexOf(tab)]?.click();
  }
}

class CrowdTab extends CrowdElement {
  static text = ["header"];
  static style = css(":host { display: block; padding: 1rem .2rem; }");

  update() {
    this.setAttribute("role", "tabpanel");
    this.setAttribute("aria-label", this.header);
    if (this.parentElement instanceof CrowdTabs) this.parentElement.update();
  }

  /** Bring this tab to the front. */
  show() { this.closest("crowd-tabs")?.show(this); }
}

define("crowd-card", CrowdCard);
define("crowd-alert", CrowdAlert);
define("crowd-badge", CrowdBadge);
define("crowd-toast", CrowdToast);
define("crowd-tabs", CrowdTabs);
define("crowd-tab", CrowdTab);
