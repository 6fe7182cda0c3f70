// Marks that are painted: a mask of a byte a pixel, with brush, eraser and polygons.

const MOST_REGIONS = 254;
const BACKGROUND = [255, 255, 255, 0];
const MASK_ALPHA = 0.5;

/**
 * An element whose marks are the pixels of a mask. A region is what pixels of one number are: `{index, label, colour}`;
 * 0 is what nobody painted.
 */
class MaskElement extends PictureElement {
  static tools = [
    { id: "brush", name: "Brush", key: "B", sign: "brush" },
    { id: "eraser", name: "Eraser", key: "E", sign: "eraser" },
    { id: "polygon", name: "Polygon", key: "P", sign: "draw-path" },
    { id: "select", name: "Select", key: "V", sign: "pointer" },
  ];

  static keys = [["[, ]", "smaller or larger brush"], ["Shift+click, Shift+Enter", "paint straight on from the last place"],
    ["drag", "with the polygon tool: fill what is drawn around"], ["double click, Enter, C", "close the polygon and fill it"]];

  /** What the pixels' numbers mean. */
  regions = [];
  #mask = null;
  #counts = new Float64Array(256);
  #version = 0;
  #start = { runs: null, regions: "" };
  #initial = undefined;
  #kept = {};
  #diameter = 20;
  #opacity = MASK_ALPHA;
  #last = null;
  #draft = null;
  #image = null;

  /** Read the initial value's regions; returns [colour, region] pairs. */
  readRegions() { return []; }
  /** The region that painting adds to, made if need be; null if there can be none. */
  regionToPaint() { return null; }
  /** The answer's members beside the mask. */
  get described() { return {}; }
  /** The region that stands out; null if none does. */
  get chosenRegion() { return null; }
  /** The worker pointed at a region, or at none. */
  chooseRegion() {}

  // -- answers

  get marked() { return this.#mask && this.picture ? { ...this.described, labeledImage: { pngImageData: this.#png } } : this.described; }

  get #png() {
    return this.#once("png", () => {
      const colours = Array.from({ length: 256 }, () => BACKGROUND);
      for (const { index, colour } of this.regions) colours[index] = [...channelsOf(colour), 255];
      return base64Of(pngOf(this.#mask, this.picture.width, this.picture.height, colours));
    });
  }

