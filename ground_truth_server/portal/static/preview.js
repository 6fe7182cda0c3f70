// The preview: shows a line's page, and shows it anew when the template or what else it depends on has changed.

import { PageFrame } from "./page_frame.js";
import { ConnectionLost, get, post } from "./server.js";

const LOOK_EVERY = 500; // milliseconds

const byId = (id) => document.getElementById(id);
const stage = document.querySelector(".stage");
const choice = byId("line");
const light = byId("live");
const frame = new PageFrame(stage, stage.dataset.sandbox, heard);
let version = null;
let shows = 0;

async function show() {
  shows += 1;
  const [now, line] = [shows, choice.value];
  window.history.replaceState(null, "", `?line=${line}`);
  const { facts, page } = await get(`/facts?line=${line}`);
  if (now !== shows) return;
  byId("facts").innerHTML = facts;
  // The address differs each time, or the browser would show the page that it has.
  const ready = page !== null && await frame.show(`${page}?shown=${now}`, `Page of line ${line}`);
  if (now !== shows) return;
  stage.querySelector(".panel")?.remove();
  if (ready) return;
  frame.clear();
  stage.append(byId("no-page").content.cloneNode(true));
}

async function follow() {
  try {
    const found = await get("/version");
    light.classList.add("on");
    light.textContent = "follows the template";
    if (version !== null && found.version !== version) await show();
    version = found.version;
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    light.classList.remove("on");
    light.textContent = "connection lost";
  }
  setTimeout(follow, LOOK_EVERY);
}

function heard({ type, answer }) {
  if (type !== "answer") return;
  byId("answer").hidden = false;
  byId("answer").querySelector("pre").textContent = JSON.stringify(answer, null, 2);
  frame.tell({ type: "rejected", message: "Preview: the answer is shown beside the page." });
}

function step(by) {
  const place = choice.selectedIndex + by;
  if (place < 0 || place >= choice.length) return;
  choice.selectedIndex = place;
  choose();
}

function choose() {
  byId("answer").hidden = true;
  byId("before").disabled = choice.selectedIndex <= 0;
  byId("after").disabled = choice.selectedIndex >= choice.length - 1;
  if (choice.value) show();
}

choice.addEventListener("change", choose);
byId("before").addEventListener("click", () => step(-1));
byId("after").addEventListener("click", () => step(1));
byId("facts").addEventListener("click", async ({ target }) => {
  if (!target.closest("[data-again]")) return;
  await post(`/again?line=${choice.value}`, {});
  await show();
});

choose();
follow();
