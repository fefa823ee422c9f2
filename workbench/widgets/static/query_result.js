// What came out: the rows, a page at a time, a chart, files to take away.

const AMOUNT = new Intl.NumberFormat("fr-FR", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const NUMBER = new Intl.NumberFormat("fr-FR");
const PAGE = 100;

// The hues of the charts are made for white; these are theirs on a dark ground.
const ON_DARK = {
  "#1f4e8c": "#82b4f5",
  "#c8611a": "#f2a063",
  "#1d7a6d": "#55c7b6",
  "#8a3f86": "#d694d2",
  "#9a7200": "#e3bd4a",
  "#56616b": "#aeb8c2",
};

function cellText(value, kind, name) {
  if (value === null || value === undefined) return "–";
  if (kind === "amount") return AMOUNT.format(value);
  // A year is no quantity.
  if (kind === "number" && name !== "exercice") return NUMBER.format(value);
  return String(value);
}

function queryResult(model, ask) {
  const heading = element("h3", { class: "wb-result-title", tabindex: "-1" });
  const notices = element("div", { class: "wb-notices" });
  const tabs = {};
  const views = {
    table: element("div", { class: "wb-table-view", role: "tabpanel", "aria-label": "Tableau" }),
    chart: element("div", { class: "wb-chart-view", role: "tabpanel", "aria-label": "Graphique", hidden: true }),
  };
  let first = 0;
  let drawn = false;
  let figure = null;

  function show(name) {
    for (const key of Object.keys(views)) {
      views[key].hidden = key !== name;
      tabs[key].setAttribute("aria-selected", String(key === name));
      tabs[key].tabIndex = key === name ? 0 : -1;
    }
    if (name === "chart" && !drawn) {
      drawn = true;
      views.chart.replaceChildren(element("p", { class: "wb-hint" }, "Préparation du graphique…"));
      ask({ kind: "chart" });
    }
  }
  for (const [name, label] of [["table", "Tableau"], ["chart", "Graphique"]]) {
    tabs[name] = element("button", { type: "button", class: "wb-tab", role: "tab", "aria-selected": "false", onclick: () => show(name) }, label);
  }
  const tablist = element("div", { class: "wb-tabs", role: "tablist", "aria-label": "Résultat" }, tabs.table, tabs.chart);
  tablist.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const name = tabs.table.getAttribute("aria-selected") === "true" ? "chart" : "table";
    show(name);
    tabs[name].focus();
  });
  const file = (kind, label) => element("button", { type: "button", class: "wb-button", onclick: () => ask({ kind: "export", file: kind }) }, label);
  const head = element("thead");
  const body = element("tbody");
  const pager = element("nav", { class: "wb-pager", "aria-label": "Pages du tableau" });
  views.table.append(
    element("div", { class: "wb-scroll", tabindex: "0", role: "group", "aria-label": "Lignes du résultat" }, element("table", { class: "wb-rows" }, head, body)),
    pager,
  );
  const node = element(
    "section",
    { class: "wb-result", hidden: true, "aria-label": "Résultat" },
    element("div", { class: "wb-result-head" }, heading, element("div", { class: "wb-bar" }, tablist, file("excel", "Excel"), file("csv", "CSV"))),
    notices,
    views.table,
    views.chart,
  );

  function update() {
    const result = model.get("result");
    node.hidden = !result;
    if (!result) return;
    const many = result.rows > 1 ? "s" : "";
    heading.textContent = `${NUMBER.format(result.rows)} ligne${many} en ${NUMBER.format(result.seconds)} s`;
    node.classList.toggle("wb-stale", result.stale);
    notices.replaceChildren(
      ...(result.stale ? [element("p", { class: "wb-notice", "data-kind": "information" }, "La requête a changé depuis : exécutez-la pour voir son résultat.")] : []),
      ...result.notices.map((text) => element("p", { class: "wb-notice", "data-kind": "avertissement" }, text)),
    );
  }
  function columnHead({ name, kind }) {
    const { order, columns } = model.get("form");
    const own = order.length === 1 && order[0].column === name ? order[0] : null;
    const sorted = own ? (own.descending ? "descending" : "ascending") : null;
    const attributes = { scope: "col", class: kind === "text" ? "" : "wb-number", "aria-sort": sorted };
    if (!columns.includes(name)) return element("th", attributes, name);
    const sort = () => {
      const down = own ? !own.descending : kind === "amount";
      ask({ kind: "change", field: "order", value: [down ? `-${name}` : name] });
      ask({ kind: "run" });
    };
    return element("th", attributes, element("button", { type: "button", title: "Ordonner par cette colonne", onclick: sort }, name, element("span", { "aria-hidden": "true" }, own ? (own.descending ? " ↓" : " ↑") : "")));
  }
  function showPage(page) {
    const result = model.get("result");
    if (!result || !page) return;
    first = page.first;
    head.replaceChildren(element("tr", {}, ...result.columns.map(columnHead)));
    body.replaceChildren(
      ...page.rows.map((row) =>
        element("tr", {}, ...row.map((value, index) => {
          const { kind, name } = result.columns[index];
          const text = cellText(value, kind, name);
          return element("td", { class: kind === "text" ? "" : `wb-number${value < 0 ? " wb-negative" : ""}`, title: text.length > 40 ? text : null }, text);
        })),
      ),
    );
    views.table.firstChild.scrollTop = 0;
    const last = Math.min(first + PAGE, result.rows);
    const go = (label, to, off) => element("button", { type: "button", class: "wb-button wb-small", disabled: off, onclick: () => ask({ kind: "page", first: to }) }, label);
    const end = Math.floor((result.rows - 1) / PAGE) * PAGE;
    pager.hidden = result.rows <= PAGE;
    pager.replaceChildren(
      go("Première", 0, first === 0),
      go("Précédente", Math.max(0, first - PAGE), first === 0),
      element("span", {}, `Lignes ${NUMBER.format(first + 1)} à ${NUMBER.format(last)} sur ${NUMBER.format(result.rows)}`),
      go("Suivante", first + PAGE, last >= result.rows),
      go("Dernière", end, last >= result.rows),
    );
    if (!result.rows) body.replaceChildren(element("tr", {}, element("td", { class: "wb-empty-row", colspan: result.columns.length }, "Aucune ligne ne répond à cette requête.")));
  }

  // The chart takes the colours of the theme.
  function themed(layout, data) {
    const style = getComputedStyle(node);
    const ink = style.getPropertyValue("--wb-ink").trim();
    const line = style.getPropertyValue("--wb-line").trim();
    const ground = style.getPropertyValue("--wb-ground").trim();
    const dark = document.body.dataset.jpThemeLight === "false";
    const recoloured = (text) => Object.entries(ON_DARK).reduce((all, [from, to]) => all.replaceAll(from, to), text);
    const axis = (own) => ({ ...own, gridcolor: line, linecolor: line, zerolinecolor: ink });
    return [
      dark ? JSON.parse(recoloured(JSON.stringify(data))) : data,
      {
        ...layout,
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        autosize: true,
        font: { ...layout.font, color: ink },
        title: { ...layout.title, subtitle: { ...layout.title.subtitle, font: { size: 12, color: ink } } },
        hoverlabel: { bgcolor: ground, font: { color: ink } },
        xaxis: axis(layout.xaxis),
        yaxis: axis(layout.yaxis),
      },
    ];
  }
  async function draw() {
    if (!figure) return;
    const box = element("div", { class: "wb-chart", role: "img", "aria-label": figure.alternative });
    views.chart.replaceChildren(box);
    try {
      const loaded = await plotly(model);
      const [data, layout] = themed(figure.figure.layout, figure.figure.data);
      await loaded.newPlot(box, data, layout, { ...figure.figure.config, ...CONFIG });
    } catch {
      library = null;
      box.replaceChildren(element("p", { class: "wb-hint" }, "Le graphique n'a pas pu être chargé ; le tableau donne les mêmes chiffres."));
    }
  }
  // JupyterLab names the theme before its styles are there.
  let changing = null;
  const theme = new MutationObserver(() => {
    clearTimeout(changing);
    if (figure && !views.chart.hidden) changing = setTimeout(draw, 400);
  });
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  const size = new ResizeObserver(() => {
    const box = views.chart.querySelector(".js-plotly-plot");
    if (box && !views.chart.hidden) window.Plotly?.Plots.resize(box);
  });
  size.observe(node);

  model.on("change:result", update);
  model.on("msg:custom", (message) => {
    if (message.kind === "page") {
      showPage(message.page);
      if (!message.new) return;
      drawn = false;
      figure = null;
      show(views.chart.hidden ? "table" : "chart");
    }
    if (message.kind === "figure") {
      figure = message.figure ? message : null;
      if (figure) draw();
      else views.chart.replaceChildren(element("p", { class: "wb-hint" }, message.message));
    }
  });
  update();
  show("table");
  if (model.get("result")) ask({ kind: "page", first: 0 });
  return { node, heading, end: () => [theme, size].forEach((each) => each.disconnect()) };
}
