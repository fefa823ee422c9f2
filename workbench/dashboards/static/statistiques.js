// How much the application is used: figures, then tables; a bar is a picture of the figure beside it.

function render({ model, el }) {
  el.classList.add("wb", "wb-stats");
  const ask = channel(model, el);
  const period = element("select", { class: "wb-input", id: unique("periode"), onchange: () => ask({ kind: "period", value: period.value }) });
  const files = ["xlsx", "csv"].map((file) =>
    element("button", { type: "button", class: "wb-button", onclick: () => ask({ kind: "download", file }) }, file === "xlsx" ? "Classeur Excel" : "Accès en CSV"),
  );
  const notices = element("div", { class: "wb-notices", "aria-live": "polite" });
  const content = element("div", {});
  el.append(
    element("div", { class: "wb-stats-bar" }, element("div", { class: "wb-field" }, element("label", { for: period.id }, "Période"), period), element("div", { class: "wb-bar" }, files)),
    notices,
    content,
  );

  function table(caption, heads, rows) {
    return element(
      "div",
      { class: "wb-scroll", tabindex: "0", role: "region", "aria-label": caption },
      element(
        "table",
        { class: "wb-table wb-stats-table" },
        element("caption", {}, caption),
        element("thead", {}, element("tr", {}, heads.map((text) => element("th", { scope: "col" }, text)))),
        element("tbody", {}, rows),
      ),
    );
  }
  const line = ([first, ...rest]) => element("tr", {}, element("th", { scope: "row" }, first), rest.map((text) => element("td", {}, text)));
  function day(row) {
    const [actions, ...rest] = row.cells;
    const bar = element("span", { class: "wb-stats-mark", "aria-hidden": "true", style: `width: ${row.width}%` });
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, row.day),
      element("td", { class: "wb-stats-drawn" }, element("span", { class: "wb-stats-track" }, bar), element("span", {}, actions)),
      rest.map((text) => element("td", {}, text)),
    );
  }
  function update() {
    notices.replaceChildren(
      ...model.get("notices").map((notice) =>
        element("div", { class: "wb-notice", "data-kind": notice.kind, role: "alert" }, element("p", {}, notice.message), notice.hint ? element("p", { class: "wb-hint" }, notice.hint) : null),
      ),
    );
    const state = model.get("state");
    const known = Boolean(state.periods);
    el.firstElementChild.hidden = !known;
    if (!known) return;
    period.replaceChildren(...state.periods.map((each) => element("option", { value: each.value }, each.label)));
    period.value = state.period;
    content.replaceChildren(
      element("h2", { class: "wb-title" }, state.title),
      element("dl", { class: "wb-stats-figures" }, state.figures.map((each) => element("div", {}, element("dt", {}, each.label), element("dd", {}, each.value)))),
      element(
        "div",
        { class: "wb-stats-tables" },
        table("Par genre", ["Genre", "Actions", "Part"], state.kinds.map(line)),
        table("Par personne", ["Personne", "Actions", "Jours", "Dernier jour"], state.people.map(line)),
      ),
      state.more ? element("p", { class: "wb-hint" }, `${state.more} autres personnes sont dans le classeur.`) : "",
      table("Dans le temps", [state.days.head, "Actions", "Personnes", "Recherches", "Fiches"], state.days.rows.map(day)),
    );
  }
  model.on("change:state", update);
  model.on("change:notices", update);
  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "file") saveFile(message, buffers);
  });
  update();
}

export default { render };
