// Regions and instants, marked on the plots by mouse, finger and keys or by typing their times: shown over every channel,
// listed under the plots, and kept in a hidden field of the form. What plots are to this is in plots.js.
(function () {
  "use strict";

  const COLORS = ["#aa3377", "#999933", "#33bbee", "#332288", "#ee3377", "#44aa99", "#777777", "#882255"];
  const CLICK = 4; // pixels: less is no stretch

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
      block.querySelector(".add").onclick = () => this.add(this.list.querySelectorAll("li").length);
      this.none?.addEventListener("change", () => this.write());
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
        else this.finish(at(event));
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
      const found = await Promise.all([...files].map((file) => file.nearest(time, direction).catch(() => null)));
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
          const first = !mark.views.some((one) => one.edges.length);
          for (const edge of this.ofRegions ? ["begin", "end"] : ["begin"]) view.edges.push(this.edge(mark, edge, channel, first));
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
      for (const mark of [...this.marks, ...(this.draft ? [this.draft] : [])]) this.placeOne(mark);
    }

    placeOne(mark) {
      const { plots } = this;
      for (const { channel, node, edges } of mark.views) {
        const box = channel.box();
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
          edge.setAttribute("aria-valuenow", time);
          edge.setAttribute("aria-valuetext", `${digits(time)} s`);
        }
      }
    }

    // What a mark is resized by: dragged, or moved by the arrows.
    edge(mark, which, channel, first) {
      const made = element("span", { className: `edge ${which}`, tabIndex: first ? 0 : -1 });
      made.setAttribute("role", "slider");
      made.setAttribute("aria-label", `${mark.category}, ${this.ofRegions ? { begin: "start", end: "end" }[which] : "time"}`);
      made.setAttribute("aria-valuemin", 0);
      made.setAttribute("aria-valuemax", this.duration);
      if (!first) made.setAttribute("aria-hidden", "true");
      const moved = this.ofRegions ? [which] : ["begin", "end"];
      this.drag(made, mark, channel, moved);
      made.addEventListener("keydown", async (event) => {
        const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (this.fixed) return;
        if (event.key === "Delete" || event.key === "Backspace") this.remove(mark);
        else if (direction) {
          const step = (direction * (this.plots.end - this.plots.begin)) / (event.shiftKey ? 20 : 200);
          let time = await this.row(mark[which] + step, mark);
          if (direction * (time - mark[which]) <= 0) time = await this.row(mark[which], mark, direction);
          this.move(mark, moved, time - mark[which]);
          this.changed(mark);
        } else return;
        event.preventDefault();
        event.stopPropagation();
      });
      return made;
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
        handle.onpointerup = async () => {
          handle.onpointermove = handle.onpointerup = null;
          const [begin, end] = await Promise.all(["begin", "end"].map((one) => (edges.includes(one) ? this.row(mark[one], mark) : mark[one])));
          const rounded = { ...mark, begin, end, of: mark };
          Object.assign(mark, this.wrong(rounded) ? before : { begin, end });
          this.changed(mark);
        };
      });
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
      if (this.draft) this.finish(time);
      else {
        this.begin(time, channel, { byKeys: true });
        if (!this.ofRegions) this.finish(time);
        else this.say(`${this.armed} begins at ${digits(time)} s. Move the cursor with the arrows; m ends it, Escape drops it.`);
      }
    }

    select(mark) {
      this.selected = mark;
      this.place();
      for (const row of this.list.children) row.classList.toggle("selected", row.mark === mark);
    }

    remove(mark) {
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
          if (field !== document.activeElement || field.type !== "number") field.value = field.type === "number" ? digits(mark[field.dataset.of]) : mark[field.dataset.of];
        }
        return known;
      });
      // What stays in place keeps the focus of who types in it.
      for (const row of [...this.list.children]) if (!rows.includes(row)) row.remove();
      for (const [index, row] of rows.entries()) if (this.list.children[index] !== row) this.list.insertBefore(row, this.list.children[index] ?? null);
      if (this.fixed) this.fix();
    }

    lineOf(mark) {
      const row = element("li", { mark });
      const labelled = (text, field) => element("label", {}, `${text} `, field);
      const choice = (of, names) => {
        const made = element("select", { onchange: () => this.edit(row, of, made.value) }, ...names.map(([value, text]) => element("option", { value, textContent: text })));
        made.dataset.of = of;
        return made;
      };
      const time = (of, text) => {
        const made = element("input", { type: "number", step: "any", min: 0, onchange: () => this.edit(row, of, made.valueAsNumber) });
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
      row.onfocusin = () => this.select(mark);
      return row;
    }

    async edit(row, of, value) {
      const { mark } = row;
      const next = { ...mark, [of]: value, of: mark };
      if (!this.ofRegions && of === "begin") next.end = value;
      if (Number.isFinite(value)) {
        next[of] = value >= 0 && value <= this.duration ? await this.row(value, mark) : value;
        if (!this.ofRegions) next.end = next.begin;
      }
      const wrong = this.wrong(next);
      this.complain(wrong);
      if (!wrong) {
        delete next.of;
        this.hide(mark);
        Object.assign(mark, next, { views: [] });
        row.querySelector("i").style.background = this.color(mark.category);
      }
      this.changed(mark);
      for (const field of row.querySelectorAll("[type=number]")) field.value = digits(mark[field.dataset.of]);
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
      if (this.ofRegions) mark.end = await this.row(Math.min(middle + length / 20, this.duration), mark);
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
      this.changed(null);
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
      this.field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  const group = document.querySelector(".plots.live");
  const markings = [];
  for (const block of document.querySelectorAll(".question[data-kind=regions], .question[data-kind=instants]")) {
    const taken = markings.reduce((sum, one) => sum + one.categories.length, 0);
    markings.push(new Marking(block, document.getElementsByName(block.dataset.name)[0], group?.plots, taken));
  }
  if (group) group.plotsMarkings = markings;
})();
