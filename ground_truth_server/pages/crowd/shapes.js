// Marks that are made of points: drawn, chosen, moved and reshaped alike, whether box, polygon, line or point.

const NEAR = 8; // screen pixels from a line or handle that count as on it
const NEAR_FINGER = 20;
const CLICK = 4; // screen pixels that a click may move
const NAMED_MARKS = 150; // more than these are named only where they are chosen or pointed at
const HANDLE = 4.5;

/**
 * An element whose marks are shapes. A mark is `{label, points}` and is never changed, only replaced; points are
 * `[x, y]` in pixels of the picture.
 */
class ShapeElement extends PictureElement {
  /** How many points a shape has, at least and at most. */
  static points = [2, 2];
  static isClosed = true;
  /** The member of the answer, and of some initial values, that lists the marks. */
  static member = "";

  static tools = [
    { id: "draw", name: "Draw", key: "N", sign: "draw-box" },
    { id: "select", name: "Select", key: "V", sign: "pointer" },
  ];

  get least() { return this.constructor.points[0]; }
  get most() { return this.constructor.points[1]; }
  get isClosed() { return this.constructor.isClosed; }

  /** Make a mark of an item of the initial value; a text if it is none, saying what was expected. */
  read() { return "a mark"; }
  /** Make the answer's item of a mark. */
  write() { return {}; }
  /** What is seen of a mark's outline: its corners. */
  outline(mark) { return mark.points; }
  /** Where a mark can be taken hold of: `[x, y, cursor]`. */
  handlesOf(mark) { return mark.points.map(([x, y]) => [x, y, "move"]); }
  /** The points of a mark whose nth handle is put to a place. */
  reshaped(mark, nth, place) { return mark.points.map((point, at) => (at === nth ? place : point)); }
  /** Whether a shape may be kept; empty shapes aren't. */
  isWhole(points) { return points.length >= this.least; }
  describe(mark) { return mark.points.map(([x, y]) => `${x}, ${y}`).join(" · "); }
  /** What is told beside the cursor's place while a shape is drawn. */
  measure() { return ""; }

  marks = [];
  #start = [];
  /** The mark that is worked on, and how it came to be so: "drawn" just now, or "chosen" by the worker. */
  #active = null;
  #how = "chosen";
  #corner = -1;
  #draft = null;
  #hover = null;

  // -- answers

