// What an earlier task marked, over the picture that shows it: boxes and masks, with their labels.

// Okabe and Ito's colours, which people who see colours differently tell apart, and darker and lighter ones of them.
const OVERLAY_COLOURS = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#7a5200", "#9ad0f5", "#5c2d91"];

const OVERLAY_STYLE = `
  .picture { position: relative; width: fit-content; max-width: 100%; margin: 0 auto; overflow: hidden; border-radius: .4rem; }
  .picture[hidden], .shown[hidden], .shown [hidden] { display: none !important; }
  .picture .image { display: block; max-width: 100%; max-height: 75vh; }
  .over { position: absolute; inset: 0; pointer-events: none; }
  .over[hidden] { display: none; }
  .over img { width: 100%; height: 100%; image-rendering: pixelated; }
  .box { position: absolute; border: 2px solid var(--c); outline: 1px solid #fff; outline-offset: 0; box-shadow: inset 0 0 0 1px #000; }
  .box span {
    position: absolute; left: -2px; top: -2px; padding: 0 .35em; background: #111; color: #fff; border-bottom: 3px solid var(--c);
    font: 600 .75rem/1.4 system-ui, sans-serif; white-space: nowrap;
  }
  .box.low span { top: auto; bottom: 100%; }
  .shown { display: flex; flex-wrap: wrap; gap: .35rem 1rem; align-items: center; margin: .5rem 0; }
  .shown label { display: inline-flex; gap: .45rem; align-items: center; min-height: 2rem; cursor: pointer; }
  .shown input { margin: 0; accent-color: var(--accent); }
  .legend { display: flex; flex-wrap: wrap; gap: .25rem .8rem; margin: 0; padding: 0; list-style: none; font-size: .92em; }
  .legend li { display: flex; gap: .4rem; align-items: center; }
  .legend i { width: 1rem; height: 1rem; border: 1px solid var(--edge); border-radius: .2rem; background: var(--c); }
  .amiss { margin: .5rem 0; padding: .5rem .7rem; border-radius: .4rem; background: var(--warn-wash); color: var(--warn); }
  .amiss:empty { display: none; }
`;

// White is the background of Ground Truth's masks: the filter leaves it out, and the rest as it is.
const OVERLAY_MARKUP = `
  <p class="amiss" role="note"></p>
  <div class="shown" hidden>
    <label><input type="checkbox" class="show" checked>Show what was marked</label>
    <label class="strength" hidden>Strength <input type="range" min="10" max="100" step="5" value="55"></label>
    <ul class="legend"></ul>
  </div>
  <div class="picture" hidden><img class="image" alt=""><div class="over"></div></div>
  <svg width="0" height="0" aria-hidden="true" style="position: absolute"><filter id="no-white" color-interpolation-filters="sRGB">
    <feColorMatrix values="1 0 0 0 0  0 1 0 0 0  0 0 1 0 0  -20 -20 -20 60 0"/></filter></svg>`;

/** A picture with what was marked on it, in the parts of an element that has OVERLAY_MARKUP. */
class OverlaidPicture {
  #element;
  #amiss = new Map();
  #boxes = [];

  constructor(element) {
    this.#element = element;
    const image = element.part(".image");
    image.addEventListener("load", () => {
      this.#say("image", "");
      this.#place();
    });
    image.addEventListener("error", () => this.#say("image", "The picture can't be loaded. Please try again later, or hand the task back."));
    element.part(".show").addEventListener("change", (event) => { element.part(".over").hidden = !event.target.checked; });
    element.part(".strength input").addEventListener("input", () => this.#weigh());
  }

  /** Show a picture, and over it what the text of an `overlay` attribute says. */
  show(src, alt, overlay) {
    const image = this.#element.part(".image");
    this.#element.part(".picture").hidden = src === "";
    if (src && image.getAttribute("src") !== src) image.src = src;
    image.alt = alt;
    this.#draw(overlay);
  }

  #draw(text) {
    this.#boxes = [];
    this.#element.part(".over").replaceChildren();
    this.#element.part(".legend").replaceChildren();
    this.#element.part(".strength").hidden = true;
    this.#say("overlay", "");
    this.#element.part(".shown").hidden = text.trim() === "";
    if (text.trim() === "") return;
    try {
      this.#read(readLiteral(text));
    } catch (error) {
      this.#element.part(".shown").hidden = true;
      this.#say("overlay", `What was marked on the picture can't be shown: ${error.message}.`);
    }
  }

  #read(overlay) {
    if (!isObject(overlay)) throw new SyntaxError(`the overlay is ${kindOf(overlay)}, and an object was expected`);
    const { boundingBox, semanticSegmentation } = overlay;
    if (isObject(boundingBox)) this.#readBoxes(boundingBox);
    if (isObject(semanticSegmentation)) this.#readMask(semanticSegmentation);
    if (!isObject(boundingBox) && !isObject(semanticSegmentation)) {
      throw new SyntaxError(`the overlay has ${Object.keys(overlay).join(", ") || "nothing"}, and boundingBox or semanticSegmentation was expected`);
    }
  }

