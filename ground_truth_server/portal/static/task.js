// The task page: takes a task, shows its worker page, sends the answer, takes the next.

import { Beside } from "./beside.js";
import { Clock } from "./clock.js";
import { isAnyOpen, open } from "./dialogs.js";
import { Drafts, isAnswer } from "./drafts.js";
import { Outbox } from "./outbox.js";
import { PageFrame } from "./page_frame.js";
import { Remark } from "./remark.js";
import { ConnectionLost, get, getPart, Persistence, post } from "./server.js";

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
const outbox = new Outbox(worker, job);
const drafts = new Drafts(worker, job);
const beside = new Beside(byId("beside"), sandbox, () => frame.focus());
const remark = new Remark(byId("remark"), byId("why"), {
  changed: () => { if (isWorkable()) keepDraft(task.entered); },
  left: () => frame.focus(),
  submit: () => frame.tell({ type: "key", key: "Enter" }),
});

let task = null; // in hand, or one whose answer is corrected
let former = null; // what was entered for its object before the time of another task was up
let answered = null; // the task that was answered last on this page
let inSight = null; // the task whose page is shown: another one than that in hand while the next page loads
let sending = false;
let askAgain = null;
let paused = ""; // why there was no task the last time, as it is shown
let hasEntered = false; // something that would be gone with the task
let isUnsafe = false; // the browser keeps nothing: what waits is in this page alone

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
  setSending(false);
  tellProblem("");
  byId("correcting").hidden = !task.isCorrection;
  if (task.isCorrection) {
    byId("correcting").querySelector("p").textContent = `You correct your answer to object ${task.object}.`;
  } else {
    late.hidden = true;
    clock.start(task.secondsLeft, { late: () => { late.hidden = false; }, over: timeIsUp });
  }
  const before = draftOf(task);
  task.entered = before?.answer ?? null;
  hasEntered = before !== null;
  remark.show(before?.remark ?? "");
  keepUp();
  const messages = before?.answer ? [{ type: "restore", answer: before.answer }] : [];
  const ready = await frame.show(task.page, `Task: object ${task.object}`, messages);
  if (task !== found) return;
  inSight = task;
  byId("offered").hidden = former === null || !ready;
  setSending(false);
  if (!ready) {
    frame.clear();
    showPanel(byId("not-loading").content.cloneNode(true));
    return;
  }
  clearPanel();
  if (!isAnyOpen()) frame.focus();
  if (former !== null) announce("The next task is here. You had begun it before: what you entered then can be put in.");
  else if (task.isCorrection) announce(`Your answer to object ${task.object} is here to be corrected.`);
  else announce(before ? "The task is here, with what you had entered." : "The next task is here.");
}

async function submit(answer) {
  const { id, object, isCorrection, version } = task;
  const path = `/tasks/${id}/${isCorrection ? "correct" : "answer"}`;
  const body = { answer, remark: remark.text, ...(isCorrection ? { version } : {}) };
  const entry = { path, task: id, object, draft: nameOf(task), body };
  setSending(true);
  keepDraft(answer);
  isUnsafe = !outbox.add(entry);
  const outcome = await deliver(entry);
  isUnsafe = false;
  if (outcome.state === "refused") {
    refuse(outcome);
  } else if (outcome.state !== "submitted") {
    setSending(false);
    frame.tell({ type: "rejected", message: outcome.message });
  } else {
    answered = id;
    say(isCorrection ? "Corrected" : "Submitted");
    await next();
  }
}

/** Send an answer until the server says what becomes of it. One that needs another sign-in waits for that. */
async function deliver(entry) {
  const outcome = await send(entry.path, entry.body, SAFE);
  if (outcome.kind === "session-over" || outcome.kind === "signed-out") return outcome;
  outbox.remove(entry);
  if (outcome.kind === "expired") drafts.set(entry.draft, entry.task, entry.body.answer, entry.body.remark);
  else if (outcome.state) forgetDraft(entry.draft);
  return outcome;
}

async function decline() {
  if (!isInHand()) return;
  setSending(true);
  const { id } = task;
  const outcome = await send(`/tasks/${id}/decline`);
  if (outcome.state === "refused") {
    refuse(outcome);
    return;
  }
  forgetDraft(nameOf(task));
  say("Declined");
  await next();
}

// -- for later, and from before

async function putAside() {
  if (!isInHand()) return;
  setSending(true);
  const outcome = await send(`/tasks/${task.id}/aside`);
  if (outcome.kind === "too-many") {
    setSending(false);
    tellProblem(outcome.message);
  } else if (outcome.state === "refused") {
    refuse(outcome);
  } else {
    say("Put aside");
    await next();
  }
}

async function takeUp(id) {
  if (sending) return;
  setSending(true);
  const outcome = await send(`/tasks/${id}/take-up`);
  if (outcome.state === "refused") {
    refuse(outcome);
    return;
  }
  say("Taken up again");
  await next();
}

