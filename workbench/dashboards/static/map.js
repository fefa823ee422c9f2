// The map: shapes of the départements from `outlines`, shades from what is compared; by commune, the part of it where
// they are, and a disc each. Its figures are in the tables beside and below, which is what a keyboard and a screen
// reader go through.

const SVG = "http://www.w3.org/2000/svg";

function shape(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

function departementMap(outlines, choose, follow) {
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
  const discs = shape("g", {});
  const apart = shape(
    "g",
    {},
    shape("text", { x: 18, y: 22, class: "wb-map-label" }, "Paris et petite couronne"),
    ...Object.entries(inset).map(([code, path]) => area(code, path)),
    ...frames.flatMap((frame) => [
      shape("rect", { x: frame.x, y: frame.y, width: side, height: side, class: "wb-map-frame" }),
      shape("text", { x: frame.x + side / 2, y: frame.y + side + 18, "text-anchor": "middle", class: "wb-map-label" }, frame.name),
    ]),
  );
  const svg = shape("svg", { class: "wb-map", role: "img" }, ...Object.entries(paths).map(([code, path]) => area(code, path)), apart, discs);
  function disc(place) {
    const people = place.people ? `, ${place.people} habitants` : "";
    const node = shape("circle", { cx: place.x, cy: place.y, r: place.radius, class: "wb-disc", "data-shade": place.shade }, shape("title", {}, `${place.name} : ${place.value}${people}`));
    node.addEventListener("click", () => follow(place.siret));
    return node;
  }
  function show({ scale, places, box, description }) {
    svg.setAttribute("aria-label", description);
    const near = scale === "commune" && box;
    svg.setAttribute("viewBox", near ? `${box.x} ${box.y} ${box.width} ${box.height}` : `0 0 ${width} ${height}`);
    svg.classList.toggle("wb-map-near", Boolean(near));
    // A drawing that is seen closer keeps lines of the same width.
    apart.style.display = near ? "none" : "";
    discs.replaceChildren(...(near ? places.map(disc) : []));
    for (const nodes of shapes.values()) {
      for (const node of nodes) {
        delete node.dataset.shade;
        node.firstChild.textContent = "";
      }
    }
    for (const place of scale === "commune" ? [] : places) {
      for (const node of shapes.get(place.code) ?? []) {
        node.dataset.shade = place.shade;
        node.firstChild.textContent = `${place.name} : ${place.value}, ${place.count} collectivité${place.count > 1 ? "s" : ""}`;
      }
    }
  }
  return { svg, show };
}
