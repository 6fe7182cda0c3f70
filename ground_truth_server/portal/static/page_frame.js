// The sandboxed frame of worker pages. The next page is loaded behind the one in sight and takes its place when
// it is ready, so nothing flickers. The messages are documented in worker_page.py.

const READY_WITHIN = 20_000; // milliseconds
const PICTURES_WITHIN = 700;

export class PageFrame {
  #stage; #sandbox; #heard;
  #shown = null;
  #coming = null;
  #ready = null;

  /** @param heard gets each message of the page in sight. */
  constructor(stage, sandbox, heard) {
    this.#stage = stage;
    this.#sandbox = sandbox;
    this.#heard = heard;
    window.addEventListener("message", (event) => this.#message(event));
  }

  /** Load a page and show it, told these messages first; false if it did not become ready in time. */
  async show(url, title, messages = []) {
    this.#coming?.remove();
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", this.#sandbox);
    frame.referrerPolicy = "no-referrer";
    frame.title = title;
    frame.className = "coming";
    frame.inert = true;
    this.#coming = frame;
    const ready = new Promise((resolve) => { this.#ready = resolve; });
    const loaded = new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
    frame.src = url;
    this.#stage.append(frame);
    const inTime = await Promise.race([ready.then(() => true), after(READY_WITHIN).then(() => false)]);
    // The page's origin is opaque: it can't be named as the target.
    if (inTime) for (const message of messages) frame.contentWindow?.postMessage(message, "*");
    if (inTime) await Promise.race([loaded, after(PICTURES_WITHIN)]);
    if (this.#coming !== frame) return inTime;
    this.#coming = null;
    if (!inTime) frame.remove();
    else this.#takeIn(frame);
    return inTime;
  }

  tell(message) {
    this.#shown?.contentWindow.postMessage(message, "*");
  }

  focus() { this.#shown?.focus({ preventScroll: true }); }

  get isShown() { return this.#shown !== null; }

  clear() {
    this.#shown?.remove();
    this.#shown = null;
  }

  /** Let nothing come any more that is still loading. */
  cancel() {
    this.#coming?.remove();
    this.#coming = null;
  }

  #takeIn(frame) {
    frame.classList.remove("coming");
    frame.inert = false;
    this.#shown?.remove();
    this.#shown = frame;
  }

  #message({ source, data }) {
    if (typeof data !== "object" || data === null) return;
    if (source === this.#coming?.contentWindow && data.type === "ready") this.#ready(data);
    else if (source === this.#shown?.contentWindow) this.#heard(data);
  }
}

function after(milliseconds) {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}