/** Open an own answer to correct it; false if that can't be. */
async function correct(id) {
  if (sending) return false;
  const item = await lost.until(() => get(`/tasks/${encodeURIComponent(id)}/own`));
  if (item.page === undefined || !item.correctable) {
    tellProblem(item.message ?? "That answer can't be corrected any more: its label is being made or is there.");
    return false;
  }
  clearTimeout(askAgain);
  await begin({ ...item, isCorrection: true });
  return true;
}

function correctLast() {
  if (answered !== null) correct(answered);
  else showOwnItems();
}

async function showBeside(id) {
  const item = await lost.until(() => get(`/tasks/${encodeURIComponent(id)}/own`));
  if (item.page === undefined) tellProblem(item.message ?? "That item can't be shown.");
  else await beside.open(item);
}

async function showOwnItems() {
  const list = byId("own-items");
  list.textContent = "One moment…";
  open("yours");
  list.innerHTML = await lost.until(() => getPart(`${jobPath}/own`));
}

// -- drafts

/** What a draft is kept under. */
function nameOf({ id, object, isCorrection }) { return isCorrection ? `correction ${id}` : `object ${object}`; }

/** What to put in at the beginning; what was entered while the object was another task of this worker's is offered. */
function draftOf(found) {
  const name = nameOf(found);
  let draft = drafts.get(name);
  if (found.isCorrection) {
    former = null;
    return draft ?? { answer: found.answer, remark: found.remark };
  }
  if (draft !== null && draft.task !== found.id) {
    drafts.set(`former ${name}`, draft.task, draft.answer, draft.remark);
    drafts.clear(name);
    draft = null;
  }
  former = drafts.get(`former ${name}`);
  return draft;
}

function keepDraft(answer) {
  task.entered = answer;
  const isKept = drafts.set(nameOf(task), task.id, answer, remark.text);
  if (!isKept) tellProblem("This browser has no room to keep what you enter: a reload would lose it.");
}

function forgetDraft(name) {
  drafts.clear(name);
  drafts.clear(`former ${name}`);
}

/** Put in what was entered before the task went back and came again, or leave it. */
function settleOffer(isTaken) {
  byId("offered").hidden = true;
  drafts.clear(`former ${nameOf(task)}`);
  if (isTaken) {
    if (former.answer) frame.tell({ type: "restore", answer: former.answer });
    remark.show(former.remark);
    keepDraft(former.answer);
    announce("What you had entered is in the task.");
  }
  former = null;
  frame.focus();
}

function askWhetherToStop() {
  if (!isStoppable()) return;
  if (hasEntered) open("stopping");
  else stop();
}

async function stop() {
  if (!isStoppable()) return;
  setSending(true);
  clock.stop();
  await send(`/tasks/${task.id}/release`);
  window.location.assign(`/?left=${encodeURIComponent(document.querySelector("h1").textContent)}`);
}

function timeIsUp() {
  if (sending) return; // the answer is on its way: the server says whether it came in time
  if (task?.isCorrection) { // another task's time: what was entered for it is kept
    say("The time for the other task is up");
    return;
  }
  const isKept = drafts.get(nameOf(task)) !== null;
  end();
  const panel = byId("too-late").content.cloneNode(true);
  panel.querySelector(isKept ? "[data-nothing]" : "[data-kept]").remove();
  showPanel(panel);
}

function refuse(outcome) {
  end();
  showPanel(fragmentOf(outcome.panel ?? `<section class="panel"><h2 tabindex="-1">That did not work</h2></section>`));
}

/** There is no task now: say why, and look again if that may change. */
async function pause(turn) {
  const shown = main.querySelector(".panel")?.dataset.state;
  const focused = main.querySelector(".panel")?.contains(document.activeElement) ? document.activeElement.id : "";
  end();
  if (shown !== turn.state || paused !== turn.panel) { // else what is seen is the same, and somebody may be about to press it
    showPanel(fragmentOf(turn.panel), { takeFocus: shown !== turn.state });
    if (shown === turn.state && focused) byId(focused)?.focus();
  }
  paused = turn.panel;
  if (turn.mayChange) askAgain = setTimeout(next, ASK_AGAIN);
}

function end() {
  task = inSight = former = null;
  clock.stop();
  for (const notice of [late, byId("offered"), byId("correcting")]) notice.hidden = true;
  remark.show("");
  frame.cancel();
  frame.clear();
  setSending(false);
  keepUp();
}

// -- what is on the screen

function setSending(now) {
  sending = now;
  busy.classList.toggle("moving", now || task !== inSight);
  byId("decline").disabled = byId("aside").disabled = !isInHand();
  byId("stop").disabled = !isStoppable();
  remark.disabled = !isWorkable();
}

