// Keeps the part of a page that has data-refresh="PATH" up to date while it is in sight.

const EVERY = 3000; // milliseconds

const part = document.querySelector("[data-refresh]");
let shown = null;

async function refresh() {
  if (document.hidden) return;
  const response = await fetch(part.dataset.refresh).catch(() => null);
  if (!response?.ok) return;
  const html = await response.text();
  if (shown !== null && html !== shown) replaceContent(part, html);
  shown = html;
}

/** Put new markup in place; the focus stays on the element of the same id. */
export function replaceContent(element, html) {
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  element.innerHTML = html;
  if (focused) document.getElementById(focused)?.focus();
}

if (part) {
  setInterval(refresh, EVERY);
  document.addEventListener("visibilitychange", refresh);
  refresh();
  // What the address says about the way here is said once, not at each reload.
  if (window.location.search) window.history.replaceState(null, "", window.location.pathname);
}
