// Masks as PNG, exact and small, and at once: a form that is submitted waits for nothing, and a canvas may alter colours
// where a browser guards against fingerprints. Rows are told by what differs from the row above (filter "Up"), and runs
// of that by deflate's matches, for which two distances are enough: a byte back for zeros, a pixel back for the rest.

const TOKENS_A_BLOCK = 1 << 20;
const END_OF_BLOCK = 256;
// A match in a row of tokens: this bit, one for the distance of a pixel, and the length.
const MATCH = 1 << 16;
const OF_PIXEL = 1 << 15;
const LONGEST_MATCH = 258;
const LENGTH_BASES = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const LENGTH_CODES = Uint8Array.from({ length: LONGEST_MATCH + 1 }, (_, length) => Math.max(0, LENGTH_BASES.findLastIndex((base) => base <= length)));
const CODES_OF_LENGTHS = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const ADLER = 65521;

/**
 * Write a mask as a PNG of eight bits a channel with alpha, the form that a canvas gives.
 *
 * @param mask One byte a pixel, row by row: which of the colours it has.
 * @param colours For each byte its [red, green, blue, alpha], 0 to 255.
 */
function pngOf(mask, width, height, colours) {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  [8, 6, 0, 0, 0].forEach((byte, at) => header.setUint8(8 + at, byte));
  const packed = new MaskPacker(mask, width, height, colours).pack();
  const parts = [Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10), chunk("IHDR", new Uint8Array(header.buffer)), chunk("IDAT", packed), chunk("IEND", new Uint8Array(0))];
  return joined(parts);
}

/** Bytes as base64. */
function base64Of(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

function chunk(name, content) {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  for (let at = 0; at < 4; at += 1) bytes[4 + at] = name.charCodeAt(at);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  return rest;
});

function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = CRC_TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

class MaskPacker {
  #mask; #width; #height; #colours;
  #tokens = new Uint32Array(TOKENS_A_BLOCK + 64);
  #count = 0;
  #low = 1;
  #high = 0;
  #bits = new BitWriter();

  constructor(mask, width, height, colours) {
    this.#mask = mask;
    this.#width = width;
    this.#height = height;
    this.#colours = colours;
  }

  pack() {
    this.#bits.write(0x0178, 16); // zlib's own header: deflate, 32 kB
    for (let row = 0; row < this.#height; row += 1) this.#row(row * this.#width);
    this.#endBlock(true);
    this.#bits.align();
    for (const byte of [this.#high >> 8, this.#high & 255, this.#low >> 8, this.#low & 255]) this.#bits.write(byte, 8);
    return this.#bits.bytes;
  }

  #row(start) {
    const mask = this.#mask;
    const width = this.#width;
    const end = start + width;
    this.#literal(2);
    let at = start;
    while (at < end) {
      const colour = mask[at];
      const above = start === 0 ? -1 : mask[at - width];
      let to = at + 1;
      if (colour === above) while (to < end && mask[to] === mask[to - width]) to += 1;
      else if (start === 0) while (to < end && mask[to] === colour) to += 1;
      else while (to < end && mask[to] === colour && mask[to - width] === above) to += 1;
      if (colour === above) this.#zeros(4 * (to - at));
      else this.#run(this.#colours[colour], this.#colours[above], to - at);
      at = to;
    }
  }

  #literal(byte) {
    this.#low = (this.#low + byte) % ADLER;
    this.#high = (this.#high + this.#low) % ADLER;
    this.#put(byte);
  }

  #zeros(count) {
    this.#literal(0);
    this.#high = (this.#high + (count - 1) * this.#low) % ADLER;
    this.#matches(count - 1, 0, 0);
  }