/** Whether the worker may act on what is seen: a page left over from the task before says nothing any more. */
function isWorkable() { return task !== null && task === inSight && !sending; }

/** Whether what is seen is a task in the worker's hand, and not an answer of before. */
function isInHand() { return isWorkable() && !task.isCorrection; }

function isStoppable() { return task !== null && !task.isCorrection && !sending; }

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

/** Say what did not work, until the next task. */
function tellProblem(text) {
  byId("told").querySelector("p").textContent = text;
  byId("told").hidden = text === "";
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

function showProgress({ number, available, given, needed, aside, secondsEach }) {
  byId("how-far").hidden = needed === undefined;
  if (needed === undefined) {
    byId("number").textContent = byId("left").textContent = byId("put-aside").textContent = "";
    return;
  }
  const name = task?.isCorrection ? `Correcting object ${task.object}` : `Task ${number}`;
  byId("number").textContent = task ? name : "";
  byId("left").textContent = task ? `${available} left for you${duration(available, secondsEach)}` : "";
  byId("put-aside").textContent = aside ? `${aside} put aside` : "";
  document.title = task ? `${name} · ${title}` : title;
  Object.assign(byId("progress"), { max: needed || 1, value: given });
  byId("done").textContent = `${given} of ${needed} answers`;
}

/** About how long so many tasks take, as the worker's last ones took. */
function duration(tasks, secondsEach) {
  if (!secondsEach || !tasks) return "";
  const minutes = Math.round((tasks * secondsEach) / 60);
  if (minutes < 1) return ", less than a minute";
  if (minutes < 90) return `, about ${minutes} min`;
  return `, about ${Math.floor(minutes / 60)} h ${Math.round((minutes % 60) / 5) * 5} min`;
}

// -- what the page, the keys and the buttons say

function heard(message) {
  if (message.type === "answer" && isWorkable()) submit(message.answer);
  else if (message.type === "draft" && isWorkable() && isAnswer(message.answer)) keepDraft(message.answer);
  else if (message.type === "decline") askWhetherToDecline();
  else if (message.type === "entered") hasEntered ||= isWorkable();
  else if (message.type === "incomplete" && isInHand()) post(`/tasks/${task.id}/incomplete`, { worker, elements: message.elements });
  else if (message.type === "trouble" && isInHand()) post(`/tasks/${task.id}/incomplete`, { worker, trouble: message.text });
  else if (message.type === "key") press(message.key, message);
}

function askWhetherToDecline() {
  if (isInHand()) open("declining");
}

/** The portal's own keys; true if it was one. */
function press(key, { ctrl, alt, meta }) {
  if (ctrl || alt || meta || isAnyOpen()) return false;
  const actions = {
    "?": () => open("keys"), d: askWhetherToDecline, s: askWhetherToStop, p: putAside, b: correctLast, y: showOwnItems,
    r: () => remark.toggle(),
  };
  const action = actions[key.toLowerCase()];
  action?.();
  return Boolean(action);
}

document.addEventListener("keydown", (event) => {
  const { key, ctrlKey: ctrl, altKey: alt, metaKey: meta, target } = event;
  if (event.defaultPrevented || event.repeat || event.isComposing) return;
  if (byId("declining").open && key.toLowerCase() === "d") byId("declining").close("decline");
  if (target.closest("dialog, textarea")) return;
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

byId("aside").addEventListener("click", putAside);
byId("own").addEventListener("click", showOwnItems);
byId("correcting").querySelector("button").addEventListener("click", () => { if (!sending) next(); });
byId("told").querySelector("button").addEventListener("click", () => { tellProblem(""); frame.focus(); });
byId("offered").addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button && isWorkable()) settleOffer(button.value === "take");
});

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-beside], [data-correct], [data-take-up]");
  if (!button) return;
  byId("yours").close();
  const { beside: shown, correct: corrected, takeUp: taken } = button.dataset;
  if (shown) showBeside(shown);
  else if (corrected) correct(corrected);
  else takeUp(taken);
});

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
  if (isUnsafe) event.preventDefault();
}

window.addEventListener("beforeunload", keepFromLeaving);

setInterval(() => { if (!document.hidden) keepUp(); }, KEEP_UP);

/** First what waits from before is sent; then what the address asks for, or the next task. */
async function start() {
  const asked = new URLSearchParams(window.location.search);
  if (window.location.search) window.history.replaceState(null, "", window.location.pathname);
  for (const entry of outbox.waiting) {
    const outcome = await deliver(entry);
    if (outcome.state === "refused") {
      refuse(outcome);
      return;
    }
    if (outcome.state === "submitted") say("Submitted");
  }
  if (!asked.get("correct") || !await correct(asked.get("correct"))) await next();
  if (asked.get("beside")) await showBeside(asked.get("beside"));
}

start();