  get marked() { return { [this.constructor.member]: this.marks.map((mark) => this.write(mark)) }; }
  get count() { return this.marks.length; }
  get isModified() { return JSON.stringify(this.marked) !== JSON.stringify({ [this.constructor.member]: this.#start.map((mark) => this.write(mark)) }); }
  get isDrafting() { return this.#draft !== null; }

  start(value) {
    this.#set(value === undefined ? [] : this.#readAll(value));
    this.#start = this.marks;
  }

  restoreMarks(value) { this.#set(this.#readAll(value)); }

  opened({ width, height }) {
    const isOutside = ([x, y]) => x < 0 || y < 0 || x > width || y > height;
    const outside = this.marks.filter((mark) => this.outline(mark).some(isOutside));
    if (outside.length === 0) return;
    this.remark(`${this.#countOf(outside.length)} of the initial value ${outside.length === 1 ? "lies" : "lie"} outside the picture of ${width} × ${height} `
      + `pixels, at least in part: ${shown(this.describe(outside[0]))}. All are kept as they are until you change them.`);
  }

  #countOf(count) { return `${count} ${this.constructor.nouns[count === 1 ? 0 : 1]}`; }

  #readAll(value) {
    const { member } = this.constructor;
    const items = isObject(value) ? value[member] : value;
    if (!Array.isArray(items)) {
      this.remark(`The initial value is ${shown(value)} and isn't shown; expected was a list.`);
      return [];
    }
    const marks = [];
    items.forEach((item, nth) => {
      const mark = isObject(item) ? this.read(item) : this.read({});
      if (typeof mark === "string") this.remark(`Item ${nth + 1} of the initial value is ${shown(item)} and isn't shown; expected was ${mark}.`);
      else if (this.takes(mark)) marks.push(mark);
    });
    return marks;
  }

  /** Whether a mark of the initial value is shown; one of a label that the page doesn't list gets it listed. */
  takes(mark) {
    if (!this.labelOf(mark.label)) this.addUnlisted(mark.label);
    return true;
  }

  #set(marks) {
    this.marks = marks;
    this.#active = null;
    this.#corner = -1;
    this.#draft = null;
    this.#hover = null;
  }

  /** Put new marks in place of the old, which can be undone. */
  #change(marks, active, how = "chosen") {
    const [before, activeBefore, howBefore] = [this.marks, this.#active, this.#how];
    const put = (list, one, way) => {
      this.marks = list;
      this.#activate(list.includes(one) ? one : null, way);
    };
    put(marks, active, how);
    this.did(() => put(before, activeBefore, howBefore), () => put(marks, active, how));
  }

  #replace(mark, changes, how = this.#how) {
    const changed = { ...mark, ...changes };
    const corner = this.#corner;
    this.#change(this.marks.map((one) => (one === mark ? changed : one)), changed, how);
    this.#corner = corner;
    return changed;
  }

  #activate(mark, how = "chosen") {
    if (mark !== this.#active) this.#corner = -1;
    this.#active = mark;
    this.#how = how;
  }

  #choose(mark) {
    this.#activate(mark);
    if (mark) this.say(`${mark.label} chosen: ${this.describe(mark)}`);
    this.changed();
  }

  get #chosen() { return this.#how === "chosen" ? this.#active : null; }

  // -- labels

  get shownLabel() {
    const nth = this.#chosen ? this.labelList.findIndex((label) => label.name === this.#chosen.label) : -1;
    return nth < 0 ? this.current : nth;
  }

  get labelUse() {
    const [one] = this.constructor.nouns;
    return this.#chosen ? `of the chosen ${one}` : `of the next ${one}`;
  }

  labelChosen(nth) {
    if (!this.#chosen) return false;
    this.#relabel(this.#chosen, nth);
    return true;
  }

  #relabel(mark, nth) {
    const label = this.labelList[nth];
    if (!mark || !label || mark.label === label.name) return;
    this.#replace(mark, { label: label.name });
    this.say(`Now ${label.name}`);
  }

  countOf(label) { return this.marks.reduce((count, mark) => count + (mark.label === label.name), 0); }

  labelsChanged() {
    for (const { label } of this.marks) if (!this.labelOf(label)) this.addUnlisted(label);
  }

  visibilityChanged() {
    if (this.#active && !this.#isFree(this.#active)) this.#activate(null);
  }

  #isSeen(mark) { return !this.labelOf(mark.label)?.isHidden; }
  #isFree(mark) { return this.#isSeen(mark) && !this.labelOf(mark.label)?.isLocked; }

  // -- finding

  #reach(event) { return (event?.pointerType === "touch" ? NEAR_FINGER : NEAR) / this.view.scale; }

  #distanceTo(mark, at) { return distanceToPath(this.outline(mark), at, this.isClosed); }

  #holds(mark, at) { return this.isClosed && this.most > 1 && isWithin(this.outline(mark), at); }

  /** The marks at a place, the smallest first. */
  #marksAt(at, reach) {
    const found = this.marks.filter((mark) => this.#isFree(mark) && (this.#holds(mark, at) || this.#distanceTo(mark, at) <= reach));
    return found.map((mark) => [extent(this.outline(mark)), mark]).sort(([one], [other]) => one - other).map(([, mark]) => mark);
  }

  #handleAt(at, reach) {
    if (!this.#active || !this.#isFree(this.#active)) return -1;
    const handles = this.handlesOf(this.#active);
    const far = handles.map((place) => distance(place, at));
    const nearest = far.indexOf(Math.min(...far));
    return far[nearest] <= reach ? nearest : -1;
  }

  #lineAt(at, reach) {
    const near = this.marks.filter((mark) => this.#isFree(mark) && this.#distanceTo(mark, at) <= reach);
    return near.includes(this.#active) ? this.#active : near.at(-1) ?? null;
  }

  cursorAt(at, event) {
    if (this.#draft) return "crosshair";
    const reach = this.#reach(event);
    const handle = this.#handleAt(at, reach);
    if (handle >= 0) return this.handlesOf(this.#active)[handle][2];
    this.#hover = this.#lineAt(at, reach) ?? (this.tool === "select" ? this.#marksAt(at, reach)[0] : null) ?? null;
    if (this.#hover || (this.#chosen && this.#holds(this.#chosen, at))) return "move";
    return this.tool === "select" ? "grab" : "crosshair";
  }

  // -- drawing with a pointer

  begin(at, event) {
    const reach = this.#reach(event);
    if (this.#draft) return this.#goOn();
    const byKeys = event.pointerType === "keys";
    const handle = byKeys ? -1 : this.#handleAt(at, reach);
    if (handle >= 0) return this.#reshaping(handle);
    const line = byKeys || event.shiftKey ? null : this.#lineAt(at, reach);
    const chosen = this.#chosen && this.#isFree(this.#chosen) && this.#holds(this.#chosen, at) && !event.shiftKey ? this.#chosen : null;
    if (line || chosen) return this.#moving(line ?? chosen, at);
    if (this.tool === "select") {
      const [found] = this.#marksAt(at, reach);
      if (found) return this.#moving(found, at);
      this.#choose(null);
      return null;
    }
    return this.#drawing(at, event);
  }

  #drawing(start, event) {
    const { most } = this;
    let isDrag = false;
    return {
      cursor: "crosshair",
      move: (at) => {
        isDrag ||= distance(start, at) * this.view.scale > CLICK;
        if (isDrag && most === 2 && this.#mayDraw()) this.#draft = { points: [this.within(start)] };
      },
      end: (at) => {
        if (isDrag && most === 2) return this.#draft && this.#finish([...this.#draft.points, this.place(at)]);
        const found = isDrag || event.shiftKey || event.pointerType === "keys" ? null : this.#marksAt(start, 0)[0];
        if (found) return this.#choose(found);
        const hadChosen = this.#chosen !== null;
        this.#activate(null);
        // A click beside what was chosen lets go of it; where a click draws anyway, it does both.
        if ((hadChosen && most === 2 && event.pointerType !== "keys") || !this.#mayDraw()) return undefined;
        if (most === 1) return this.#finish([this.place(at)]);
        this.#draft = { points: [this.within(start)] };
        if (isDrag) this.#addPoint(this.place(at));
        return undefined;
      },
      cancel: () => { this.#draft = null; },
    };
  }

  /** The place that a pointer's place means for a point. */
  place(at) { return this.within(at); }

  #mayDraw() {
    if (!this.label || this.disabled) return false;
    if (this.label.isLocked) {
      this.say(`The label ${this.label.name} is locked.`);
      return false;
    }
    this.label.isHidden = false;
    this.#activate(null);
    return true;
  }

  /** Something is begun: the next click adds a point to it, or ends it. */
  #goOn() {
    return { cursor: "crosshair", move: () => {}, end: (at, event) => this.#addPoint(this.place(at), event), cancel: () => {} };
  }

  #addPoint(point, event) {
    const { points } = this.#draft;
    const { least, most } = this;
    const near = (other) => distance(other, point) <= this.#reach(event);
    if (most === 2) return this.#finish([...points, point]);
    const isEnd = near(points.at(-1)) || (this.isClosed && near(points[0]));
    if (isEnd && points.length >= least) return this.#finish(points);
    if (distance(points.at(-1), point) > 0) this.#draft = { points: [...points, point] };
    this.say(`Point ${this.#draft.points.length}`);
    return undefined;
  }

  #finish(points) {
    this.#draft = null;
    if (!this.isWhole(points)) return;
    const mark = { label: this.label.name, points: this.ordered(points) };
    this.#change([...this.marks, mark], mark, "drawn");
    this.say(`${mark.label} marked: ${this.describe(mark)}`);
  }

  /** Points as they are kept. */
  ordered(points) { return points; }

  #reshaping(nth) {
    const mark = this.#active;
    const handles = this.handlesOf(mark);
    let changed = mark;
    return {
      cursor: handles[nth][2],
      move: (at) => {
        changed = { ...mark, points: this.reshaped(mark, nth, this.place(at)) };
        this.#show(mark, changed);
      },
      end: () => this.#settle(mark, changed),
      cancel: () => this.#show(mark, mark),
    };
  }

  #moving(mark, from) {
    const wasChosen = this.#chosen === mark;
    let isDrag = false;
    let changed = mark;
    return {
      cursor: "move",
      move: (at) => {
        isDrag ||= distance(from, at) * this.view.scale > CLICK;
        if (!isDrag) return;
        changed = { ...mark, points: this.#shifted(mark, at[0] - from[0], at[1] - from[1]) };
        this.#show(mark, changed);
      },
      end: (_, event) => {
        if (isDrag) return this.#settle(mark, changed);
        return this.#choose(wasChosen ? this.#beneath(mark, from, event) : mark);
      },
      cancel: () => this.#show(mark, mark),
    };
  }

  /** Of several marks at a place, the one after this. */
  #beneath(mark, at, event) {
    const found = this.#marksAt(at, this.#reach(event));
    return found[(found.indexOf(mark) + 1) % found.length] ?? mark;
  }

  #shown = null;

  /** Show a change that isn't made yet. */
  #show(mark, changed) {
    this.#activate(mark, this.#active === mark ? this.#how : "chosen");
    this.#shown = changed === mark ? null : { mark, changed };
    this.paint();
  }

  #settle(mark, changed) {
    this.#shown = null;
    const isSame = JSON.stringify(mark.points) === JSON.stringify(changed.points);
    if (isSame || !this.isWhole(changed.points)) return;
    this.#replace(mark, { points: this.ordered(changed.points) });
    this.say(`${mark.label}: ${this.describe(this.#active)}`);
  }

  /** A mark's points moved by whole pixels, no further outside the picture than they are. */
  #shifted(mark, byX, byY) {
    const [width, height] = this.place([Infinity, Infinity]);
    const [left, top, right, bottom] = boundsOf(mark.points);
    const limited = (by, low, high, length) => Math.round(Math.max(Math.min(0, -low), Math.min(Math.max(0, length - high), by)));
    const [x, y] = [limited(byX, left, right, width), limited(byY, top, bottom, height)];
    return mark.points.map(([atX, atY]) => [atX + x, atY + y]);
  }

  // -- keys

  press(event) {
    const { key, code, shiftKey } = event;
    if (shiftKey && /^Digit\d$/.test(code) && this.#active) {
      this.#relabel(this.#active, code === "Digit0" ? 9 : Number(code.at(-1)) - 1);
      return true;
    }
    if (key === "Escape") return this.#escape();
    if (this.#draft) return this.#draftKey(key);
    if (key === "PageDown" || key === "PageUp") return this.#next(key === "PageDown" ? 1 : -1);
    if (key === "Enter" && this.#chosen) return this.#nextCorner();
    if (/^i$/i.test(key) && this.#corner >= 0) return this.#insert();
    return this.#nudge(key, shiftKey);
  }

  #escape() {
    const hadSome = this.#draft !== null || this.#active !== null;
    if (this.#draft) this.say("Cancelled");
    if (this.#corner >= 0) this.#corner = -1;
    else if (!this.#draft) this.#activate(null);
    this.#draft = null;
    return hadSome;
  }

  #draftKey(key) {
    if (key === "Backspace" || key === "Delete") this.#dropPoint();
    else if (key === "Enter" && this.cursorBy !== "keys") this.#finishDraft();
    else if (key === "c" || key === "C") this.#finishDraft();
    else return false;
    return true;
  }

  #dropPoint() {
    const points = this.#draft.points.slice(0, -1);
    this.#draft = points.length > 0 ? { points } : null;
    this.say("Point removed");
    this.changed();
  }

  get #canFinish() { return this.most > 2 && this.#draft.points.length >= this.least; }

  #finishDraft() {
    if (this.#canFinish) this.#finish(this.#draft.points);
    this.changed();
  }

  undo() {
    if (this.#draft) this.#dropPoint();
    else super.undo();
  }

  draftControls() {
    if (!this.#draft) return null;
    const [one] = this.constructor.nouns;
    const cancel = ["Cancel", () => { this.#escape(); this.changed(); }, true];
    if (this.most <= 2) return { text: "Click where it ends.", actions: [cancel] };
    const { length } = this.#draft.points;
    return {
      text: `${length} ${length === 1 ? "point" : "points"}`,
      actions: [[`Finish ${one}`, () => this.#finishDraft(), this.#canFinish], ["Remove point", () => this.#dropPoint(), true], cancel],
    };
  }

  #next(by) {
    const free = this.marks.filter((mark) => this.#isFree(mark));
    if (free.length === 0) return false;
    const at = free.indexOf(this.#active);
    this.#choose(free[at < 0 ? (by > 0 ? 0 : free.length - 1) : (at + by + free.length) % free.length]);
    this.reveal(this.outline(this.#active)[0]);
    return true;
  }

  #nextCorner() {
    const handles = this.handlesOf(this.#active);
    const count = this.most > 2 ? this.#active.points.length : handles.length;
    this.#corner = (this.#corner + 1) % count;
    this.say(`Point ${this.#corner + 1} of ${count}`);
    this.reveal(handles[this.#corner].slice(0, 2));
    return true;
  }

  /** Add a point behind the one that is chosen, halfway to the next. */
  #insert() {
    const mark = this.#active;
    if (mark.points.length >= this.most) return false;
    const last = mark.points.length - (this.isClosed ? 1 : 2);
    const nth = Math.min(this.#corner, last);
    const next = mark.points[(nth + 1) % mark.points.length];
    const point = this.within(middleOf([mark.points[nth], next]));
    this.#replace(mark, { points: mark.points.toSpliced(nth + 1, 0, point) });
    this.#corner = nth + 1;
    return true;
  }

  #nudge(key, shiftKey) {
    const step = ARROWS[key];
    const isForCursor = this.#how === "drawn" && this.cursorBy === "keys";
    if (!step || !this.#active || isForCursor) return false;
    const [x, y] = step.map((one) => one * (shiftKey ? 10 : 1));
    const mark = this.#active;
    const points = this.#corner >= 0 ? this.#cornerMoved(mark, x, y) : this.#shifted(mark, x, y);
    this.#settle(mark, { ...mark, points });
    this.cursorBy = "keys";
    this.#how = "chosen";
    this.cursor = null;
    return true;
  }

  #cornerMoved(mark, x, y) {
    const [atX, atY] = this.handlesOf(mark)[this.#corner];
    return this.reshaped(mark, this.#corner, this.place([atX + x, atY + y]));
  }

  get canDrop() { return this.#active !== null; }

  drop() {
    const mark = this.#active;
    if (!mark || this.disabled) return false;
    const { least } = this;
    if (this.#corner >= 0 && this.most > 2 && this.#corner < mark.points.length && mark.points.length > least) {
      const corner = this.#corner;
      this.#replace(mark, { points: mark.points.toSpliced(corner, 1) });
      this.#corner = Math.min(corner, mark.points.length - 2);
      return true;
    }
    this.#remove(mark);
    return true;
  }

  #remove(mark) {
    this.#change(this.marks.filter((one) => one !== mark), null);
    this.say(`${mark.label} deleted`);
  }

  rows() {
    return this.marks.map((mark) => ({
      text: `${mark.label || "(no label)"}: ${this.describe(mark)}`,
      colour: this.labelOf(mark.label)?.colour ?? "#888888",
      isChosen: mark === this.#chosen,
      choose: () => {
        if (!this.#isFree(mark)) return;
        this.#choose(mark);
        this.reveal(this.outline(mark)[0]);
      },
      drop: () => this.#remove(mark),
    }));
  }

  get hint() {
    const [one] = this.constructor.nouns;
    if (this.#corner >= 0) return "Arrow keys move this point · Enter: the next · Esc: back";
    if (this.#draft) return this.most > 2 ? "Click: next point · double click or Enter: finish · Backspace: remove point" : "Click where it ends · Esc: cancel";
    if (this.#chosen) return `Drag to move, handles to reshape · number: its label · Delete · Shift+drag: draw a new ${one} here`;
    if (this.#active) return "Number: label of the next · Shift+number: label of this one · Delete";
    return this.tool === "select" ? `Click a ${one} to choose it · drag to move the picture` : this.constructor.drawHint;
  }

  get placeText() { return this.#draft && this.cursor ? this.measure([...this.#draft.points, this.place(this.cursor)]) : ""; }

  get wantsCrosshair() { return this.tool === "draw"; }

  // -- painting

  drawMarks(context) {
    const marks = this.#shown ? this.marks.map((mark) => (mark === this.#shown.mark ? this.#shown.changed : mark)) : this.marks;
    const active = this.#shown && this.#active === this.#shown.mark ? this.#shown.changed : this.#active;
    const seen = marks.filter((mark) => this.#isSeen(mark) && mark !== active);
    for (const label of this.labelList) this.paintAll(context, seen.filter((mark) => mark.label === label.name), label);
    const named = seen.length <= NAMED_MARKS ? seen : seen.filter((mark) => mark === this.#hover);
    for (const mark of named) this.paintName(context, mark);
    if (active && this.#isSeen(active)) this.#paintActive(context, active);
    if (this.#draft) this.#paintDraft(context);
  }

  /** Paint marks of one label as one path, which is fast for hundreds. */
  paintAll(context, marks, label, isActive = false) {
    if (marks.length === 0) return;
    const path = new Path2D();
    for (const mark of marks) this.trace(path, this.outline(mark));
    context.lineJoin = "round";
    if (this.isClosed) {
      context.fillStyle = `${label.colour}${isActive ? "40" : "1c"}`;
      context.fill(path);
    }
    const halo = contrastTo(label.colour) === "#000000" ? "rgb(0 0 0 / .7)" : "rgb(255 255 255 / .85)";
    strokeTwice(context, path, [halo, isActive ? 5 : 4], [label.colour, isActive ? 3 : 2, dashesOf(label.nth)]);
  }

  trace(path, outline) {
    outline.forEach((point, nth) => path[nth === 0 ? "moveTo" : "lineTo"](...this.view.toStage(point)));
    if (this.isClosed) path.closePath();
  }

  paintName(context, mark) {
    const { name, colour } = this.labelOf(mark.label) ?? { name: mark.label, colour: "#888888" };
    const corners = this.outline(mark).map((point) => this.view.toStage(point));
    const [left, top] = boundsOf(corners);
    const text = name.length > 28 ? `${name.slice(0, 27)}…` : name;
    context.font = "600 12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif";
    const width = context.measureText(text).width + 10;
    const x = Math.max(2, left - 1);
    const y = top - 19 < 2 ? Math.max(2, top + 3) : top - 19;
    context.fillStyle = colour;
    context.fillRect(x, y, width, 17);
    context.fillStyle = contrastTo(colour);
    context.textBaseline = "middle";
    context.fillText(text, x + 5, y + 9);
  }

  #paintActive(context, mark) {
    const label = this.labelOf(mark.label);
    this.paintAll(context, [mark], label, true);
    this.paintName(context, mark);
    if (this.disabled) return;
    this.handlesOf(mark).forEach((handle, nth) => {
      const [x, y] = this.view.toStage(handle);
      const size = nth === this.#corner ? HANDLE + 3 : handle[3] ?? HANDLE;
      const square = new Path2D();
      square.rect(x - size, y - size, 2 * size, 2 * size);
      if (nth === this.#corner) paintHandle(context, square, label.colour, "#fff");
      else paintHandle(context, square);
    });
  }

  #paintDraft(context) {
    const points = this.cursor ? [...this.#draft.points, this.place(this.cursor)] : this.#draft.points;
    const draft = { label: this.label.name, points };
    this.paintAll(context, [draft], this.label, true);
    if (this.most <= 2) return;
    this.#draft.points.forEach((point, nth) => {
      paintHandle(context, circle(this.view.toStage(point), nth === 0 && this.isClosed ? 6 : 4));
    });
  }
}

/** The bounds of points: left, top, right, bottom. */
function boundsOf(points) {
  const [across, down] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [Math.min(...across), Math.min(...down), Math.max(...across), Math.max(...down)];
}

function extent(points) {
  const [left, top, right, bottom] = boundsOf(points);
  return (right - left) * (bottom - top);
}

/** Whether a place lies within a polygon, by the even-odd rule. */
function isWithin(corners, [x, y]) {
  let inside = false;
  for (let nth = 0, before = corners.length - 1; nth < corners.length; before = nth, nth += 1) {
    const [[fromX, fromY], [toX, toY]] = [corners[before], corners[nth]];
    if ((fromY > y) !== (toY > y) && x < ((toX - fromX) * (y - fromY)) / (toY - fromY) + fromX) inside = !inside;
  }
  return inside;
}

function distanceToPath(corners, at, isClosed) {
  if (corners.length === 1) return distance(corners[0], at);
  let least = Infinity;
  for (let nth = isClosed ? 0 : 1; nth < corners.length; nth += 1) {
    least = Math.min(least, distanceToLine(corners.at(nth - 1), corners[nth], at));
  }
  return least;
}

function distanceToLine([fromX, fromY], [toX, toY], [x, y]) {
  const [byX, byY] = [toX - fromX, toY - fromY];
  const length = byX * byX + byY * byY;
  const part = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - fromX) * byX + (y - fromY) * byY) / length));
  return Math.hypot(x - fromX - part * byX, y - fromY - part * byY);
}

/** The numbers of an item by their names; null unless all are finite. */
function numbersOf(item, names) {
  const numbers = names.map((name) => (typeof item?.[name] === "string" && item[name].trim() !== "" ? Number(item[name]) : item?.[name]));
  return numbers.every((number) => Number.isFinite(number)) ? numbers : null;
}

/** A mark of an item with vertices; null if they are none. */
function markOfVertices(item, least, most) {
  const points = Array.isArray(item.vertices) ? item.vertices.map((vertex) => numbersOf(vertex, ["x", "y"])) : [];
  const isOne = points.length >= least && points.length <= most && points.every(Boolean);
  return isOne ? { label: labelName(item), points } : null;
}

const verticesOf = ({ label, points }) => ({ label, vertices: points.map(([x, y]) => ({ x, y })) });
