// crowd-line: straight lines between two points.

class CrowdLine extends VertexElement {
  static nouns = ["line", "lines"];
  static member = "lines";
  static points = [2, 2];
  static isClosed = false;
  static vertices = "two points";
  static drawHint = "Drag, or click both ends, to draw a line · number: label";
  static keys = [["drag", "draw a line; or click both ends"]];
  static tools = ShapeElement.tools.map((tool) => (tool.id === "draw" ? { ...tool, sign: "draw-line" } : tool));

  describe({ points }) { return points.map((point) => point.join(", ")).join(" to "); }

  isWhole([from, to]) { return distance(from, to) > 0; }

  measure([from, to]) { return `${Math.round(distance(from, to))} pixels long`; }
}

define("crowd-line", CrowdLine);
