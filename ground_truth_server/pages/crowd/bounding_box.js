// crowd-bounding-box: boxes, drawn by a drag or two clicks.

class CrowdBoundingBox extends ShapeElement {
  static nouns = ["box", "boxes"];
  static member = "boundingBoxes";
  static drawHint = "Drag, or click two corners, to draw a box · number: label · click in a box to choose it";
  static keys = [["drag", "draw a box; or click two corners"]];

  read(item) {
    const numbers = numbersOf(item, ["left", "top", "width", "height"]);
    if (!numbers || numbers[2] < 0 || numbers[3] < 0) return "{label, left, top, width, height} with numbers";
    const [left, top, width, height] = numbers.map(Math.round);
    return { label: labelName(item), points: [[left, top], [left + width, top + height]] };
  }

  write({ label, points: [[left, top], [right, bottom]] }) {
    return { label, left, top, width: right - left, height: bottom - top };
  }

  outline({ points: [[left, top], [right, bottom]] }) {
    return [[left, top], [right, top], [right, bottom], [left, bottom]];
  }

  handlesOf({ points: [[left, top], [right, bottom]] }) {
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const corners = [[left, top, "nwse-resize"], [right, top, "nesw-resize"], [right, bottom, "nwse-resize"], [left, bottom, "nesw-resize"]];
    const edges = [[x, top, "ns-resize", 3], [right, y, "ew-resize", 3], [x, bottom, "ns-resize", 3], [left, y, "ew-resize", 3]];
    // On a small box handles of its edges would leave nothing else to take hold of.
    return Math.min(right - left, bottom - top) * this.view.scale > 40 ? [...corners, ...edges] : corners;
  }

  reshaped({ points: [[left, top], [right, bottom]] }, nth, [x, y]) {
    const isLeft = [0, 3, 7].includes(nth);
    const isRight = [1, 2, 5].includes(nth);
    const isTop = [0, 1, 4].includes(nth);
    const isBottom = [2, 3, 6].includes(nth);
    return [[isLeft ? x : left, isTop ? y : top], [isRight ? x : right, isBottom ? y : bottom]];
  }

  ordered(points) {
    const [left, top, right, bottom] = boundsOf(points);
    return [[left, top], [right, bottom]];
  }

  isWhole(points) {
    const [left, top, right, bottom] = boundsOf(points);
    return right > left && bottom > top;
  }

  describe({ points: [[left, top], [right, bottom]] }) { return `${left}, ${top} · ${right - left} × ${bottom - top}`; }

  measure([[fromX, fromY], [toX, toY]]) { return `${Math.abs(toX - fromX)} × ${Math.abs(toY - fromY)}`; }
}

define("crowd-bounding-box", CrowdBoundingBox);