  #readBoxes({ labels, value }) {
    if (!Array.isArray(value)) throw new SyntaxError("boundingBox.value isn't a list of boxes");
    const isBox = (box) => isObject(box) && ["left", "top", "width", "height"].every((side) => Number.isFinite(box[side]));
    this.#boxes = value.filter(isBox);
    if (this.#boxes.length < value.length) {
      this.#say("overlay", `${value.length - this.#boxes.length} of ${value.length} boxes have no left, top, width and height, and aren't shown.`);
    }
    const known = new Set([...(Array.isArray(labels) ? labels : []), ...this.#boxes.map((box) => box.label)].map(String));
    const colours = new Map([...known].map((label, index) => [label, OVERLAY_COLOURS[index % OVERLAY_COLOURS.length]]));
    this.#element.part(".over").append(...this.#boxes.map((box) => {
      const drawn = make("div", { className: "box" }, make("span", { textContent: String(box.label ?? "") }));
      drawn.style.setProperty("--c", colours.get(String(box.label)));
      return drawn;
    }));
    this.#explain(colours);
    this.#place();
  }

  #readMask({ src, labels, labelMappings }) {
    if (typeof src !== "string" || src === "") throw new SyntaxError("semanticSegmentation.src isn't the address of a mask");
    const mask = make("img", { alt: "", src });
    mask.style.filter = "url(#no-white)";
    mask.addEventListener("error", () => this.#say("mask", "The mask over the picture can't be loaded."));
    this.#element.part(".over").append(mask);
    const mappings = isObject(labelMappings) ? labelMappings : {};
    const names = Array.isArray(labels) ? labels.map(String) : Object.keys(mappings);
    this.#explain(new Map(names.map((name) => [name, String(mappings[name]?.color ?? mappings[name] ?? "transparent")])));
    this.#element.part(".strength").hidden = false;
    this.#weigh();
  }

  #explain(colours) {
    this.#element.part(".legend").append(...[...colours].map(([label, colour]) => {
      const patch = make("i");
      patch.style.setProperty("--c", colour);
      return make("li", {}, patch, label);
    }));
  }

  #weigh() {
    for (const mask of this.#element.shadowRoot.querySelectorAll(".over img")) {
      mask.style.opacity = this.#element.part(".strength input").value / 100;
    }
  }

  /** Boxes are in pixels of the picture itself, whatever size it is shown at. */
  #place() {
    const { naturalWidth: width, naturalHeight: height } = this.#element.part(".image");
    if (!width || !height) return;
    const share = (pixels, of) => `${(100 * pixels) / of}%`;
    const drawn = this.#element.shadowRoot.querySelectorAll(".box");
    this.#boxes.forEach((box, index) => {
      drawn[index].classList.toggle("low", box.top > height / 10); // there is room for its label above it
      Object.assign(drawn[index].style, {
        left: share(box.left, width), top: share(box.top, height), width: share(box.width, width), height: share(box.height, height),
      });
    });
    const outside = this.#boxes.filter((box) => box.left < 0 || box.top < 0 || box.left + box.width > width || box.top + box.height > height);
    this.#say("outside", outside.length ? `${outside.length} of ${this.#boxes.length} boxes reach outside the picture of ${width} × ${height} pixels.` : "");
  }

  #say(about, text) {
    if (text !== "" && this.#amiss.get(about) !== text) tellOwnerOf(this.#element, [text]);
    this.#amiss.set(about, text);
    this.#element.part(".amiss").textContent = [...this.#amiss.values()].filter(Boolean).join(" ");
  }
}
