// Plotly figures. The library comes from the server of the page, once for all pages; in a notebook, which has no
// such address, from the kernel. It is fetched when a chart is about to be seen, never before.

let library = null;

function script(address) {
  return new Promise((resolve, reject) => {
    const tag = element("script", { src: address });
    tag.onload = () => resolve(window.Plotly ?? window.moduleName);
    tag.onerror = () => reject(new Error(address));
    document.head.append(tag);
  });
}

function fromKernel(model) {
  return new Promise((resolve, reject) => {
    const receive = (message, buffers) => {
      if (message.kind !== "library") return;
      model.off("msg:custom", receive);
      script(URL.createObjectURL(new Blob([buffers[0]], { type: "text/javascript" }))).then(resolve, reject);
    };
    model.on("msg:custom", receive);
    model.send({ kind: "library" });
  });
}

const FRENCH = {
  moduleType: "locale",
  name: "fr",
  dictionary: {
    "Download plot as a PNG": "Télécharger l'image (PNG)",
    "Download plot as a png": "Télécharger l'image (PNG)",
    Pan: "Déplacer",
    "Reset axes": "Revenir à l'échelle de départ",
    Zoom: "Agrandir",
    "Taking snapshot - this may take a few seconds": "Préparation de l'image…",
    "Snapshot succeeded": "Image prête",
  },
  format: {},
};

// plotly.js offers by default to send the figures to its makers' server.
const CONFIG = {
  plotlyServerURL: "",
  displaylogo: false,
  modeBarButtons: [["toImage"], ["zoom2d", "pan2d", "resetScale2d"]],
};

async function plotly(model) {
  const address = model.get("address");
  library ??= window.Plotly ? Promise.resolve(window.Plotly) : address ? script(address) : fromKernel(model);
  const loaded = await library;
  loaded.register(FRENCH);
  return loaded;
}

function render({ model, el }) {
  el.classList.add("wb", "wb-charts");
  const ask = channel(model, el);
  const title = element("h2", { class: "wb-title", tabindex: "-1" }, "Graphiques");
  const grid = element("div", { class: "wb-chart-grid" });
  el.append(title, grid);
  let current = 0;

  async function draw(box, turn) {
    try {
      const loaded = await plotly(model);
      const { data, layout, config } = box.figure;
      if (turn === current) await loaded.newPlot(box, data, layout, { ...config, ...CONFIG });
    } catch {
      library = null;
      box.replaceChildren(element("p", { class: "wb-hint" }, "Le graphique n'a pas pu être chargé ; le tableau donne les mêmes chiffres."));
    }
  }
  // Neither the kernel nor the browser works on a chart before it is about to be seen.
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        seen.unobserve(entry.target);
        if (entry.target.figure) draw(entry.target, current);
        else ask({ kind: "figures" });
      }
    },
    { rootMargin: "300px" },
  );
  function replace(boxes) {
    seen.disconnect();
    for (const box of grid.children) if (box.figure) window.Plotly?.purge(box);
    grid.replaceChildren(...boxes);
    boxes.forEach((box) => seen.observe(box));
  }
  function expect() {
    current = model.get("turn");
    el.hidden = !current;
    replace(current ? [element("div", { class: "wb-chart" }, element("p", { class: "wb-hint" }, "Préparation des graphiques…"))] : []);
  }
  function show() {
    const figures = model.get("figures");
    if (!figures.length) return;
    replace(
      figures.map((figure) => {
        const box = element("div", { class: "wb-chart", role: "img", "aria-label": figure.alternative });
        box.figure = figure;
        return box;
      }),
    );
  }
  model.on("change:turn", expect);
  model.on("change:figures", show);
  model.on("msg:custom", (message) => {
    if (message.kind === "none") replace([element("p", { class: "wb-hint" }, "Il n'y a rien à représenter.")]);
  });
  expect();
  show();
  return () => replace([]);
}

export default { render };
