// The task page: takes a task, shows its worker page, sends the answer, takes the next.

import { Clock } from "./clock.js";
import { isAnyOpen, open } from "./dialogs.js";
import { KeptAnswer } from "./kept_answer.js";
import { PageFrame } from "./page_frame.js";
import { ConnectionLost, get, Persistence, post } from "./server.js";

const ASK_AGAIN = 2000; // milliseconds, while there is nothing to do
const KEEP_UP = 10_000; // milliseconds between looks at the job's progress
const SAFE = "Your answer is kept here until it is saved.";

const [main, busy, toast, announcer, late] = ["main", "busy", "toast", "announcer", "late"].map(byId);
const { job, worker, sandbox } = main.dataset;
const jobPath = `/jobs/${encodeURIComponent(job)}`;
const title = document.title;

const frame = new PageFrame(main, sandbox, heard);
const clock = new Clock(byId("clock"), byId("time"));
const lost = new Persistence(byId("lost"));
const kept = new KeptAnswer(worker, job);

let task = null; // in hand
let inSight = null; // the task whose page is shown: another one than that in hand while the next page loads
let sending = false;
let askAgain = null;
let hasEntered = false; // something that would be gone with the page

function byId(id) { return document.getElementById(id); }

function send(path, body = {}, safe = "") {
  return lost.until(() => post(path, { worker, ...body }), safe);
}

// -- the way of a task

async function next() {
  clearTimeout(askAgain);
  const turn = await send(`${jobPath}/next`);
  if (turn.state === "refused") refuse(turn);
  else if (turn.state === "task") await begin(turn.task);
  else await pause(turn);
}

async function begin(found) {
  task = found;
  hasEntered = false;
  setSending(false);
  late.hidden = true;
  clock.start(task.secondsLeft, { late: () => { late.hidden = false; }, over: timeIsUp });
  keepUp();
  const ready = await frame.show(task.page, `Task: object ${task.object}`);
  if (task !== found) return;
  inSight = task;
  setSending(false);
  if (!ready) {
    frame.clear();
    showPanel(byId("not-loading").content.cloneNode(true));
    return;
  }
  clearPanel();
  if (!isAnyOpen()) frame.focus();
  announce("The next task is here.");
}

async function submit(id, answer) {
  setSending(true);
  kept.set(id, answer);
  const outcome = await send(`/tasks/${id}/answer`, { answer }, SAFE);
  if (outcome.kind === "session-over") { // the answer stays kept, and goes on its way after signing in
    refuse(outcome);
    return;
  }
  if (outcome.status >= 400 && outcome.state !== "refused") {
    kept.clear();
    setSending(false);
    frame.tell({ type: "rejected", message: outcome.message });
    return;
  }
  kept.clear();
  if (outcome.state !== "submitted") {
    refuse(outcome);
    return;
  }
  say("Submitted");
  await next();
}

async function decline() {
  if (!isWorkable()) return;
  setSending(true);
  const outcome = await send(`/tasks/${task.id}/decline`);
  if (outcome.state === "refused") {
    refuse(outcome);
    return;
  }
  say("Declined");
  await next();
}

function askWhetherToStop() {
  if (task === null || sending) return;
  if (hasEntered) open("stopping");
  else stop();
}

async function stop() {
  if (task === null || sending) return;
  setSending(true);
  clock.stop();
  await send(`/tasks/${task.id}/release`);
  window.location.assign(`/?left=${encodeURIComponent(document.querySelector("h1").textContent)}`);
}

function timeIsUp() {
  if (sending) return; // the answer is on its way: the server says whether it came in time
  end();
  showPanel(byId("too-late").content.cloneNode(true));
}

function refuse(outcome) {
  end();
  showPanel(fragmentOf(outcome.panel ?? `<section class="panel"><h2 tabindex="-1">That did not work</h2></section>`));
}

/** There is no task now: say why, and look again if that may change. */
async function pause(turn) {
  const shown = main.querySelector(".panel")?.dataset.state;
  end();
  showPanel(fragmentOf(turn.panel), { takeFocus: shown !== turn.state });
  if (turn.mayChange) askAgain = setTimeout(next, ASK_AGAIN);
}

function end() {
  task = inSight = null;
  clock.stop();
  late.hidden = true;
  frame.clear();
  setSending(false);
  keepUp();
}

// -- what is on the screen

function setSending(now) {
  sending = now;
  busy.classList.toggle("moving", now || task !== inSight);
  byId("decline").disabled = !isWorkable();
  byId("stop").disabled = now || task === null;
}

