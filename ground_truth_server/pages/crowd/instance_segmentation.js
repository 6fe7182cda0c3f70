// crowd-instance-segmentation: each pixel belongs to one thing, or none, and each thing has a label.

class CrowdInstanceSegmentation extends MaskElement {
  static nouns = ["instance", "instances"];
  static coloursLabels = false;
  static keys = [["N", "begin another instance; so does a label's key"], ...MaskElement.keys];

  /** The instance that is painted on, and whether the worker chose it: then a label's key gives it that label. */
  #current = null;
  #isChosen = false;

  readRegions({ instances }) {
    this.#choose(null);
    if (instances === undefined) return [];
    if (!Array.isArray(instances)) {
      this.remark(`The initial value's instances is ${shown(instances)} and isn't shown; expected was a list of {color, label}.`);
      return [];
    }
    const found = new Map();
    instances.forEach((item, nth) => {
      const [hex, label] = [hexOf(item?.color ?? ""), labelName(item ?? {})];
      if (hex === "" || label === "" || found.has(hex) || found.size === MOST_REGIONS) {
        this.remark(`Instance ${nth + 1} of the initial value is ${shown(item)} and isn't shown; expected was {color, label} with a colour of its own, `
          + `for at most ${MOST_REGIONS} instances.`);
        return;
      }
      if (!this.labelOf(label)) this.addUnlisted(label);
      found.set(hex, { index: found.size + 1, label, colour: hex, given: item.color });
    });
    return [...found];
  }

  labelsChanged() {
    for (const { label } of this.regions) if (!this.labelOf(label)) this.addUnlisted(label);
  }

  get #painted() { return this.regions.filter((region) => this.pixelsOf(region) > 0); }

  get described() { return { instances: this.#painted.map(({ colour, given, label }) => ({ color: given ?? colour, label })) }; }

  get chosenRegion() { return this.regions.find((region) => region.index === this.#current) ?? null; }
  get canDrop() { return this.chosenRegion !== null; }

  regionToPaint() {
    if (this.chosenRegion) return this.chosenRegion;
    const index = this.freeIndex();
    if (index === 0) {
      this.say(`There are ${MOST_REGIONS} instances; no more can be painted.`);
      return null;
    }
    const region = { index, label: this.label.name, colour: freshColour(new Set(this.regions.map(({ colour }) => colour))) };
    this.regions = [...this.regions, region];
    this.#current = index;
    return region;
  }

  regionsChanged() {
    if (!this.chosenRegion) this.#choose(null);
  }

  chooseRegion(region) {
    this.#choose(region);
    if (region) this.say(`${region.label} chosen`);
    this.changed();
  }

  #choose(region) {
    this.#current = region?.index ?? null;
    this.#isChosen = region !== null;
  }

  labelChosen(nth) {
    const region = this.chosenRegion;
    if (!region || !this.#isChosen) {
      this.#choose(null);
      return false;
    }
    const { name } = this.labelList[nth];
    if (name !== region.label) this.replaceRegions(this.regions.map((one) => (one === region ? { ...one, label: name } : one)));
    return true;
  }

  get shownLabel() {
    const nth = this.#isChosen ? this.labelList.findIndex(({ name }) => name === this.chosenRegion?.label) : -1;
    return nth < 0 ? this.current : nth;
  }

  get labelUse() {
    if (this.#isChosen && this.chosenRegion) return "of the chosen instance";
    return this.chosenRegion ? "painting on; a key begins another" : "of the next instance";
  }

  press(event) {
    if (/^n$/i.test(event.key)) {
      this.chooseRegion(null);
      return true;
    }
    if (event.key === "PageDown" || event.key === "PageUp") return this.#next(event.key === "PageDown" ? 1 : -1);
    return super.press(event);
  }

  #next(by) {
    const painted = this.#painted;
    if (painted.length === 0) return false;
    const at = painted.indexOf(this.chosenRegion);
    this.chooseRegion(painted[at < 0 ? (by > 0 ? 0 : painted.length - 1) : (at + by + painted.length) % painted.length]);
    return true;
  }

  drop() {
    const region = this.chosenRegion;
    if (!region || this.disabled) return false;
    this.#remove(region);
    return true;
  }

  #remove(region) {
    this.clear(region, this.regions.filter((one) => one !== region));
    this.chooseRegion(null);
  }

  countOf({ name }) { return this.#painted.filter(({ label }) => label === name).length; }

  get selectHint() { return "Click an instance to choose it · number: its label · Delete · drag to move the picture"; }

  get hint() { return this.chosenRegion && this.tool === "brush" ? `Drag to paint on · N or a label's key: another instance · E: eraser` : super.hint; }

  rows() {
    return this.#painted.map((region, nth) => ({
      text: `${nth + 1} ${region.label}: ${this.pixelsOf(region)} pixels`,
      colour: region.colour,
      isChosen: region === this.chosenRegion,
      choose: () => this.chooseRegion(region),
      drop: () => this.#remove(region),
    }));
  }
}

define("crowd-instance-segmentation", CrowdInstanceSegmentation);
