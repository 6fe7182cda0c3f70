// Between a worker page and the portal that frames it: the messages are documented in worker_page.py.
(() => {
  "use strict";

  const portal = document.currentScript?.dataset.portal || "*";
  const framed = window.parent !== window;
  const send = (message) => framed && window.parent.postMessage(message, portal);

  // A page of an opaque origin has no storage and no cookies, and its scripts mustn't fail for that.
  for (const name of ["localStorage", "sessionStorage"]) {
    Object.defineProperty(window, name, { value: storage(), configurable: true });
  }
  const jar = new Map();
  Object.defineProperty(document, "cookie", {
    configurable: true,
    get: () => [...jar].map((pair) => pair.join("=")).join("; "),
    set: (text) => {
      const [name, value = ""] = String(text).split(";")[0].split("=");
      if (/max-age=(0|-)|expires=[^;]*19[67]\d/i.test(text)) jar.delete(name.trim());
      else jar.set(name.trim(), value.trim());
    },
  });

  function storage() {
    const kept = new Map();
    return {
      get length() { return kept.size; },
      key: (index) => [...kept.keys()][index] ?? null,
      getItem: (name) => kept.get(String(name)) ?? null,
      setItem: (name, value) => { kept.set(String(name), String(value)); },
      removeItem: (name) => { kept.delete(String(name)); },
      clear: () => kept.clear(),
    };
  }

  // Keys that the page's own scripts listen for are the page's: the portal's single letters would act as well.
  let hasOwnKeys = false;
  const listen = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (type, ...rest) {
    const everywhere = this === window || this === document || this === document.body || this === document.documentElement;
    if (everywhere && /^key(down|up|press)$/.test(type) && !isOurs(document.currentScript)) hasOwnKeys = true;
    return listen.call(this, type, ...rest);
  };

  function isOurs(script) {
    return script?.dataset.ours !== undefined || /\/\/assets\.crowd\.aws\//.test(script?.src ?? "");
  }

  function listensForKeys() {
    return hasOwnKeys || [window, document, document.body].some((one) => one?.onkeydown || one?.onkeyup || one?.onkeypress);
  }

  document.addEventListener("crowd-answer", (event) => send({ type: "answer", answer: event.detail }));
  document.addEventListener("crowd-decline", () => send({ type: "decline" }));

  window.addEventListener("message", ({ source, data }) => {
    if (source !== window.parent || typeof data !== "object" || data === null) return;
    if (data.type === "key") document.dispatchEvent(new CustomEvent("crowd-key", { detail: String(data.key) }));
    if (data.type === "rejected") document.dispatchEvent(new CustomEvent("crowd-rejected", { detail: data.message }));
    if (data.type === "restore") document.dispatchEvent(new CustomEvent("crowd-restore", { detail: data.answer }));
    if (data.type === "read-only") setReadOnly();
  });

  // -- drafts: what the form would submit now, told whenever that has changed

  const DRAFT_SHARE = 20; // at most a twentieth of the time goes into looking what the form holds
  const DRAFT_AGAIN = 250; // milliseconds, after which scripts of the page have done what a click means
  let isReadOnly = false;
  let drafted = ""; // what was told last
  let nextLook = 0;
  let timer = null;

  function setReadOnly() {
    isReadOnly = true;
    document.dispatchEvent(new CustomEvent("crowd-read-only"));
  }

  function formAnswer() {
    const answer = (document.querySelector("crowd-form") ?? document.querySelector("[own-form]")?.form)?.answer;
    return answer === undefined ? "" : JSON.stringify(answer);
  }

  function look() {
    const began = performance.now();
    const text = formAnswer();
    nextLook = performance.now() + DRAFT_SHARE * (performance.now() - began);
    if (text === drafted || isReadOnly) return;
    drafted = text;
    send({ type: "draft", answer: JSON.parse(text) });
  }

  function lookSoon() {
    const wait = nextLook - performance.now();
    if (wait <= 0) look();
    clearTimeout(timer);
    timer = setTimeout(look, Math.max(DRAFT_AGAIN, wait));
  }

  // On window, after the page's own listeners, and at once: a reload may be the next thing. Where a page lets no event
  // come so far, a moment later.
  for (const type of ["input", "change", "click", "keyup", "pointerup"]) {
    window.addEventListener(type, lookSoon);
    window.addEventListener(type, () => setTimeout(lookSoon, 0), true);
  }

  // On window, after the page's own listeners: what they used, and what is typed into a field, stays here.
  window.addEventListener("keydown", (event) => {
    const [target] = event.composedPath();
    if (event.defaultPrevented || event.isComposing || event.repeat || isTypedIn(target)) return;
    if (event.key.length === 1 && listensForKeys()) return;
    const { key, shiftKey: shift, ctrlKey: ctrl, altKey: alt, metaKey: meta } = event;
    send({ type: "key", key, shift, ctrl, alt, meta });
  });

  function isTypedIn(target) {
    return target instanceof Element
      && (target.isContentEditable || /^(input|textarea|select|button|a|summary)$/.test(target.localName))
      && !/^(radio|checkbox|range)$/.test(target.type);
  }

  // AWS's hosted crowd-form hands its answer to this method, which would post it to the real service.
  document.addEventListener("all-crowd-elements-ready", () => {
    const form = document.querySelector("crowd-form");
    if (typeof form?._serializeForm !== "function") return;
    form._submitHelperForm = () => send({ type: "answer", answer: JSON.parse(form._serializeForm().taskAnswers)[0] });
  });

  // Said once: that the worker chose or typed something, which would be gone with the page.
  const entered = () => { send({ type: "entered" }); };
  document.addEventListener("change", entered, { once: true, capture: true });
  document.addEventListener("input", entered, { once: true, capture: true });

  /** The elements of the page whose answers would be missing: those that nobody defined. */
  function missingElements() {
    const named = [...document.querySelectorAll("[name]:not(:defined)")].filter((one) => one.localName.startsWith("crowd-"));
    return [...new Set(named.map((one) => one.localName))].sort();
  }

  function refuseWhatIsMissing() {
    const missing = missingElements();
    if (missing.length === 0) return;
    const notice = document.createElement("p");
    notice.setAttribute("role", "alert");
    notice.style.cssText = "margin:0 0 1rem;padding:.8rem 1rem;border:2px solid #b3261e;border-radius:.5rem;"
      + "background:#fdecea;color:#5c0f0a;font:600 15px/1.4 system-ui,sans-serif";
    notice.textContent = `This page can't be submitted: it uses ${missing.map((name) => `<${name}>`).join(", ")}, which this `
      + "server has no element for. The owner of the job has been told; please decline the task.";
    (document.querySelector("main, [role=main]") ?? document.body).prepend(notice);
    send({ type: "incomplete", elements: missing });
  }

  document.addEventListener("crowd-submitting", (event) => {
    const missing = missingElements();
    if (missing.length === 0) return;
    event.preventDefault();
    document.dispatchEvent(new CustomEvent("crowd-rejected", {
      detail: `Not submitted: ${missing.join(", ")} can't be answered here.`,
    }));
  });

  // What elements couldn't show as the page gave it, for the job's owner: once each.
  const troubles = new Set();
  document.addEventListener("crowd-trouble", ({ detail }) => {
    if (troubles.has(detail)) return;
    troubles.add(detail);
    send({ type: "trouble", text: String(detail) });
  });

  /** Chromium shows no PDF in a sandboxed frame: give a way to it. */
  function linkDocuments() {
    for (const holder of document.querySelectorAll("iframe[src], embed[src], object[data]")) {
      const address = holder.src || holder.data;
      const isPdf = /^application\/pdf$/i.test(holder.type) || /\.pdf$/i.test(address.split(/[?#]/)[0]);
      if (!isPdf || holder.nextElementSibling?.matches("[data-document]")) continue;
      const link = document.createElement("a");
      Object.assign(link, { href: address, target: "_blank", rel: "noopener", textContent: "Open the PDF in a new tab" });
      link.dataset.document = "";
      link.style.cssText = "display:inline-block;margin:.5rem 0;padding:.6rem 1rem;border:1px solid;border-radius:.5rem;font-weight:600";
      holder.after(link);
      holder.style.display = "none";
    }
  }

  /** A page that its author gave no form of Ground Truth's and no button gets both. */
  function provideForm() {
    const buttons = "crowd-form, [own-form], crowd-button[form-action=submit], button:not([type=button]), [type=submit], [type=image]";
    const fields = document.querySelector("input[name], select[name], textarea[name], [name]:defined");
    if (!fields || document.querySelector(buttons) || !customElements.get("crowd-form")) return;
    const form = document.createElement("crowd-form");
    form.append(...document.body.childNodes);
    document.body.append(form);
  }

  /** Landmarks and a first heading, where the author gave none: people with screen readers go by them. */
  function provideLandmarks() {
    if (!document.querySelector("main, [role=main]")) {
      const forms = document.querySelectorAll("crowd-form");
      const main = forms.length === 1 && forms[0].parentElement === document.body ? forms[0] : document.body;
      if (main === document.body) {
        const whole = document.createElement("main");
        whole.append(...[...document.body.childNodes].filter((node) => node.localName !== "script" && node.localName !== "dialog"));
        document.body.prepend(whole);
      } else {
        main.setAttribute("role", "main");
        for (const node of [...document.body.children]) {
          if (node !== main && !node.matches("script, style, link, dialog, template, [role], header, footer, nav, aside")) main.prepend(node);
        }
      }
    }
    const main = document.querySelector("main, [role=main]");
    const hasHeading = () => document.querySelector("h1, [role=heading][aria-level='1']")
      || [...document.querySelectorAll("*")].some((one) => one.shadowRoot?.querySelector("h1, [aria-level='1']"));
    if (!hasHeading()) {
      const heading = document.createElement("h1");
      heading.textContent = document.title;
      heading.style.cssText = "position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap";
      main.prepend(heading);
    }
  }

  function announce() {
    const classifier = document.querySelector("[categories]");
    send({ type: "ready", categories: classifier?.categories?.length ?? 0 });
    let height = 0;
    const measure = () => {
      const px = Math.ceil(document.documentElement.getBoundingClientRect().height);
      if (px !== height) send({ type: "height", px });
      height = px;
    };
    new ResizeObserver(measure).observe(document.documentElement);
  }

  document.addEventListener("DOMContentLoaded", () => {
    provideForm();
    drafted = formAnswer();
    provideLandmarks();
    linkDocuments();
    announce();
    // Late scripts may define elements: what is still missing then is missing.
    const look = () => setTimeout(refuseWhatIsMissing, 300);
    if (document.readyState === "complete") look();
    else window.addEventListener("load", look, { once: true });
  });
})();
