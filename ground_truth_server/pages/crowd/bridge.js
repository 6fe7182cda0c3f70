// Between a worker page and the portal that frames it: the messages are documented in worker_page.py.
(() => {
  "use strict";

  const portal = document.currentScript?.dataset.portal || "*";
  const framed = window.parent !== window;
  const send = (message) => framed && window.parent.postMessage(message, portal);

  document.addEventListener("crowd-answer", (event) => send({ type: "answer", answer: event.detail }));
  document.addEventListener("crowd-decline", () => send({ type: "decline" }));

  window.addEventListener("message", ({ source, data }) => {
    if (source !== window.parent || typeof data !== "object" || data === null) return;
    if (data.type === "key") document.dispatchEvent(new CustomEvent("crowd-key", { detail: String(data.key) }));
    if (data.type === "rejected") document.dispatchEvent(new CustomEvent("crowd-rejected", { detail: data.message }));
  });

  // On window, after the page's own listeners: what they used, and what is typed into a field, stays here.
  window.addEventListener("keydown", (event) => {
    const [target] = event.composedPath();
    if (event.defaultPrevented || event.isComposing || event.repeat || isTypedIn(target)) return;
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

  document.addEventListener("DOMContentLoaded", announce);
})();
