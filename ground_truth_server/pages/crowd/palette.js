// Colours of labels that people with any colour vision tell apart, as far as there are such colours.

// Okabe and Ito's, without black and with a wine red; for more labels, marks differ in dashes and carry names, too.
const TOLD_APART = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#882255"];
const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3]];

/** The dashes of the nth label's lines, which tell it from labels of a like colour. */
function dashesOf(nth) { return DASHES[Math.floor(nth / TOLD_APART.length) % DASHES.length]; }

/**
 * Choose a colour for each label, no two the same and none white.
 *
 * @param count How many labels there are.
 * @param wished Colours that the page wants, by position.
 */
function paletteOf(count, wished = []) {
  const colours = wished.slice(0, count).map((colour) => hexOf(colour));
  const used = new Set(colours.filter(Boolean));
  let made = 0;
  for (let nth = 0; nth < count; nth += 1) {
    while (!colours[nth]) {
      const colour = nthColour(made);
      made += 1;
      if (!used.has(colour)) colours[nth] = colour;
    }
    used.add(colours[nth]);
  }
  return colours;
}

/** A colour that isn't in `used` yet. */
function freshColour(used) {
  let nth = 0;
  while (used.has(nthColour(nth))) nth += 1;
  return nthColour(nth);
}

function nthColour(nth) {
  if (nth < TOLD_APART.length) return TOLD_APART[nth];
  // By the golden angle the next hue is always far from those before; three lightnesses tell apart what hues don't.
  const hue = (nth * 137.508) % 360;
  const lightness = [0.42, 0.66, 0.3][nth % 3];
  const part = (shift) => {
    const at = (shift + hue / 30) % 12;
    const value = lightness - 0.7 * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(at - 3, 9 - at, 1));
    return Math.round(255 * value).toString(16).padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

/** A colour of CSS as #rrggbb; empty if it is none, or no opaque one. */
function hexOf(colour) {
  const context = hexOf.context ??= document.createElement("canvas").getContext("2d");
  context.fillStyle = "#010203";
  context.fillStyle = String(colour);
  const hex = context.fillStyle;
  const isColour = hex !== "#010203" || /^#010203$/i.test(String(colour).trim());
  return isColour && /^#[0-9a-f]{6}$/.test(hex) ? hex : "";
}

function channelsOf(hex) { return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)); }

/** What a line or text of this colour is to be set against. */
function contrastTo(hex) {
  const [red, green, blue] = channelsOf(hex);
  return red * 0.299 + green * 0.587 + blue * 0.114 > 140 ? "#000000" : "#ffffff";
}
