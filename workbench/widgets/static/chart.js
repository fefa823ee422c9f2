// A grid of charts, each drawn when it is about to be seen.

function render({ model, el }) {
  el.classList.add("wb", "wb-charts");
  const ask = channel(model, el);
  const title = element("h2", { class: "wb-title", tabindex: "-1" }, model.get("title") || "Graphiques");
  const grid = element("div", { class: "wb-chart-grid" });
  el.append(title, grid);
  let current = 0;
  let awaited = false;
  let asked = false;
  const answered = new Set();
  const paper = onPaper(model, el, {
    boxes: () => [...grid.querySelectorAll(".wb-chart")].filter((box) => box.figure),
    expected: () => awaited,
    expect: () =>
      new Promise((resolve) => {
        answered.add(resolve);
        demand();
      }),
  });
  function demand() {
    if (!asked) ask({ kind: "figures" });
    asked = true;
  }

  async function draw(box, turn) {
    try {
      const library = await plotly(model);
      const { data, layout, config } = box.figure;
      if (turn === current && !box.data) await library.newPlot(box, data, { ...layout }, { ...config, ...CONFIG });
    } catch {
      forget();
      box.replaceChildren(element("p", { class: "wb-hint" }, "Le graphique n'a pas pu être chargé ; le tableau donne les mêmes chiffres."));
    }
  }
  // Neither the kernel nor the browser works on a chart before it is about to be seen, or the page is left alone.
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        seen.unobserve(entry.target);
        if (entry.target.figure) draw(entry.target, current);
        else demand();
      }
    },
    { rootMargin: "300px" },
  );
  function replace(boxes) {
    seen.disconnect();
    for (const box of grid.querySelectorAll(".wb-chart")) if (box.figure) window.Plotly?.purge(box);
    grid.replaceChildren(...boxes);
    grid.querySelectorAll(".wb-chart").forEach((box) => seen.observe(box));
    paper.changed();
  }
  function come() {
    awaited = false;
    answered.forEach((resolve) => resolve());
    answered.clear();
  }
  // The same figures for who does not see the chart, or wants them.
  function figuresOf({ head, body }) {
    return element(
      "details",
      { class: "wb-chart-rows" },
      element("summary", {}, "Les chiffres du graphique"),
      element(
        "div",
        { class: "wb-scroll", tabindex: "0", role: "region", "aria-label": "Les chiffres du graphique" },
        element(
          "table",
          { class: "wb-table" },
          element("thead", {}, element("tr", {}, head.map((text) => element("th", { scope: "col" }, text)))),
          element("tbody", {}, body.map(([name, ...cells]) => element("tr", {}, element("th", { scope: "row" }, name), cells.map((cell) => element("td", {}, cell))))),
        ),
      ),
    );
  }
  function expect() {
    current = model.get("turn");
    el.hidden = !current;
    come();
    awaited = Boolean(current);
    asked = false;
    replace(current ? [element("div", { class: "wb-chart" }, element("p", { class: "wb-hint" }, "Préparation des graphiques…"))] : []);
  }
  function show() {
    const figures = model.get("figures");
    if (!figures.length) return;
    come();
    replace(
      figures.map((figure) => {
        const box = element("div", { class: "wb-chart", role: "img", "aria-label": figure.alternative });
        box.figure = figure;
        return figure.rows ? element("div", { class: "wb-chart-figures" }, box, figuresOf(figure.rows)) : box;
      }),
    );
  }
  model.on("change:turn", expect);
  model.on("change:figures", show);
  model.on("msg:custom", (message) => {
    if (message.kind !== "none") return;
    come();
    replace([element("p", { class: "wb-hint" }, "Il n'y a rien à représenter.")]);
  });
  expect();
  show();
  return () => {
    replace([]);
    paper.leave();
  };
}

export default { render };
