// crowd-polyline: lines with any number of bends.

class CrowdPolyline extends VertexElement {
  static nouns = ["polyline", "polylines"];
  static member = "polylines";
  static points = [2, Infinity];
  static isClosed = false;
  static vertices = "two points or more";
  static drawHint = "Click the points one by one; a double click or Enter ends the line · number: label";
  static tools = ShapeElement.tools.map((tool) => (tool.id === "draw" ? { ...tool, sign: "draw-path" } : tool));
}

define("crowd-polyline", CrowdPolyline);