/** Whether the worker may act on what is seen: a page left over from the task before says nothing any more. */
function isWorkable() { return task !== null && task === inSight && !sending; }

function showPanel(content, { takeFocus = true } = {}) {
  clearPanel();
  main.append(content);
  busy.classList.remove("moving");
  if (takeFocus && !isAnyOpen()) main.querySelector(".panel h2").focus();
}

function clearPanel() {
  main.querySelectorAll(".panel").forEach((panel) => panel.remove());
}

function fragmentOf(html) {
  return document.createRange().createContextualFragment(html);
}

function announce(text) { announcer.textContent = text; }

let toastTimer = null;

function say(text) {
  announce(text);
  toast.textContent = text;
  toast.classList.add("seen");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.classList.remove("seen"), 1600);
}

async function keepUp() {
  try {
    showProgress(await get(`${jobPath}/progress`));
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error; // else the next look will tell
  }
}

function showProgress({ number, available, given, needed }) {
  byId("how-far").hidden = needed === undefined;
  if (needed === undefined) {
    byId("number").textContent = byId("left").textContent = "";
    return;
  }
  byId("number").textContent = task ? `Task ${number}` : "";
  byId("left").textContent = task ? `${available} left for you` : "";
  document.title = task ? `Task ${number} · ${title}` : title;
  Object.assign(byId("progress"), { max: needed || 1, value: given });
  byId("done").textContent = `${given} of ${needed} answers`;
}

// -- what the page, the keys and the buttons say

function heard(message) {
  if (message.type === "answer" && isWorkable()) submit(task.id, message.answer);
  else if (message.type === "decline") askWhetherToDecline();
  else if (message.type === "entered") hasEntered ||= isWorkable();
  else if (message.type === "incomplete" && isWorkable()) post(`/tasks/${task.id}/incomplete`, { worker, elements: message.elements });
  else if (message.type === "trouble" && isWorkable()) post(`/tasks/${task.id}/incomplete`, { worker, trouble: message.text });
  else if (message.type === "key") press(message.key, message);
}

function askWhetherToDecline() {
  if (isWorkable()) open("declining");
}

/** The portal's own keys; true if it was one. */
function press(key, { ctrl, alt, meta }) {
  if (ctrl || alt || meta || isAnyOpen()) return false;
  const actions = { "?": () => open("keys"), d: askWhetherToDecline, s: askWhetherToStop };
  const action = actions[key.toLowerCase()];
  action?.();
  return Boolean(action);
}

document.addEventListener("keydown", (event) => {
  const { key, ctrlKey: ctrl, altKey: alt, metaKey: meta, target } = event;
  if (event.defaultPrevented || event.repeat || event.isComposing) return;
  if (byId("declining").open && key.toLowerCase() === "d") byId("declining").close("decline");
  if (target.closest("dialog")) return;
  const onControl = target.closest("button, a, summary, input");
  if (press(key, { ctrl, alt, meta })) event.preventDefault();
  else if (/^[1-9]$/.test(key) || (key === "Enter" && !onControl)) passOn(key);
});

/** A key for the page; where there is none, Enter does what the panel proposes. */
function passOn(key) {
  if (frame.isShown) frame.tell({ type: "key", key });
  else if (key === "Enter") main.querySelector(".panel .primary")?.click();
}

byId("declining").addEventListener("close", ({ target }) => {
  if (target.returnValue === "decline") decline();
});

document.addEventListener("close", ({ target }) => {
  if (target.matches("dialog") && frame.isShown) frame.focus();
}, true);

byId("stopping").addEventListener("close", ({ target }) => {
  if (target.returnValue === "stop") stop();
});

byId("stop").addEventListener("click", askWhetherToStop);

main.addEventListener("click", ({ target }) => {
  if (target.closest("[data-action=next]")) next();
  if (target.closest("[data-action=reload]")) signInAgain();
});

/** The page itself asks to sign in, and leads back here. */
function signInAgain() {
  window.removeEventListener("beforeunload", keepFromLeaving);
  window.location.reload();
}

function keepFromLeaving(event) {
  if (kept.get()) event.preventDefault();
}

window.addEventListener("beforeunload", keepFromLeaving);

setInterval(() => { if (!document.hidden) keepUp(); }, KEEP_UP);

const unsent = kept.get();
if (unsent) submit(unsent.task, unsent.answer);
else next();
