// A picture of any size, ready to be drawn at any zoom: opened once, and halved until it is small.

const MOST_PIXELS = 2 ** 28; // a gigabyte of memory
const SMALLEST_LEVEL = 1024; // pixels, the longer side of the last halving
const STRIP = 256; // rows halved at a time, so that nobody waits for it
const EXIF_BYTES = 131072;

/** Why a picture can't be shown, in words for the worker. */
class PictureTrouble extends Error {}

class Picture {
  /** What the worker and the owner should know of it. */
  remarks = [];
  #levels;

  constructor(source, width, height) {
    this.width = width;
    this.height = height;
    this.#levels = [source];
  }

  /** Open a picture; a PictureTrouble says why it can't be shown. */
  static async open(address) {
    const blob = await fetched(address);
    const image = await loaded(blob ? URL.createObjectURL(blob) : address, address);
    if (blob) URL.revokeObjectURL(image.src);
    const { naturalWidth: width, naturalHeight: height } = image;
    if (!width || !height) throw new PictureTrouble("The picture has no size of its own.");
    if (width * height > MOST_PIXELS) {
      throw new PictureTrouble(`The picture has ${width} × ${height} pixels; at most ${Math.floor(MOST_PIXELS / 1e6)} megapixels can be shown.`);
    }
    const picture = new Picture(await decoded(blob, image, width, height), width, height);
    if (blob) await picture.#lookForOrientation(blob);
    return picture;
  }

  /** Make the halvings, in small steps; `progressed` is called when a smaller one is there. */
  async refine(progressed) {
    let last = this.#levels.at(-1);
    while (Math.max(last.width, last.height) > SMALLEST_LEVEL) {
      last = await halved(last, () => this.#levels.length > 0);
      if (!last) return;
      this.#levels.push(last);
      progressed();
    }
  }

  /** Draw what is seen of it; `view` is in pixels of the canvas. */
  draw(context, { scale, x, y }) {
    const { width: seenWide, height: seenHigh } = context.canvas;
    let nth = 0;
    while (nth + 1 < this.#levels.length && scale * 2 ** (nth + 1) <= 1) nth += 1;
    const source = this.#levels[nth];
    if (!source) return;
    const [left, top] = [Math.max(0, Math.floor(-x / scale)), Math.max(0, Math.floor(-y / scale))];
    const right = Math.min(this.width, Math.ceil((seenWide - x) / scale));
    const bottom = Math.min(this.height, Math.ceil((seenHigh - y) / scale));
    if (right <= left || bottom <= top) return;
    const [across, down] = [source.width / this.width, source.height / this.height];
    context.imageSmoothingEnabled = scale < 3; // pixels are seen as what they are
    context.drawImage(source, left * across, top * down, (right - left) * across, (bottom - top) * down,
      x + left * scale, y + top * scale, (right - left) * scale, (bottom - top) * scale);
  }

  close() {
    for (const level of this.#levels) level.close?.();
    this.#levels = [];
  }

  async #lookForOrientation(blob) {
    const orientation = exifOrientation(new DataView(await blob.slice(0, EXIF_BYTES).arrayBuffer()));
    if (orientation <= 1) return;
    this.remarks.push(`The picture is stored turned (EXIF orientation ${orientation}). All coordinates are those of the upright `
      + `picture as it is shown here, ${this.width} × ${this.height} pixels.`);
  }
}

/** A picture's bytes; null where only an <img> may load it: of another origin that doesn't allow it. */
async function fetched(address) {
  let response;
  try {
    response = await fetch(address);
  } catch {
    return null;
  }
  if (!response.ok) throw new PictureTrouble(`The picture could not be loaded: its server answers ${response.status}.`);
  try {
    return await response.blob();
  } catch {
    throw new PictureTrouble("The picture could not be loaded: the connection broke off.");
  }
}

function loaded(url, address) {
  const image = new Image();
  return new Promise((resolve, reject) => {
    image.onload = () => resolve(image);
    image.onerror = () => {
      const fetchedAll = url !== address;
      reject(new PictureTrouble(fetchedAll ? "The file that should be the picture is none that this browser can show."
        : "The picture could not be loaded, or it is none that this browser can show."));
    };
    image.src = url;
  });
}

async function decoded(blob, image, width, height) {
  try {
    // Of a blob, off the page's own thread; of an SVG only by its element.
    return await createImageBitmap(blob && !/svg/.test(blob.type) ? blob : image);
  } catch {
    try {
      return await createImageBitmap(image, { resizeWidth: Math.ceil(width / 4), resizeHeight: Math.ceil(height / 4) });
    } catch {
      throw new PictureTrouble(`The picture of ${width} × ${height} pixels can't be opened: it is damaged, or too large for this device.`);
    }
  }
}

async function halved(source, isWanted) {
  const [width, height] = [Math.ceil(source.width / 2), Math.ceil(source.height / 2)];
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  for (let top = 0; top < height; top += STRIP) {
    const rows = Math.min(STRIP, height - top);
    const from = Math.min(2 * rows, source.height - 2 * top);
    context.drawImage(source, 0, 2 * top, source.width, from, 0, top, width, rows);
    await new Promise((resolve) => { setTimeout(resolve); });
    if (!isWanted()) return null;
  }
  return canvas;
}

/** The EXIF orientation of a JPEG, 1 to 8; 0 if it says none. */
function exifOrientation(bytes) {
  if (bytes.byteLength < 4 || bytes.getUint16(0) !== 0xffd8) return 0;
  for (let at = 2; at + 4 <= bytes.byteLength;) {
    const [marker, length] = [bytes.getUint16(at), bytes.getUint16(at + 2)];
    if (marker < 0xff00 || marker === 0xffda) return 0;
    if (marker === 0xffe1 && at + 20 <= bytes.byteLength && bytes.getUint32(at + 4) === 0x45786966) return orientationTag(bytes, at + 10);
    at += 2 + length;
  }
  return 0;
}

function orientationTag(bytes, tiff) {
  const little = bytes.getUint16(tiff) === 0x4949;
  const directory = tiff + bytes.getUint32(tiff + 4, little);
  if (directory + 2 > bytes.byteLength) return 0;
  const count = bytes.getUint16(directory, little);
  for (let nth = 0, at = directory + 2; nth < count && at + 12 <= bytes.byteLength; nth += 1, at += 12) {
    if (bytes.getUint16(at, little) === 0x0112) return bytes.getUint16(at + 8, little);
  }
  return 0;
}