  get isModified() {
    return this.#mask !== null && this.picture !== null && this.#once("isModified", () => {
      const runs = packed(this.#mask, this.picture.width, this.#whole);
      return this.#regionsText !== this.#start.regions || runs.length !== this.#start.runs.length || runs.some((run, at) => run !== this.#start.runs[at]);
    });
  }

  /** Work out what depends on the mask once for each of its states. */
  #once(what, work) {
    if (this.#kept[what]?.version !== this.#version) this.#kept[what] = { version: this.#version, value: work() };
    return this.#kept[what].value;
  }

  get #regionsText() { return JSON.stringify(this.described); }
  get #whole() { return [0, 0, this.picture.width, this.picture.height]; }
  get isDrafting() { return this.#draft !== null; }
  get count() { return this.regions.filter(({ index }) => this.#counts[index] > 0).length; }
  pixelsOf(region) { return this.#counts[region.index]; }
  shareOf(pixels) { return pixels === 0 ? "" : `${Math.max(0.1, (100 * pixels) / (this.picture.width * this.picture.height)).toPrecision(2)} %`; }

  start(value) {
    if (value !== undefined && !isObject(value)) this.remark(`The initial value is ${shown(value)} and isn't shown; expected was an object with src.`);
    this.#initial = isObject(value) ? value : undefined;
    this.#mask = null;
    this.#draft = null;
    this.regions = [];
    this.#counts.fill(0);
    this.#touched();
    this.#indexes = this.#takeRegions(this.#initial);
  }

  #indexes = new Map();

  #takeRegions(value) {
    const pairs = this.readRegions(value ?? {});
    this.regions = pairs.map(([, region]) => region);
    return new Map(pairs.map(([colour, { index }]) => [colour, index]));
  }

  async opened(picture) {
    const { width, height } = picture;
    const mask = new Uint8Array(width * height);
    const { src } = this.#initial ?? {};
    if (src) {
      const address = new URL(String(src), document.baseURI).href;
      await this.#readMask(mask, picture, address, this.#indexes);
    }
    this.#put(mask);
    this.#diameter = Math.max(1, Math.round(Math.max(width, height) / 60));
    this.#start = { runs: packed(mask, width, [0, 0, width, height]), regions: this.#regionsText };
  }

  started() { this.#showDiameter(); }

  #put(mask) {
    this.#mask = mask;
    this.#counts.fill(0);
    for (const index of mask) this.#counts[index] += 1;
    this.#touched();
  }

  #touched() { this.#version += 1; }

  /** Put the pixels of a mask's picture into `mask`. */
  async #readMask(mask, { width, height }, address, indexes) {
    const found = await maskPixels(address);
    if (found.width !== width || found.height !== height) {
      this.remark(`The mask of the initial value has ${found.width} × ${found.height} pixels, the picture ${width} × ${height}; it is stretched over it.`);
    }
    const unknown = new Map();
    const read = indexReader(indexes, unknown);
    for (let y = 0; y < height; y += 1) {
      const row = Math.floor((y * found.height) / height) * found.width;
      for (let x = 0; x < width; x += 1) {
        const from = found.width === width ? row + x : row + Math.floor((x * found.width) / width);
        mask[y * width + x] = read(found.pixels[from]);
      }
    }
    if (unknown.size === 0) return;
    const [[colour, pixels]] = [...unknown].sort(([, one], [, other]) => other - one);
    const count = unknown.size === 1 ? "A colour" : `${unknown.size} colours`;
    this.remark(`${count} of the initial value's mask belong${unknown.size === 1 ? "s" : ""} to no label, ${colour} of ${pixels} pixels for one: ${unknown.size === 1 ? "it is" : "they are"} shown as unpainted.`);
  }

  async restoreMarks(value) {
    const png = value.labeledImage?.pngImageData;
    if (typeof png !== "string") return;
    const mask = new Uint8Array(this.picture.width * this.picture.height);
    try {
      await this.#readMask(mask, this.picture, `data:image/png;base64,${png}`, this.#takeRegions(value));
    } catch (error) {
      return this.remark(`The former answer can't be shown: ${error.message}`);
    }
    this.#put(mask);
    return this.changed();
  }

  // -- changing pixels

  /** Which pixels' numbers painting leaves alone: those of labels that are locked or hidden. */
  get #kept256() {
    const kept = new Uint8Array(256);
    for (const { index, label } of this.regions) {
      const { isLocked, isHidden } = this.labelOf(label) ?? {};
      kept[index] = isLocked || isHidden ? 1 : 0;
    }
    return kept;
  }

  /**
   * Begin a change of pixels: `span` as often as need be, then `end` or `cancel`.
   *
   * @param regions Those from before; one that painting made belongs to the same step of undo.
   */
  #changing(index, regions) {
    const [before, mask, { width, height }] = [this.#mask.slice(), this.#mask, this.picture];
    const kept = this.#kept256;
    let dirty = null;
    return {
      /** Set the pixels of a row from `left` up to `right`. */
      span: (y, left, right) => {
        const [from, to] = [Math.max(0, left), Math.min(width, right)];
        if (y < 0 || y >= height || from >= to) return;
        for (let at = y * width + from; at < y * width + to; at += 1) if (kept[mask[at]] === 0) mask[at] = index;
        dirty = dirty ? [Math.min(dirty[0], from), Math.min(dirty[1], y), Math.max(dirty[2], to), Math.max(dirty[3], y + 1)] : [from, y, to, y + 1];
      },
      end: () => { if (dirty) this.#note(before, dirty, regions); },
      cancel: () => {
        mask.set(before);
        this.paint({ layer: true });
      },
    };
  }

  /** Note a change of pixels within [left, top, right, bottom], and of the regions, that can be undone. */
  #note(before, rectangle, regionsBefore) {
    const { width } = this.picture;
    const [old, now] = [packed(before, width, rectangle), packed(this.#mask, width, rectangle)];
    const regionsNow = this.regions;
    if (old.length === now.length && old.every((run, at) => run === now[at])) return;
    const put = (from, to, regions, isDone = false) => {
      if (!isDone) unpack(this.#mask, width, rectangle, to);
      for (const run of from) this.#counts[run & 255] -= run >>> 8;
      for (const run of to) this.#counts[run & 255] += run >>> 8;
      this.regions = regions;
      this.#touched();
      this.regionsChanged();
    };
    put(old, now, regionsNow, true);
    this.did(() => put(now, old, regionsBefore), () => put(old, now, regionsNow));
  }

  regionsChanged() {}

  /** Clear all pixels of a region, and take it from the list if `regions` lacks it. */
  clear(region, regions = this.regions) {
    if (this.disabled) return;
    const before = this.#mask.slice();
    const regionsBefore = this.regions;
    const { index } = region;
    for (let at = 0; at < this.#mask.length; at += 1) if (this.#mask[at] === index) this.#mask[at] = 0;
    this.regions = regions;
    this.#note(before, this.#whole, regionsBefore);
    this.say(`${region.label} cleared`);
  }

  /** Other regions for the same pixels, such as another label; undone as any change is. */
  replaceRegions(regions) {
    const before = this.regions;
    const put = (list) => {
      this.regions = list;
      this.#touched();
      this.regionsChanged();
    };
    put(regions);
    this.did(() => put(before), () => put(regions));
  }

  /** A number that no region has; 0 if all are in use. */
  freeIndex() {
    const used = new Set(this.regions.map(({ index }) => index));
    for (let index = 1; index <= MOST_REGIONS; index += 1) if (!used.has(index)) return index;
    return 0;
  }

  // -- painting by pointer and keys

  begin(at, event) {
    if (this.tool === "select") return this.#pointing(at, event);
    if (this.tool === "polygon") return this.#outlining(at, event);
    return this.#brushing(at, event);
  }

  #pointing(at, event) {
    this.chooseRegion(this.#regionAt(at));
    return event.pointerType === "keys" ? { end: () => {} } : null;
  }

  #regionAt([x, y]) {
    if (!this.#mask || !this.isInside([x, y])) return null;
    const { width, height } = this.picture;
    const index = this.#mask[Math.min(height - 1, Math.floor(y)) * width + Math.min(width - 1, Math.floor(x))];
    return this.regions.find((region) => region.index === index) ?? null;
  }

  #indexToPaint() {
    if (this.tool === "eraser") return 0;
    const { label } = this;
    if (!label) return -1;
    if (label.isLocked) {
      this.say(`The label ${label.name} is locked.`);
      return -1;
    }
    label.isHidden = false;
    return this.regionToPaint()?.index ?? -1;
  }

  #brushing(from, event) {
    const before = this.regions;
    const index = this.#indexToPaint();
    if (index < 0) return { move: () => {}, end: () => {}, cancel: () => {} };
    const change = this.#changing(index, before);
    let last = event.shiftKey && this.#last ? this.#last : from;
    const stroke = (at) => {
      stampLine(last, at, this.#diameter, change.span);
      last = at;
      this.#last = at;
      this.paint({ layer: true });
    };
    stroke(from);
    return {
      isFine: true,
      cursor: "none",
      move: stroke,
      end: () => {
        change.end();
        this.say(this.tool === "eraser" ? "Erased" : `${this.label.name} painted`);
      },
      cancel: () => {
        this.regions = before;
        change.cancel();
        this.regionsChanged();
      },
    };
  }

  #outlining(start, event) {
    const byFinger = event.pointerType === "touch" ? NEAR_FINGER : NEAR;
    const isOpen = this.#draft !== null;
    let around = null;
    return {
      cursor: "crosshair",
      move: (at) => {
        if (isOpen) return;
        if (!around && distance(start, at) * this.view.scale > CLICK) around = [start];
        if (around && distance(around.at(-1), at) * this.view.scale > 2) around.push(at);
        this.#draft = around ? { points: around, isAround: true } : null;
      },
      end: (at) => {
        if (around) return this.#fill(around);
        const { points } = this.#draft ?? { points: [] };
        const near = (other) => distance(other, at) * this.view.scale <= byFinger;
        if (points.length >= 3 && (near(points[0]) || near(points.at(-1)))) return this.#fill(points);
        if (points.length === 0 || distance(points.at(-1), at) > 0) this.#draft = { points: [...points, at] };
        this.say(`Point ${this.#draft.points.length}`);
        return undefined;
      },
      cancel: () => { if (around) this.#draft = null; },
    };
  }

  #fill(points) {
    this.#draft = null;
    const before = this.regions;
    const index = points.length < 3 ? -1 : this.#indexToPaint();
    if (index < 0) return;
    const change = this.#changing(index, before);
    fillPolygon(points, change.span);
    change.end();
    this.say(`${this.label.name} filled`);
  }

  press({ key }) {
    if (key === "[" || key === "]") return this.#resizeBrush(key === "]" ? 1.25 : 0.8);
    if (key === "Escape") return this.#escape();
    if (!this.#draft) return false;
    if (key === "Backspace" || key === "Delete") this.#dropPoint();
    else if ((key === "Enter" && this.cursorBy !== "keys") || key === "c" || key === "C") this.#fill(this.#draft.points);
    else return false;
    return true;
  }

  #escape() {
    const hadSome = this.#draft !== null || this.chosenRegion !== null;
    if (!this.#draft) this.chooseRegion(null);
    this.#draft = null;
    return hadSome;
  }

  #dropPoint() {
    const points = this.#draft.points.slice(0, -1);
    this.#draft = points.length > 0 ? { points } : null;
    this.changed();
  }

  undo() {
    if (this.#draft) this.#dropPoint();
    else super.undo();
  }

  chooseTool(id) {
    this.#draft = null;
    super.chooseTool(id);
  }

  draftControls() {
    if (!this.#draft || this.#draft.isAround) return null;
    const { length } = this.#draft.points;
    const end = (act) => () => { act(); this.changed(); };
    return {
      text: `${length} ${length === 1 ? "point" : "points"}`,
      actions: [["Fill polygon", end(() => this.#fill(this.#draft.points)), length >= 3], ["Remove point", () => this.#dropPoint(), true],
        ["Cancel", end(() => { this.#draft = null; }), true]],
    };
  }

  // -- controls

  controls() {
    const size = make("input", { type: "range", className: "diameter", min: "0", max: "100", step: "1" });
    size.addEventListener("input", () => {
      this.#diameter = Math.max(1, Math.round(this.#largest ** (size.value / 100)));
      this.#showDiameter();
      this.paint();
    });
    return [make("label", { className: "range" }, "Size", size, make("output", { className: "size" }))];
  }

  lookControls() {
    const opacity = make("input", { type: "range", min: "10", max: "100", value: String(100 * MASK_ALPHA) });
    opacity.addEventListener("input", () => {
      this.#opacity = opacity.value / 100;
      this.paint({ layer: true });
    });
    return [make("label", {}, "Mask", opacity)];
  }

  get #largest() { return Math.max(2, Math.max(this.picture?.width ?? 1, this.picture?.height ?? 1) / 4); }

  #showDiameter() {
    setText(this.part(".size"), `${this.#diameter} px`);
    this.part(".diameter").value = String((100 * Math.log(this.#diameter)) / Math.log(this.#largest));
  }

  #resizeBrush(factor) {
    const step = factor > 1 ? 1 : -1;
    const diameter = Math.round(this.#diameter * factor);
    this.#diameter = Math.max(1, Math.min(Math.round(this.#largest), diameter === this.#diameter ? diameter + step : diameter));
    this.#showDiameter();
    return true;
  }

  cursorAt() { return { brush: "none", eraser: "none", polygon: "crosshair" }[this.tool] ?? "default"; }

  get wantsCrosshair() { return this.tool === "polygon" || this.cursorBy === "keys"; }

  visibilityChanged() { this.paint({ layer: true }); }

  get placeText() {
    const region = this.cursor && this.#regionAt(this.cursor);
    return region ? region.label : "";
  }

  get hint() {
    if (this.#draft) return "Click: next point · double click or Enter: fill · Backspace: remove point";
    return {
      brush: "Drag to paint · [ and ]: size · number: label · Shift+click: straight on · E: eraser",
      eraser: "Drag to erase · [ and ]: size · B: brush",
      polygon: "Click corners, or drag around, to fill · the first corner again, a double click or Enter closes",
      select: this.selectHint,
    }[this.tool];
  }

  get selectHint() { return "Click to choose a label · drag to move the picture"; }

  // -- painting

  drawLayer(context, { scale, x, y }) {
    const { width: wide, height: high } = context.canvas;
    context.clearRect(0, 0, wide, high);
    if (!this.#mask) return;
    const { width, height } = this.picture;
    const [left, top] = [Math.max(0, Math.ceil(x)), Math.max(0, Math.ceil(y))];
    const [right, bottom] = [Math.min(wide, Math.floor(x + width * scale)), Math.min(high, Math.floor(y + height * scale))];
    if (right <= left || bottom <= top) return;
    if (this.#image?.width !== right - left || this.#image?.height !== bottom - top) this.#image = new ImageData(right - left, bottom - top);
    const columns = Int32Array.from({ length: right - left }, (_, at) => Math.min(width - 1, Math.floor((left + at + 0.5 - x) / scale)));
    this.#colourIn(columns, (row) => Math.min(height - 1, Math.floor((top + row + 0.5 - y) / scale)) * width);
    context.putImageData(this.#image, left, top);
  }

  /** Give each pixel of the screen its region's colour, and a line where regions meet. */
  #colourIn(columns, rowAt) {
    const [inner, edge] = this.#colourTables();
    const [mask, wide] = [this.#mask, columns.length];
    const out = new Uint32Array(this.#image.data.buffer);
    const above = new Uint8Array(wide);
    for (let row = 0; row < this.#image.height; row += 1) {
      const start = rowAt(row);
      let before = mask[start + columns[0]];
      for (let at = 0; at < wide; at += 1) {
        const index = mask[start + columns[at]];
        const isEdge = index !== before || (row > 0 && index !== above[at]);
        out[row * wide + at] = isEdge ? edge[index || before || above[at]] : inner[index];
        before = index;
        above[at] = index;
      }
    }
  }

  #colourTables() {
    const [inner, edge] = [new Uint32Array(256), new Uint32Array(256)];
    const chosen = this.chosenRegion;
    for (const region of this.regions) {
      if (this.labelOf(region.label)?.isHidden) continue;
      const [red, green, blue] = channelsOf(region.colour);
      const alpha = region === chosen ? Math.min(1, this.#opacity + 0.3) : this.#opacity;
      inner[region.index] = ((Math.round(255 * alpha) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
      edge[region.index] = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    }
    return [inner, edge];
  }

  drawMarks(context) {
    if (this.#draft) this.#paintDraft(context);
    if (!this.cursor || this.disabled || !["brush", "eraser"].includes(this.tool)) return;
    const brush = circle(this.view.toStage(this.cursor), Math.max(1.5, (this.#diameter / 2) * this.view.scale));
    strokeTwice(context, brush, ["rgb(0 0 0 / .7)", 3], [this.tool === "eraser" ? "#fff" : this.label?.colour ?? "#fff", 1.5]);
  }

  #paintDraft(context) {
    const points = (this.cursor && !this.#draft.isAround ? [...this.#draft.points, this.cursor] : this.#draft.points).map((point) => this.view.toStage(point));
    const path = new Path2D();
    points.forEach((point, nth) => path[nth === 0 ? "moveTo" : "lineTo"](...point));
    path.closePath();
    context.fillStyle = `${this.label?.colour ?? "#888888"}40`;
    context.fill(path);
    strokeTwice(context, path, ["rgb(0 0 0 / .7)", 4], ["#fff", 1.5]);
  }
}

/** The pixels of a mask's picture as numbers 0xAABBGGRR; a PictureTrouble says why they can't be read. */
async function maskPixels(address) {
  let bitmap;
  try {
    const response = await fetch(address);
    if (!response.ok) throw new PictureTrouble(`The mask of the initial value could not be loaded: its server answers ${response.status}.`);
    // As they are in the file: a colour that is converted means nothing any more.
    bitmap = await createImageBitmap(await response.blob(), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch (error) {
    if (error instanceof PictureTrouble) throw error;
    throw new PictureTrouble("The mask of the initial value could not be loaded, is no picture, or is of an origin that doesn't let this page read it.");
  }
  const { width, height } = bitmap;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, pixels: new Uint32Array(context.getImageData(0, 0, width, height).data.buffer) };
}

/** A function from a pixel to its region's number; colours that no region has are counted in `unknown`. */
function indexReader(indexes, unknown) {
  const known = new Map([...indexes].map(([hex, index]) => {
    const [red, green, blue] = channelsOf(hex);
    return [((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0, index];
  }));
  known.set(0xffffffff, known.get(0xffffffff) ?? 0);
  let [last, lastIndex] = [0xffffffff, known.get(0xffffffff)];
  return (pixel) => {
    if (pixel === last) return lastIndex;
    if (pixel >>> 24 === 0) return 0;
    const index = known.get(pixel);
    if (index === undefined) {
      const hex = `#${[pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
      unknown.set(hex, (unknown.get(hex) ?? 0) + 1);
      return 0;
    }
    [last, lastIndex] = [pixel, index];
    return index;
  };
}

/** Set the pixels whose middle lies within a brush that goes from place to place. */
function stampLine([fromX, fromY], [toX, toY], diameter, span) {
  const radius = diameter / 2;
  if (diameter <= 1) return thinLine([fromX, fromY], [toX, toY], span);
  const [top, bottom] = [Math.floor(Math.min(fromY, toY) - radius), Math.ceil(Math.max(fromY, toY) + radius)];
  for (let y = top; y < bottom; y += 1) {
    const [left, right] = capsuleRow(fromX, fromY, toX, toY, radius, y + 0.5);
    if (right > left) span(y, Math.ceil(left - 0.5), Math.ceil(right - 0.5));
  }
  return undefined;
}

function thinLine([fromX, fromY], [toX, toY], span) {
  const steps = Math.max(1, Math.ceil(2 * Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY))));
  for (let step = 0; step <= steps; step += 1) {
    const x = Math.floor(fromX + ((toX - fromX) * step) / steps);
    span(Math.floor(fromY + ((toY - fromY) * step) / steps), x, x + 1);
  }
}

/** From where to where a row lies within a radius of a line: two discs, and the band between them. */
function capsuleRow(fromX, fromY, toX, toY, radius, y) {
  let [left, right] = [Infinity, -Infinity];
  const take = (one, other) => {
    left = Math.min(left, one, other);
    right = Math.max(right, one, other);
  };
  for (const [x, atY] of [[fromX, fromY], [toX, toY]]) {
    const half = radius * radius - (y - atY) * (y - atY);
    if (half > 0) take(x - Math.sqrt(half), x + Math.sqrt(half));
  }
  const length = Math.hypot(toX - fromX, toY - fromY);
  if (length === 0) return [left, right];
  const [acrossX, acrossY] = [(-(toY - fromY) / length) * radius, ((toX - fromX) / length) * radius];
  const corners = [[fromX + acrossX, fromY + acrossY], [toX + acrossX, toY + acrossY], [toX - acrossX, toY - acrossY], [fromX - acrossX, fromY - acrossY]];
  for (let nth = 0; nth < 4; nth += 1) {
    const [[x, atY], [otherX, otherY]] = [corners[nth], corners[(nth + 1) % 4]];
    if ((atY > y) === (otherY > y)) continue;
    const at = x + ((otherX - x) * (y - atY)) / (otherY - atY);
    take(at, at);
  }
  return [left, right];
}

/** Set the pixels whose middle lies within a polygon, by the even-odd rule. */
function fillPolygon(points, span) {
  const [, top, , bottom] = boundsOf(points);
  for (let y = Math.floor(top); y <= Math.ceil(bottom); y += 1) {
    const crossings = [];
    points.forEach(([x, atY], nth) => {
      const [otherX, otherY] = points[(nth + 1) % points.length];
      if ((atY > y + 0.5) !== (otherY > y + 0.5)) crossings.push(x + ((otherX - x) * (y + 0.5 - atY)) / (otherY - atY));
    });
    crossings.sort((one, other) => one - other);
    for (let nth = 0; nth + 1 < crossings.length; nth += 2) span(y, Math.ceil(crossings[nth] - 0.5), Math.ceil(crossings[nth + 1] - 0.5));
  }
}

/** A rectangle of a mask as runs: how many pixels, shifted by eight, and their number. */
function packed(mask, width, [left, top, right, bottom]) {
  let runs = new Uint32Array(1024);
  let length = 0;
  for (let y = top; y < bottom; y += 1) {
    const end = y * width + right;
    let at = y * width + left;
    while (at < end) {
      const index = mask[at];
      const from = at;
      while (at < end && mask[at] === index) at += 1;
      const last = length - 1;
      if (last >= 0 && (runs[last] & 255) === index && (runs[last] >>> 8) + at - from < 1 << 24) {
        runs[last] += (at - from) << 8;
      } else {
        if (length === runs.length) runs = joinedRuns(runs);
        runs[length] = (((at - from) << 8) | index) >>> 0;
        length += 1;
      }
    }
  }
  return runs.slice(0, length);
}

function joinedRuns(runs) {
  const larger = new Uint32Array(2 * runs.length);
  larger.set(runs);
  return larger;
}

function unpack(mask, width, [left, top, right, bottom], runs) {
  const wide = right - left;
  let [x, y] = [0, top];
  for (const run of runs) {
    let count = run >>> 8;
    while (count > 0 && y < bottom) {
      const part = Math.min(count, wide - x);
      mask.fill(run & 255, y * width + left + x, y * width + left + x + part);
      count -= part;
      x += part;
      if (x === wide) [x, y] = [0, y + 1];
    }
  }
}
