// On the list of jobs: answers that wait in this browser are sent from here too, and said.

import { Outbox } from "./outbox.js";
import { ConnectionLost, post } from "./server.js";

const EVERY = 3000; // milliseconds

const notice = document.getElementById("unsent");
const { worker } = notice.dataset;
let sent = 0;
let isRefused = false;

async function send() {
  for (const outbox of Outbox.all(worker)) {
    for (const entry of outbox.waiting) {
      const outcome = await post(entry.path, { worker, ...entry.body });
      // One that is refused is shown with its answer where it was given, as one that asks to sign in again is.
      isRefused = outcome.state !== "submitted";
      if (isRefused) return;
      outbox.remove(entry);
      sent += 1;
    }
  }
}

async function look() {
  try {
    await send();
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
  }
  const waiting = Outbox.all(worker).flatMap((outbox) => outbox.waiting).length;
  notice.hidden = waiting === 0 && sent === 0;
  const text = waiting ? `${counted(waiting)} in this browser to be sent. Open the job that ${waiting === 1 ? "it is" : "they are"} of if this stays.`
    : `What waited in this browser was sent: ${sent === 1 ? "1 answer" : `${sent} answers`}.`;
  if (notice.textContent !== text) notice.textContent = text;
  notice.classList.toggle("warn", waiting > 0);
  notice.classList.toggle("good", waiting === 0);
  if (waiting && !isRefused) setTimeout(look, EVERY);
}

function counted(number) {
  return number === 1 ? "1 answer of yours waits" : `${number} answers of yours wait`;
}

window.addEventListener("online", look);
look();
