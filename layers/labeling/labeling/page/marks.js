// Regions and instants, marked on the plots by mouse, finger and keys or by typing their times: shown over every channel,
// listed under the plots, and kept in a hidden field of the form. What plots are to this is in plots.js.
(function () {
  "use strict";

  const COLORS = ["#aa3377", "#999933", "#33bbee", "#332288", "#ee3377", "#44aa99", "#777777", "#882255"];
  const CLICK = 4; // pixels: less is no stretch
  const LONGEST = 4000; // milliseconds that rows are waited for

  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const button = (text, label, onclick) => {
    const made = element("button", { type: "button", textContent: text, title: label, onclick });
    made.setAttribute("aria-label", label);
    return made;
  };
  const digits = (time) => String(Number(time.toFixed(6)));
  const within = (value, low, high) => Math.min(Math.max(value, low), high);

  // One question that is answered by marks.
  class Marking {
    constructor(block, field, plots, colorsTaken) {
      Object.assign(this, JSON.parse(block.dataset.settings), { block, field, plots, colorsTaken });
      Object.assign(this, { marks: [], armed: null, draft: null, selected: null });
      this.kind = block.dataset.kind;
      this.ofRegions = this.kind === "regions";
      this.one = this.ofRegions ? "region" : "instant";
      this.list = block.querySelector(".marks");
      this.none = block.querySelector(".none input");
      this.problem = block.querySelector(".problem");
      const add = block.querySelector(".add");
      add.onclick = () => this.hold(this.add());
      if (!plots) {
        add.hidden = true;
        this.complain("This item has no plots that can be marked.");
      }
      this.none?.addEventListener("change", () => {
        if (this.marks.length) this.none.checked = false;
        this.write();
      });
      if (plots) this.onPlots();
      field.addEventListener("change", () => this.read()); // what a portal gives back of an earlier visit
      this.read();
      document.addEventListener("crowd-read-only", () => this.fix());
      if (document.querySelector("crowd-form[read-only]")) this.fix();
    }

    // Where a portal shows an answer only to be looked at.
    fix() {
      this.fixed = true;
      if (this.plots) this.arm(null);
      for (const one of this.block.querySelectorAll("button:not([title^=Show]), input, select")) one.disabled = true;
      for (const chip of this.chips ?? []) chip.disabled = true;
      this.plots?.group.classList.add("fixed");
    }

    onPlots() {
      const { group } = this.plots;
      this.chips = this.categories.map((category) => {
        const chip = button(category, `Mark: ${category}`, () => this.arm(this.armed === category ? null : category));
        chip.prepend(element("i", { style: `background: ${this.color(category)}` }));
        chip.setAttribute("aria-pressed", "false");
        return chip;
      });
      const title = this.block.querySelector("legend").firstChild.textContent.trim();
      const bar = element("div", { className: "marks-bar" }, element("span", { textContent: title }), ...this.chips);
      bar.setAttribute("role", "toolbar");
      bar.setAttribute("aria-label", title);
      group.before(bar);
      for (const channel of this.plots.channels) this.listen(channel);
      group.addEventListener("keydown", (event) => this.key(event), true);
      group.addEventListener("shown", () => this.place());
      group.addEventListener("pointed", ({ detail }) => this.draft?.byKeys && this.drawTo(detail));
    }

    color(category) {
      return COLORS[(this.colorsTaken + this.categories.indexOf(category)) % COLORS.length];
    }

    get duration() {
      return this.plots?.duration ?? Infinity;
    }

    say(text) {
      if (this.plots) this.plots.spoken.textContent = text;
      this.problem.textContent = "";
    }

    complain(text) {
      this.problem.textContent = text;
    }

    // Rows are looked up in the bucket: until they are found, an answer isn't ready to be sent.
    async hold(work) {
      this.waiting = (this.waiting ?? 0) + 1;
      this.ready = Promise.allSettled([this.ready, work]);
      try {
        await work;
      } finally {
        this.waiting -= 1;
      }
    }

    // What a drag or the key m marks from now on; nothing: drags zoom.
    arm(category) {
      const { plots } = this;
      if (category !== null && plots.marking && plots.marking !== this) plots.marking.arm(null);
      this.armed = category;
      plots.marking = category === null ? null : this;
      this.undraw();
      plots.group.classList.toggle("marking", category !== null);
      for (const [index, chip] of this.chips.entries()) chip.setAttribute("aria-pressed", String(this.categories[index] === category));
      if (category !== null) {
        this.say(this.ofRegions
          ? `Drag over a stretch to mark it: ${category}. By keys: m begins at the cursor, m ends; Escape stops marking.`
          : `Click to mark: ${category}. By keys: m marks at the cursor; Escape stops marking.`);
        plots.group.focus({ preventScroll: true });
      }
    }

    // ---- by pointer

    listen(channel) {
      const { surface } = channel;
      const { plots } = this;
      const at = (event) => {
        const box = channel.box();
        const x = event.clientX - surface.getBoundingClientRect().left;
        return plots.timeAt(within(x, box.left, box.right), box);
      };
      surface.addEventListener("pointerdown", (event) => {
        if (this.armed === null || event.button !== 0 || event.shiftKey || event.target !== surface) return;
        event.stopImmediatePropagation();
        event.preventDefault();
        surface.setPointerCapture(event.pointerId);
        plots.group.focus({ preventScroll: true });
        this.begin(at(event), channel, { x: event.clientX, pointer: event.pointerId });
      }, true);
      surface.addEventListener("pointermove", (event) => {
        if (this.draft?.pointer === event.pointerId) this.drawTo(at(event));
      });
      surface.addEventListener("pointerup", (event) => {
        if (this.draft?.pointer !== event.pointerId) return;
        if (this.ofRegions && Math.abs(event.clientX - this.draft.x) < CLICK) this.undraw();
        else this.hold(this.finish(at(event)));
      });
      surface.addEventListener("pointercancel", () => this.undraw());
    }

    begin(time, channel, how) {
      this.undraw();
      this.draft = { ...how, category: this.armed, anchor: time, begin: time, end: time, views: [] };
      if (this.channels === "one") this.draft.channel = channel.key;
      this.show(this.draft);
    }

    drawTo(time) {
      const { draft } = this;
      [draft.begin, draft.end] = this.ofRegions ? [Math.min(draft.anchor, time), Math.max(draft.anchor, time)] : [time, time];
      this.placeOne(draft);
    }

    undraw() {
      if (this.draft) this.hide(this.draft);
      this.draft = null;
    }

    async finish(time) {
      const { category, channel, anchor, begin, end } = this.draft;
      this.undraw();
      const mark = { category, ...(channel && { channel }) };
      if (!this.ofRegions) mark.begin = mark.end = await this.row(time, mark);
      else {
        [mark.begin, mark.end] = await Promise.all([this.row(begin, mark), this.row(end, mark)]);
        for (const other of this.rivals(mark)) {
          if (other.end <= mark.begin || mark.end <= other.begin) continue;
          if (anchor < (other.begin + other.end) / 2) mark.end = other.begin;
          else mark.begin = other.end;
        }
      }
      this.take(mark);
    }

    // Add a mark, if it may stand there.
    take(mark) {
      const wrong = this.wrong(mark);
      if (wrong) {
        this.say(wrong);
        this.complain(wrong);
        return false;
      }
      this.marks.push({ ...mark, views: [] });
      this.changed(this.marks.at(-1));
      this.say(`Marked: ${this.words(mark)}.`);
      return true;
    }

    words({ category, begin, end }) {
      return this.ofRegions ? `${category}, ${digits(begin)} to ${digits(end)} s` : `${category}, ${digits(begin)} s`;
    }

    // The nearest row's time, or that of the next one in a direction, of the recordings that are marked.
    async row(time, mark, direction = 0) {
      const { plots } = this;
      if (!plots) return time;
      const files = new Set(plots.channels.filter((one) => !mark.channel || one.key === mark.channel).map((one) => one.numbers));
      // Where the numbers can't be had in time, the mark stands where it was put.
      const late = new Promise((resolve) => setTimeout(resolve, LONGEST, null));
      const found = await Promise.all([...files].map((file) => Promise.race([file.nearest(time, direction).catch(() => null), late])));
      const times = found.filter((one) => one !== null);
      if (!times.length) return direction ? time : within(time, 0, this.duration);
      return times.reduce((best, one) => (Math.abs(one - time) < Math.abs(best - time) ? one : best));
    }

    // The other marks that this one must not lie over.
    rivals(mark) {
      return this.marks.filter((other) =>
        this.ofRegions && other !== mark && other !== mark.of && other.channel === mark.channel &&
        (this.overlaps === "none" || other.category === mark.category));
    }

    // What is wrong with where a mark stands; nothing if it may.
    wrong(mark) {
      const { begin, end } = mark;
      if (!Number.isFinite(begin) || !Number.isFinite(end)) return "Type times in seconds, such as 3.25.";
      if (begin < 0 || end > this.duration) return `It must lie between 0 and ${digits(this.duration)} s.`;
      if (this.ofRegions && begin >= end) return "A region must end after it begins, from one row to another.";
      const over = this.rivals(mark).find((other) => other.begin < end && begin < other.end);
      if (over) return `It must not lie over another region: ${this.words(over)}.`;
      if (!this.marks.includes(mark) && !mark.of && this.marks.length >= this.most) return `No more than ${this.most} can be marked.`;
      return "";
    }

    // Where a mark may go without lying over others.
    room(mark) {
      const rivals = this.rivals(mark);
      return [
        Math.max(0, ...rivals.filter((one) => one.end <= mark.begin).map((one) => one.end)),
        Math.min(this.duration, ...rivals.filter((one) => one.begin >= mark.end).map((one) => one.begin)),
      ];
    }

    // ---- over the plots

    show(mark) {
      for (const channel of this.plots?.channels ?? []) {
        const own = !mark.channel || mark.channel === channel.key;
        const node = element("div", { className: `mark ${this.kind}${own ? "" : " elsewhere"}` });
        node.style.setProperty("--mark", this.color(mark.category));
        const view = { channel, node, edges: [] };
        if (own && mark !== this.draft) {
          const tab = element("span", { className: "tab", textContent: mark.category });
          this.drag(tab, mark, channel, ["begin", "end"]);
          node.append(tab);
          for (const edge of this.ofRegions ? ["begin", "end"] : ["begin"]) view.edges.push(this.edge(mark, edge, channel));
          node.append(...view.edges);
        }
        channel.surface.append(node);
        mark.views.push(view);
      }
      this.placeOne(mark);
    }

    hide(mark) {
      for (const { node } of mark.views) node.remove();
      mark.views = [];
    }

    place() {
      const boxes = new Map((this.plots?.channels ?? []).map((channel) => [channel, channel.box()]));
      for (const mark of [...this.marks, ...(this.draft ? [this.draft] : [])]) this.placeOne(mark, boxes);
    }

    placeOne(mark, boxes = new Map()) {
      const { plots } = this;
      const firstShown = mark.views.find(({ channel, edges }) => edges.length && !channel.figure.classList.contains("hidden-panel"))?.channel;
      for (const { channel, node, edges } of mark.views) {
        const box = boxes.get(channel) ?? channel.box();
        const x = (time) => box.left + ((time - plots.begin) / (plots.end - plots.begin)) * (box.right - box.left);
        const [from, to] = [Math.max(x(mark.begin), box.left), Math.min(x(mark.end), box.right)];
        node.hidden = mark.end < plots.begin || mark.begin > plots.end;
        node.style.left = `${from}px`;
        node.style.width = `${Math.max(0, to - from)}px`;
        node.style.top = `${box.top}px`;
        node.style.height = `${box.bottom - box.top}px`;
        node.classList.toggle("selected", mark === this.selected);
        for (const [index, edge] of edges.entries()) {
          const time = index ? mark.end : mark.begin;
          edge.hidden = time < plots.begin || time > plots.end;
          edge.tabIndex = channel === firstShown ? 0 : -1;
          if (channel === firstShown) edge.removeAttribute("aria-hidden");
          else edge.setAttribute("aria-hidden", "true");
          edge.setAttribute("aria-valuenow", time);
          edge.setAttribute("aria-valuetext", `${digits(time)} s`);
        }
      }
    }

    // What a mark is resized by: dragged, or moved by the arrows.
    edge(mark, which, channel) {
      const made = element("span", { className: `edge ${which}` });
      made.setAttribute("role", "slider");
      made.setAttribute("aria-label", `${mark.category}, ${this.ofRegions ? { begin: "start", end: "end" }[which] : "time"}`);
      made.setAttribute("aria-valuemin", 0);
      made.setAttribute("aria-valuemax", this.duration);
      const moved = this.ofRegions ? [which] : ["begin", "end"];
      this.drag(made, mark, channel, moved);
      made.addEventListener("keydown", (event) => {
        const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (this.fixed) return;
        if (event.key === "Delete" || event.key === "Backspace") this.remove(mark);
        else if (direction) {
          const share = event.shiftKey ? 20 : 200;
          this.steps = (this.steps ?? Promise.resolve()).then(() => this.step(mark, which, moved, direction, share)).catch(() => {});
          this.hold(this.steps);
        } else return;
        event.preventDefault();
        event.stopPropagation();
      });
      return made;
    }

    // To the row nearest to a share of the view away, or else to the next one.
    async step(mark, which, edges, direction, share) {
      if (!this.marks.includes(mark)) return;
      const before = mark[which];
      let time = await this.row(before + (direction * (this.plots.end - this.plots.begin)) / share, mark);
      if (direction * (time - before) <= 0) time = await this.row(before, mark, direction);
      if (!this.marks.includes(mark)) return; // removed meanwhile
      this.move(mark, edges, time - before);
      this.changed(mark);
    }

    // Move edges by seconds, as far as there is room.
    move(mark, edges, seconds) {
      const [low, high] = this.room(mark);
      const least = edges.includes("begin") ? low - mark.begin : mark.begin - mark.end;
      const most = edges.includes("end") ? high - mark.end : mark.end - mark.begin;
      const by = within(seconds, least, most);
      const to = Object.fromEntries(edges.map((edge) => [edge, mark[edge] + by]));
      if (this.ofRegions && !((to.begin ?? mark.begin) < (to.end ?? mark.end))) return;
      Object.assign(mark, to);
      this.placeOne(mark);
    }

    drag(handle, mark, channel, edges) {
      handle.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        event.stopPropagation();
        event.preventDefault();
        handle.setPointerCapture(event.pointerId);
        this.select(mark);
        const before = { begin: mark.begin, end: mark.end };
        const box = channel.box();
        const seconds = (this.plots.end - this.plots.begin) / (box.right - box.left);
        handle.onpointermove = (now) => {
          const { begin, end } = mark;
          Object.assign(mark, before);
          const room = this.room(mark);
          this.move(mark, edges, (now.clientX - event.clientX) * seconds);
          if (mark.begin >= mark.end && this.ofRegions) Object.assign(mark, { begin, end });
          this.plots.point(within(mark[edges[0]], ...room));
        };
        handle.onpointercancel = () => {
          handle.onpointermove = handle.onpointerup = null;
          Object.assign(mark, before);
          this.placeOne(mark);
        };
        handle.onpointerup = () => {
          handle.onpointermove = handle.onpointerup = null;
          this.hold(this.settle(mark, edges, before));
        };
      });
    }

    // Put edges that were dragged on rows; back to where they were, if they may not stand there.
    async settle(mark, edges, before) {
      const [begin, end] = await Promise.all(["begin", "end"].map((one) => (edges.includes(one) ? this.row(mark[one], mark) : mark[one])));
      if (!this.marks.includes(mark)) return; // removed meanwhile
      const rounded = { ...mark, begin, end, of: mark };
      Object.assign(mark, this.wrong(rounded) ? before : { begin, end });
      this.changed(mark);
    }

    key(event) {
      if (event.target !== this.plots.group || event.ctrlKey || event.metaKey || event.altKey) return;
      const { plots } = this;
      if (this.fixed) return;
      const mine = plots.marking ? plots.marking === this : plots.group.plotsMarkings[0] === this;
      if (event.key === "Escape" && mine && (this.draft || this.armed !== null)) {
        if (this.draft) this.undraw();
        else this.arm(null);
        this.say("Not marking.");
      } else if (event.key === "m" && mine) this.markByKeys();
      else if ((event.key === "Delete" || event.key === "Backspace") && this.selected) this.remove(this.selected);
      else return;
      event.preventDefault();
      event.stopImmediatePropagation();
    }

    markByKeys() {
      const { plots } = this;
      if (this.armed === null) this.arm(this.categories[0]);
      const time = plots.cursorTime ?? (plots.begin + plots.end) / 2;
      plots.point(time);
      const channel = plots.channels.find((one) => !one.figure.classList.contains("hidden-panel"));
      if (this.draft) this.hold(this.finish(time));
      else {
        this.begin(time, channel, { byKeys: true });
        if (!this.ofRegions) this.hold(this.finish(time));
        else this.say(`${this.armed} begins at ${digits(time)} s. Move the cursor with the arrows; m ends it, Escape drops it.`);
      }
    }

    select(mark) {
      if (mark) for (const other of this.plots?.group.plotsMarkings ?? []) if (other !== this) other.select(null);
      this.selected = mark;
      this.place();
      for (const row of this.list.children) row.classList.toggle("selected", row.mark === mark);
    }

    remove(mark) {
      if (!this.marks.includes(mark)) return;
      this.hide(mark);
      this.marks.splice(this.marks.indexOf(mark), 1);
      this.selected = null;
      this.changed();
      this.say(`Removed: ${this.words(mark)}.`);
      (this.plots?.group ?? this.block.querySelector(".add")).focus({ preventScroll: true });
    }

    // ---- in words, and in the form

    changed(mark = this.selected) {
      for (const one of this.marks) {
        if (!one.views.length) this.show(one);
      }
      if (this.none && this.marks.length) this.none.checked = false;
      this.select(mark);
      this.listAll();
      this.write();
    }

    listAll() {
      const rows = this.marks.toSorted((one, other) => one.begin - other.begin).map((mark) => {
        const known = [...this.list.children].find((row) => row.mark === mark) ?? this.lineOf(mark);
        for (const field of known.querySelectorAll("[data-of]")) {
          if (!known.classList.contains("wrong") && (field !== document.activeElement || field.type !== "number")) field.value = field.type === "number" ? digits(mark[field.dataset.of]) : mark[field.dataset.of];
        }
        return known;
      });
      const typedIn = document.activeElement;
      for (const row of [...this.list.children]) if (!rows.includes(row)) row.remove();
      for (const [index, row] of rows.entries()) if (this.list.children[index] !== row) this.list.insertBefore(row, this.list.children[index] ?? null);
      if (this.list.contains(typedIn)) typedIn.focus({ preventScroll: true }); // rows that move lose it
      if (this.fixed) this.fix();
    }

    lineOf(mark) {
      const row = element("li", { mark });
      const labelled = (text, field) => element("label", {}, `${text} `, field);
      const choice = (of, names) => {
        const made = element("select", { onchange: () => this.hold(this.edit(row)) }, ...names.map(([value, text]) => element("option", { value, textContent: text })));
        made.dataset.of = of;
        return made;
      };
      const time = (of, text) => {
        const made = element("input", { type: "number", step: "any", min: 0, onchange: () => this.hold(this.edit(row)) });
        made.dataset.of = of;
        return labelled(text, made);
      };
      row.append(element("i", { style: `background: ${this.color(mark.category)}` }));
      if (this.categories.length > 1) row.append(labelled("What", choice("category", this.categories.map((one) => [one, one]))));
      else row.append(mark.category);
      row.append(...(this.ofRegions ? [time("begin", "from"), time("end", "to")] : [time("begin", "at")]), " s ");
      if (this.channels === "one") row.append(labelled("in", choice("channel", (this.plots?.channels ?? []).map((one) => [one.key, one.name]))));
      if (this.plots) row.append(button("Show", "Show it in the plots", () => {
        const margin = (mark.end - mark.begin) / 2 || (this.plots.end - this.plots.begin) / 4;
        this.select(mark);
        this.plots.show(Math.max(0, mark.begin - margin), mark.end + margin);
      }));
      row.append(button("Remove", "Remove it", () => this.remove(mark)));
      row.addEventListener("focusin", () => this.select(mark));
      return row;
    }

    // What is typed is taken as a whole; while it can't be, it stays as it was typed, and the mark as it was.
    async edit(row) {
      const { mark } = row;
      const next = { ...mark, of: mark };
      const fields = [...row.querySelectorAll("[data-of]")];
      for (const field of fields) {
        const { of } = field.dataset;
        if (field.type !== "number") next[of] = field.value;
        else if (field.value !== digits(mark[of])) {
          const typed = field.valueAsNumber;
          const known = Math.abs(typed - this.duration) < 1e-6 ? this.duration : typed; // as it is shown, rounded
          next[of] = known >= 0 && known <= this.duration ? await this.row(known, next) : known;
        }
      }
      if (!this.ofRegions) next.end = next.begin;
      if (!this.marks.includes(mark)) return; // removed meanwhile
      const wrong = this.wrong(next);
      row.classList.toggle("wrong", Boolean(wrong));
      if (wrong) {
        this.complain(wrong);
        return;
      }
      this.complain("");
      delete next.of;
      this.hide(mark);
      Object.assign(mark, next, { views: [] });
      row.querySelector("i").style.background = this.color(mark.category);
      this.changed(mark);
      for (const field of fields) if (field.type === "number") field.value = digits(mark[field.dataset.of]);
    }

    // Where the first gap between others begins.
    free(mark) {
      const rivals = this.rivals({ ...mark, begin: 0, end: 0 }).toSorted((one, other) => one.begin - other.begin);
      let begin = 0;
      for (const other of rivals) {
        if (other.begin > begin) break;
        begin = Math.max(begin, other.end);
      }
      return begin;
    }

    // A new mark whose times are typed.
    async add() {
      const { plots } = this;
      const from = plots?.begin ?? 0;
      const length = plots ? plots.end - plots.begin : 1;
      const mark = { category: this.armed ?? this.categories[0] };
      if (this.channels === "one") mark.channel = plots?.channels[0].key;
      const middle = plots?.cursorTime ?? from + length / 2;
      mark.begin = mark.end = await this.row(middle, mark);
      const over = this.rivals(mark).find((other) => other.begin <= mark.begin && mark.begin < other.end);
      if (over) mark.begin = mark.end = this.free(mark);
      if (this.ofRegions) {
        const [, high] = this.room(mark);
        mark.end = await this.row(Math.min(mark.begin + length / 20, high), mark);
        if (mark.end <= mark.begin) mark.end = await this.row(mark.begin, mark, 1);
      }
      if (!this.take(mark)) return;
      [...this.list.children].find((row) => row.mark === this.selected)?.querySelector("[type=number]").select();
    }

    read() {
      let kept;
      try {
        kept = JSON.parse(this.field.value || "{}");
      } catch {
        return;
      }
      if (this.field.value === this.written) return;
      for (const mark of this.marks) this.hide(mark);
      this.marks = (kept[this.kind] ?? []).map(({ time, ...mark }) => ({ begin: time, end: time, ...mark, views: [] }));
      if (this.none) this.none.checked = Boolean(kept[this.kind]) && !this.marks.length;
      this.reading = true; // nobody did anything
      this.changed(null);
      this.reading = false;
    }

    write() {
      const marks = this.marks.toSorted((one, other) => one.begin - other.begin).map(({ category, begin, end, channel }) => ({
        category,
        ...(channel && { channel }),
        ...(this.ofRegions ? { begin, end } : { time: begin }),
      }));
      const said = marks.length > 0 || !this.none || this.none.checked;
      const answer = { [this.kind]: marks, ...(Number.isFinite(this.duration) && { duration: this.duration }) };
      const text = said ? JSON.stringify(answer) : "";
      if (text === this.field.value) return;
      this.written = this.field.value = text;
      if (!this.reading) this.field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  const group = document.querySelector(".plots.live");
  const markings = [];
  for (const block of document.querySelectorAll(".question[data-kind=regions], .question[data-kind=instants]")) {
    const taken = markings.reduce((sum, one) => sum + one.categories.length, 0);
    markings.push(new Marking(block, document.getElementsByName(block.dataset.name)[0], group?.plots, taken));
  }
  if (group) group.plotsMarkings = markings;
  const form = document.querySelector("crowd-form");
  let sending = false;
  form?.addEventListener(
    "submit",
    (event) => {
      const begun = markings.find((one) => one.draft?.byKeys);
      const wrong = markings.find((one) => one.list.querySelector(".wrong"));
      const waits = markings.some((one) => one.waiting);
      if (!begun && !wrong && !waits) return;
      event.preventDefault();
      if (begun) begun.complain("A region is begun and not ended: m ends it, Escape drops it.");
      if (begun || wrong || sending) return;
      sending = true;
      event.stopImmediatePropagation();
      Promise.all(markings.map((one) => one.ready)).then(() => {
        sending = false;
        const submit = form.querySelector("crowd-button[form-action=submit]") ?? form.shadowRoot?.querySelector("[form-action=submit]");
        if (submit) submit.click(); // all that is checked of a submission is checked again
        else form.submit();
      });
    },
    true,
  );
})();
