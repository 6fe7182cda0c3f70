// Photographs that can be looked at closely where they stand, beside the plots, and when enlarged: with the wheel, by
// fingers, with the keys + and −, or with the buttons; dragging moves what is zoomed in.
(function () {
  "use strict";

  const MOST = 20; // times
  const STEP = 1.4; // of a key or button

  class Zoomed {
    constructor(frame, image) {
      Object.assign(this, { frame, image, scale: 1, x: 0, y: 0, moved: false, fingers: new Map() });
      image.style.transformOrigin = "0 0";
      image.draggable = false;
      frame.classList.add("zooms");
      frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      frame.addEventListener("keydown", (event) => this.key(event));
      frame.addEventListener("pointerdown", (event) => this.down(event));
      frame.addEventListener("pointermove", (event) => this.move(event));
      for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
      // What ends a drag is no click on the picture.
      frame.addEventListener("click", (event) => this.moved && (event.stopPropagation(), event.preventDefault()), true);
    }

    reset() {
      Object.assign(this, { scale: 1, x: 0, y: 0 });
      this.apply();
    }

    apply() {
      const { clientWidth: width, clientHeight: height } = this.frame;
      this.x = Math.min(0, Math.max(this.x, width - width * this.scale));
      this.y = Math.min(0, Math.max(this.y, height - height * this.scale));
      this.image.style.transform = this.scale === 1 ? "" : `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
      this.frame.classList.toggle("zoomed", this.scale > 1);
    }

    // Zoom so that what lies at a place of the frame stays there; at its middle, if none is given.
    zoom(factor, left = this.frame.clientWidth / 2, top = this.frame.clientHeight / 2) {
      const scale = Math.min(MOST, Math.max(1, this.scale * factor));
      this.x = left - ((left - this.x) / this.scale) * scale;
      this.y = top - ((top - this.y) / this.scale) * scale;
      this.scale = scale;
      this.apply();
    }

    place(event) {
      const box = this.frame.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    }

    wheel(event) {
      // A page that is scrolled through must not zoom under the pointer.
      if (!event.ctrlKey && this.scale === 1 && !this.frame.contains(document.activeElement)) return;
      event.preventDefault();
      this.zoom(Math.exp(-Math.max(-300, Math.min(300, event.deltaY)) / 300), ...this.place(event));
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const way = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (event.key === "+" || event.key === "=") this.zoom(STEP);
      else if (event.key === "-" || event.key === "_") this.zoom(1 / STEP);
      else if (event.key === "Home") this.reset();
      else if (way && this.scale > 1) {
        this.x += way[0] * 60;
        this.y += way[1] * 60;
        this.apply();
      } else return;
      event.preventDefault();
      event.stopPropagation();
    }

    down(event) {
      if (event.button !== 0) return;
      this.moved = false;
      this.fingers.set(event.pointerId, this.place(event));
      if (this.scale > 1 || this.fingers.size > 1) this.frame.setPointerCapture(event.pointerId);
    }

    move(event) {
      const before = this.fingers.get(event.pointerId);
      if (!before) return;
      const now = this.place(event);
      const others = [...this.fingers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      if (others.length === 1) {
        const away = (place) => Math.hypot(place[0] - others[0][0], place[1] - others[0][1]);
        this.moved = true;
        this.zoom(away(now) / Math.max(1, away(before)), (now[0] + others[0][0]) / 2, (now[1] + others[0][1]) / 2);
      } else if (this.scale > 1 && (this.moved || Math.hypot(now[0] - before[0], now[1] - before[1]) > 3)) {
        this.moved = true;
        this.x += now[0] - before[0];
        this.y += now[1] - before[1];
        this.apply();
      } else return;
      this.fingers.set(event.pointerId, now);
    }
  }

  for (const figure of document.querySelectorAll(".images .panel")) {
    const frame = figure.querySelector("button");
    if (!frame) continue;
    const zoomed = new Zoomed(frame, frame.querySelector("img"));
    const name = figure.dataset.name;
    const tools = document.createElement("div");
    tools.className = "tools";
    const ways = [["+", "zoom in", () => zoomed.zoom(STEP)], ["−", "zoom out", () => zoomed.zoom(1 / STEP)], ["Reset", "as at first", () => zoomed.reset()]];
    for (const [text, label, act] of ways) {
      const made = Object.assign(document.createElement("button"), { type: "button", textContent: text, title: `${name}: ${label}`, onclick: act });
      made.setAttribute("aria-label", `${name}: ${label}`);
      tools.append(made);
    }
    figure.append(tools);
  }

  const dialog = document.getElementById("enlarged");
  if (dialog) {
    const zoomed = new Zoomed(dialog.querySelector(".picture"), dialog.querySelector("img"));
    // Another picture, or the same one again, begins as a whole.
    new MutationObserver(() => zoomed.reset()).observe(dialog, { attributes: true, subtree: true, attributeFilter: ["src", "open"] });
  }
})();
