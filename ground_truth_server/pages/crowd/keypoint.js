// crowd-keypoint: single points.

const POINT_RADIUS = 5;

class CrowdKeypoint extends ShapeElement {
  static nouns = ["point", "points"];
  static member = "keypoints";
  static points = [1, 1];
  static drawHint = "Click to mark a point; drag one to move it · number: label";
  static keys = [["click", "mark a point"]];
  static tools = ShapeElement.tools.map((tool) => (tool.id === "draw" ? { ...tool, sign: "draw-point" } : tool));

  read(item) {
    const point = numbersOf(item, ["x", "y"]);
    return point ? { label: labelName(item), points: [point] } : "{label, x, y} with numbers";
  }

  write({ label, points: [[x, y]] }) { return { label, x, y }; }

  /** As in Ground Truth, points of labels that the page doesn't list aren't drawn. */
  takes({ label }) {
    if (this.labelOf(label)) return true;
    this.remark(`Points of the initial value with the label “${shown(label)}” aren't shown: the page's labels lack it.`);
    return false;
  }

  /** The pixel under the pointer, which is one of the picture's own. */
  place([x, y]) {
    const { width, height } = this.picture;
    const pixel = (at, length) => Math.min(length - 1, Math.max(0, Math.floor(at)));
    return [pixel(x, width), pixel(y, height)];
  }

  trace(path, [point]) {
    const [x, y] = this.#centre(point);
    path.moveTo(x + POINT_RADIUS, y);
    path.arc(x, y, POINT_RADIUS, 0, 2 * Math.PI);
  }

  /** A pixel is shown by its middle. */
  #centre([x, y]) { return this.view.toStage([x + 0.5, y + 0.5]); }

  handlesOf({ points: [[x, y]] }) { return [[x + 0.5, y + 0.5, "move", 2]]; }

  describe({ points: [[x, y]] }) { return `${x}, ${y}`; }
}

define("crowd-keypoint", CrowdKeypoint);
