// crowd-polygon: areas with any number of corners.

/** A mark of vertices, which can be added, moved and removed one by one. */
class VertexElement extends ShapeElement {
  static keys = [["click", "add a point"], ["double click, Enter, C", "finish"], ["Backspace", "remove the last point"],
    ["Enter", "on what is chosen: its next point; I adds one, Delete removes it"]];

  read(item) { return markOfVertices(item, ...this.constructor.points) ?? `{label, vertices: [{x, y}, …]} with ${this.constructor.vertices}`; }

  write(mark) { return verticesOf(mark); }

  /** The vertices, and between them places that become vertices when they are dragged. */
  handlesOf({ points }) {
    const vertices = points.map(([x, y]) => [x, y, "move"]);
    if (points.length >= this.most) return vertices;
    const edges = points.map((point, nth) => [point, points[nth + 1] ?? (this.isClosed ? points[0] : null)]).filter(([, next]) => next);
    const long = edges.map(([from, to]) => (distance(from, to) * this.view.scale > 40 ? [...middleOf([from, to]), "move", 2.5] : [Infinity, Infinity, "move", 0]));
    return [...vertices, ...long];
  }

  reshaped({ points }, nth, place) {
    return nth < points.length ? points.with(nth, place) : points.toSpliced(nth - points.length + 1, 0, place);
  }

  describe({ points }) { return `${points.length} points from ${points[0].join(", ")}`; }

  measure(points) { return `point ${points.length}`; }
}

class CrowdPolygon extends VertexElement {
  static nouns = ["polygon", "polygons"];
  static member = "polygons";
  static points = [3, Infinity];
  static vertices = "three points or more";
  static drawHint = "Click the corners one by one; the first again, a double click or Enter closes · number: label";
  static tools = ShapeElement.tools.map((tool) => (tool.id === "draw" ? { ...tool, sign: "draw-path" } : tool));
}

define("crowd-polygon", CrowdPolygon);
