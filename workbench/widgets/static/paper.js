// On paper every chart is drawn, be it one that was never scrolled to, at the width of a sheet.

const SHEET = { width: 690, autosize: false };

// Once a page is left alone for so long its charts are made ready: a browser that prints waits for nobody.
const ALONE = 2000;

// A kernel that does not answer keeps nobody from printing the rest.
const TOO_LONG = 15000;

// Components are modules apart: what they share is the window.
function papers() {
  const parts = new Set();
  window.addEventListener("beforeprint", () => parts.forEach((part) => part.lay()));
  window.addEventListener("afterprint", () => parts.forEach((part) => part.takeBack()));
  window.addEventListener("keydown", (event) => {
    const printing = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "p";
    if (!printing || [...parts].every((part) => part.ready())) return;
    event.preventDefault();
    const late = new Promise((resolve) => setTimeout(resolve, TOO_LONG));
    Promise.race([Promise.allSettled([...parts].map((part) => part.prepare())), late]).then(() => window.print());
  });
  return parts;
}

// `boxes` gives those of charts, each with its `figure`; `expected` says that figures are still to come, which `expect`
// asks for, and waits for.
function onPaper(model, el, { boxes, expected = () => false, expect = () => null }) {
  const parts = (window.workbenchPapers ??= papers());
  const note = element("p", { class: "wb-paper-note" }, "Les graphiques n'étaient pas encore prêts : imprimez la page de nouveau dans quelques secondes.");
  let alone = null;
  const ready = () => !expected() && (boxes().length === 0 || loaded !== null);
  const told = () => {
    el.dataset.paper = ready() ? "ready" : "waiting";
    return el.dataset.paper;
  };
  // plotly.js writes what it finds into the layout that it is given.
  function plot(box, size) {
    const { data, layout, config } = box.figure;
    loaded.newPlot(box, data, { ...layout, ...size }, { ...config, ...CONFIG });
  }
  async function prepare() {
    if (expected()) await expect();
    if (boxes().length) await plotly(model);
    told();
  }
  const part = {
    ready,
    prepare,
    lay() {
      if (!ready()) {
        el.append(note);
        prepare().catch(() => null);
      }
      if (loaded === null) return;
      boxes().forEach((box) => plot(box, SHEET));
    },
    takeBack() {
      note.remove();
      if (loaded === null) return;
      boxes().forEach((box) => plot(box, {}));
    },
  };
  parts.add(part);
  return {
    // There is something else to print: to be made ready once the page is left alone.
    changed() {
      clearTimeout(alone);
      // A notebook would have the library from its kernel: only for who looks at a chart.
      if (told() === "waiting" && model.get("address")) alone = setTimeout(() => (window.requestIdleCallback ?? setTimeout)(() => prepare().catch(() => null)), ALONE);
    },
    leave() {
      clearTimeout(alone);
      parts.delete(part);
    },
  };
}
