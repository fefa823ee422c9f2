// Plotly figures. The library comes from the server of the page, once for all pages; in a notebook, which has no
// such address, from the kernel. It is fetched when a chart is about to be seen, or the page is left alone, never before.

let library = null;
let loaded = null;

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

function forget() {
  library = null;
}

async function plotly(model) {
  const address = model.get("address");
  library ??= window.Plotly ? Promise.resolve(window.Plotly) : address ? script(address) : fromKernel(model);
  loaded = await library;
  loaded.register(FRENCH);
  return loaded;
}
