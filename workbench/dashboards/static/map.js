// The map of the départements: shapes from `outlines`, shades from what is compared. Its figures are in the table
// beside it, which is what a keyboard and a screen reader go through.

const SVG = "http://www.w3.org/2000/svg";

function shape(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

function departementMap(outlines, choose) {
  const { width, height, side, frames, inset, paths } = outlines;
  const shapes = new Map();
  function area(code, path) {
    const title = shape("title", {});
    const node = shape("path", { d: path, class: "wb-area", "data-code": code }, title);
    node.addEventListener("click", () => node.dataset.shade !== undefined && choose(code));
    if (!shapes.has(code)) shapes.set(code, []);
    shapes.get(code).push(node);
    return node;
  }
  const svg = shape(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, class: "wb-map", role: "img" },
    ...Object.entries(paths).map(([code, path]) => area(code, path)),
    shape("text", { x: 18, y: 22, class: "wb-map-label" }, "Paris et petite couronne"),
    ...Object.entries(inset).map(([code, path]) => area(code, path)),
    ...frames.flatMap((frame) => [
      shape("rect", { x: frame.x, y: frame.y, width: side, height: side, class: "wb-map-frame" }),
      shape("text", { x: frame.x + side / 2, y: frame.y + side + 18, "text-anchor": "middle", class: "wb-map-label" }, frame.name),
    ]),
  );
  function show({ places, description }) {
    svg.setAttribute("aria-label", description);
    for (const nodes of shapes.values()) {
      for (const node of nodes) {
        delete node.dataset.shade;
        node.firstChild.textContent = "";
      }
    }
    for (const place of places) {
      for (const node of shapes.get(place.code) ?? []) {
        node.dataset.shade = place.shade;
        node.firstChild.textContent = `${place.name} : ${place.value}, ${place.count} collectivité${place.count > 1 ? "s" : ""}`;
      }
    }
  }
  return { svg, show };
}
