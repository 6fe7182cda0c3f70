// crowd-semantic-segmentation: each pixel has a label, or none.

class CrowdSemanticSegmentation extends MaskElement {
  static nouns = ["painted label", "painted labels"];

  #mappings = new Map();

  /** The labels' colours, those of the initial value as it has them; each label is a region. */
  readRegions({ labelMappings }) {
    if (labelMappings !== undefined && !isObject(labelMappings)) {
      this.remark(`The initial value's labelMappings is ${shown(labelMappings)} and isn't read; expected was {label: {color}}.`);
    }
    const given = isObject(labelMappings) ? Object.entries(labelMappings).map(([label, { color } = {}]) => [label, color]) : [];
    const known = given.filter(([label, colour]) => this.#isColour(label, colour));
    for (const [label] of known) if (!this.labelOf(label)) this.addUnlisted(label);
    this.#mappings = new Map(known.map(([label, colour]) => [label, { hex: hexOf(colour), colour }]));
    this.colourLabels(new Map([...this.#mappings].map(([label, { hex }]) => [label, hex])));
    if (this.labelList.length > MOST_REGIONS) this.remark(`Only the first ${MOST_REGIONS} of ${this.labelList.length} labels can be painted.`);
    return this.labelList.slice(0, MOST_REGIONS).map(({ name, colour }, nth) => [colour, { index: nth + 1, label: name, colour }]);
  }

  #isColour(label, colour) {
    const isOne = hexOf(colour ?? "") !== "";
    if (!isOne) this.remark(`The initial value gives the label “${shown(label)}” the colour ${shown(colour ?? null)}; expected was one such as "#2ca02c".`);
    return isOne;
  }

  labelsChanged() {
    const painted = this.regions;
    for (const { label } of painted) if (!this.labelOf(label)) this.addUnlisted(label);
    const added = this.labelList.filter(({ name }) => !painted.some(({ label }) => label === name));
    this.colourLabels(new Map(painted.map(({ label, colour }) => [label, colour])));
    for (const { name, colour } of added) {
      const index = this.freeIndex();
      if (index > 0) this.regions = [...this.regions, { index, label: name, colour }];
    }
  }

  get described() {
    const mappings = this.regions.map(({ label, colour }) => [label, { color: this.#mappings.get(label)?.colour ?? colour }]);
    return { labelMappings: Object.fromEntries(mappings) };
  }

  regionToPaint() { return this.regions.find(({ label }) => label === this.label?.name) ?? null; }

  chooseRegion(region) {
    if (region) this.chooseLabel(this.labelList.findIndex(({ name }) => name === region.label));
  }

  countOf({ name }) {
    const region = this.regions.find(({ label }) => label === name);
    return region && this.picture ? this.shareOf(this.pixelsOf(region)) : "";
  }

  rows() {
    return this.regions.filter((region) => this.pixelsOf(region) > 0).map((region) => ({
      text: `${region.label}: ${this.pixelsOf(region)} pixels`,
      colour: region.colour,
      isChosen: region.label === this.label?.name,
      choose: () => this.chooseRegion(region),
      drop: () => this.clear(region),
    }));
  }
}

define("crowd-semantic-segmentation", CrowdSemanticSegmentation);
