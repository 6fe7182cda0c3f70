// The time left for a task.

const WARN_AT = 60; // seconds

/** Counts down on the screen; calls `late` once near the end and `over` at the end. */
export class Clock {
  #box; #text; #timer = null;

  constructor(box, text) {
    this.#box = box;
    this.#text = text;
  }

  start(seconds, { late, over }) {
    this.stop();
    const end = Date.now() + seconds * 1000;
    let warned = false;
    const tick = () => {
      const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      this.#text.textContent = spoken(left);
      this.#box.hidden = false;
      this.#box.classList.toggle("late", left <= WARN_AT);
      if (left <= WARN_AT && !warned) {
        warned = true;
        late();
      }
      if (left > 0) return;
      this.stop();
      over();
    };
    this.#timer = setInterval(tick, 250);
    tick();
  }

  stop() {
    clearInterval(this.#timer);
    this.#box.hidden = true;
  }
}

function spoken(seconds) {
  const pad = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  return hours ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}