  /** As many pixels of one colour under those of another. */
  #run(colour, above, count) {
    const differences = colour.map((value, at) => (value - (above?.[at] ?? 0)) & 255);
    for (const byte of differences) this.#literal(byte);
    for (let pixel = 1; pixel < count; pixel += 1) {
      for (const byte of differences) {
        this.#low += byte;
        this.#high += this.#low;
      }
      this.#low %= ADLER;
      this.#high %= ADLER;
    }
    this.#matches(4 * (count - 1), OF_PIXEL, differences);
  }

  #matches(count, distanceBit, differences) {
    let left = count;
    while (left >= 3) {
      // A rest of one or two bytes would need literals of its own.
      const length = left <= LONGEST_MATCH ? left : left - LONGEST_MATCH < 3 ? LONGEST_MATCH - 3 : LONGEST_MATCH;
      this.#put(MATCH | distanceBit | length);
      left -= length;
    }
    for (let at = 0; at < left; at += 1) this.#put(distanceBit ? differences[at] : 0);
  }

  #put(token) {
    this.#tokens[this.#count] = token;
    this.#count += 1;
    if (this.#count === TOKENS_A_BLOCK) this.#endBlock(false);
  }

  #endBlock(isLast) {
    const tokens = this.#tokens.subarray(0, this.#count);
    const uses = new Uint32Array(286);
    uses[END_OF_BLOCK] = 1;
    for (const token of tokens) uses[token & MATCH ? 257 + LENGTH_CODES[token & 511] : token] += 1;
    const lengths = codeLengths(uses, 15);
    const codes = codesOf(lengths);
    this.#writeHead(isLast, lengths);
    for (const token of tokens) this.#writeToken(token, codes, lengths);
    this.#bits.write(codes[END_OF_BLOCK], lengths[END_OF_BLOCK]);
    this.#count = 0;
  }

  #writeHead(isLast, lengths) {
    const all = [...lengths, 1, 0, 0, 1]; // two distances: one byte, and four
    const uses = new Uint32Array(19);
    for (const length of all) uses[length] += 1;
    const own = codeLengths(uses, 7);
    const codes = codesOf(own);
    this.#bits.write(isLast ? 1 : 0, 1);
    this.#bits.write(2, 2);
    this.#bits.write(286 - 257, 5);
    this.#bits.write(4 - 1, 5);
    this.#bits.write(19 - 4, 4);
    for (const code of CODES_OF_LENGTHS) this.#bits.write(own[code], 3);
    for (const length of all) this.#bits.write(codes[length], own[length]);
  }

  #writeToken(token, codes, lengths) {
    if (!(token & MATCH)) return this.#bits.write(codes[token], lengths[token]);
    const length = token & 511;
    const code = LENGTH_CODES[length];
    this.#bits.write(codes[257 + code], lengths[257 + code]);
    if (LENGTH_BITS[code] > 0) this.#bits.write(length - LENGTH_BASES[code], LENGTH_BITS[code]);
    return this.#bits.write(token & OF_PIXEL ? 1 : 0, 1);
  }
}

class BitWriter {
  #bytes = new Uint8Array(1 << 16);
  #length = 0;
  #held = 0;
  #count = 0;

  get bytes() { return this.#bytes.subarray(0, this.#length); }

  write(value, count) {
    this.#held |= value << this.#count;
    this.#count += count;
    while (this.#count >= 8) {
      if (this.#length === this.#bytes.length) this.#grow();
      this.#bytes[this.#length] = this.#held & 255;
      this.#length += 1;
      this.#held >>>= 8;
      this.#count -= 8;
    }
  }

  align() { if (this.#count > 0) this.write(0, 8 - this.#count); }

  #grow() {
    const larger = new Uint8Array(2 * this.#bytes.length);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** The lengths of Huffman's codes for symbols used so often, none longer than `most`. */
function codeLengths(uses, most) {
  let weights = uses;
  for (;;) {
    const lengths = huffman(weights);
    if (Math.max(...lengths) <= most) return lengths;
    weights = weights.map((weight) => (weight > 0 ? (weight >> 1) + 1 : 0));
  }
}

function huffman(weights) {
  const lengths = new Uint8Array(weights.length);
  let trees = [...weights].map((weight, symbol) => ({ weight, symbols: [symbol] })).filter(({ weight }) => weight > 0);
  if (trees.length === 1) lengths[trees[0].symbols[0]] = 1;
  while (trees.length > 1) {
    trees.sort((one, other) => other.weight - one.weight);
    const [one, other] = [trees.pop(), trees.pop()];
    const symbols = [...one.symbols, ...other.symbols];
    for (const symbol of symbols) lengths[symbol] += 1;
    trees = [...trees, { weight: one.weight + other.weight, symbols }];
  }
  return lengths;
}

/** Canonical codes, their bits in the order in which deflate writes them. */
function codesOf(lengths) {
  const codes = new Uint16Array(lengths.length);
  let code = 0;
  for (let length = 1; length <= 15; length += 1) {
    for (let symbol = 0; symbol < lengths.length; symbol += 1) {
      if (lengths[symbol] !== length) continue;
      for (let bit = 0; bit < length; bit += 1) codes[symbol] |= ((code >> bit) & 1) << (length - 1 - bit);
      code += 1;
    }
    code <<= 1;
  }
  return codes;
}
