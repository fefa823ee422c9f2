// Figures by indicateur and exercice; each is a button that unfolds, under its row, where it comes from.

function render({ model, el }) {
  el.classList.add("wb", "wb-table-host");
  const ask = channel(model, el);
  const caption = element("h2", { class: "wb-title", tabindex: "-1" });
  const subtitle = element("p", { class: "wb-hint" });
  const help = element(
    "p",
    { class: "wb-hint" },
    "Chaque chiffre s'explique : activez-le, d'un clic ou avec Entrée. Les flèches passent d'un chiffre à l'autre.",
  );
  const scroller = element("div", { class: "wb-scroll", role: "region", tabindex: "0" });
  const drawnText = element("span");
  const drawnBar = element(
    "div",
    { class: "wb-drawn", role: "status", hidden: true },
    drawnText,
    element("button", { type: "button", class: "wb-button", onclick: showCharts }, "Voir le graphique"),
    element("button", { type: "button", class: "wb-button", onclick: () => ask({ kind: "undraw" }) }, "Tout retirer"),
  );
  const toCharts = element("button", { type: "button", class: "wb-link wb-unprinted", onclick: showCharts }, "Aller aux graphiques");
  el.append(caption, subtitle, help, toCharts, scroller, drawnBar);

  function showCharts() {
    const title = document.querySelector(".wb-charts .wb-title");
    title?.focus({ preventScroll: true });
    title?.scrollIntoView({ block: "start" });
  }

  let buttons = []; // rows of buttons, for the arrows
  let places = new Map(); // "code exercice" -> button
  let unfolded = null;

  const key = (code, exercice) => `${code} ${exercice}`;

  function move(event, row, column) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    let target = null;
    if (steps[event.key]) target = buttons[row + steps[event.key][0]]?.[column + steps[event.key][1]];
    else if (event.key === "Home") target = buttons[row][0];
    else if (event.key === "End") target = buttons[row].at(-1);
    if (!target) return;
    event.preventDefault();
    enter(target);
    target.focus();
  }
  function enter(button) {
    // One stop of the Tab key for the whole table, wherever one was.
    scroller.querySelector(".wb-figure[tabindex='0']")?.setAttribute("tabindex", "-1");
    button.setAttribute("tabindex", "0");
  }

  function figure(row, exercice, cell, rowIndex, columnIndex) {
    const button = element(
      "button",
      {
        type: "button",
        class: "wb-figure",
        tabindex: rowIndex === 0 && columnIndex === 0 ? "0" : "-1",
        "aria-expanded": "false",
        "aria-label": `${cell.text} ${row.unite}, ${row.libelle}, ${exercice} : expliquer`,
        "data-negative": cell.negative,
        "data-zero": cell.zero,
        onclick: () => {
          enter(button);
          if (unfolded?.button === button) close(true);
          else ask({ kind: "explain", code: row.code, exercice });
        },
        onkeydown: (event) => move(event, rowIndex, columnIndex),
      },
      cell.text,
    );
    places.set(key(row.code, exercice), button);
    return button;
  }

  function body(groups, exercices) {
    buttons = [];
    places = new Map();
    const bodies = groups.map((group) => {
      const rows = group.rows.map((row) => {
        const rowIndex = buttons.length;
        const line = row.cells.map((cell, columnIndex) => figure(row, exercices[columnIndex], cell, rowIndex, columnIndex));
        buttons.push(line);
        const draw = element(
          "button",
          {
            type: "button",
            class: "wb-draw",
            "aria-pressed": "false",
            "data-code": row.code,
            title: "Montrer dans le graphique",
            "aria-label": `Montrer dans le graphique : ${row.libelle}`,
            onclick: () => ask({ kind: "draw", code: row.code }),
          },
        );
        return element(
          "tr",
          {},
          element(
            "th",
            { scope: "row" },
            element("div", { class: "wb-row-head" }, draw, element("span", { class: "wb-row-name" }, row.libelle)),
          ),
          element("td", { class: "wb-unit" }, row.unite),
          line.map((button) => element("td", {}, button)),
        );
      });
      const title = group.theme
        ? [element("tr", { class: "wb-theme" }, element("th", { scope: "rowgroup", colspan: exercices.length + 2 }, element("span", {}, group.theme)))]
        : [];
      return element("tbody", {}, title, rows);
    });
    return bodies;
  }

  function update() {
    const state = model.get("table");
    close(false);
    el.hidden = !state;
    if (!state) return;
    caption.textContent = state.title;
    subtitle.textContent = state.subtitle;
    scroller.setAttribute("aria-label", state.title);
    const head = element(
      "thead",
      {},
      element(
        "tr",
        {},
        element("th", { scope: "col" }, "Indicateur"),
        element("th", { scope: "col", class: "wb-unit" }, "Unité"),
        state.exercices.map((exercice) =>
          element(
            "th",
            { scope: "col" },
            String(exercice),
            state.provisional?.includes(exercice) ? element("span", { class: "wb-provisional", title: "Comptes provisoires" }, " prov.") : null,
          ),
        ),
      ),
    );
    const table = element("table", { class: "wb-table" }, head, body(state.groups, state.exercices));
    table.prepend(element("caption", { class: "wb-sr" }, state.title));
    scroller.replaceChildren(table);
    press();
  }
  function press() {
    const drawn = new Set(model.get("drawn"));
    for (const button of scroller.querySelectorAll(".wb-draw")) {
      button.setAttribute("aria-pressed", String(drawn.has(button.dataset.code)));
    }
    const several = drawn.size > 1 ? "s" : "";
    drawnText.textContent = `${drawn.size} indicateur${several} choisi${several} pour le graphique`;
    drawnBar.hidden = !drawn.size;
  }

  function close(focus) {
    if (!unfolded) return;
    unfolded.row.remove();
    unfolded.button.setAttribute("aria-expanded", "false");
    unfolded.button.removeAttribute("aria-controls");
    if (focus) unfolded.button.focus();
    unfolded = null;
  }

  function node(item, path) {
    const line = [
      element("span", { class: "wb-sign" }, item.sign),
      element("span", { class: "wb-label" }, element("b", {}, item.label), item.libelle ? ` ${item.libelle}` : ""),
      element("span", { class: "wb-amount" }, item.value),
    ];
    const id = path.join("-");
    if (!item.children && !item.more) return element("li", { class: "wb-leaf", "data-path": id }, line);
    const children = element("ul", { class: "wb-tree" });
    const details = element("details", { "data-path": id, open: Boolean(item.open) }, element("summary", {}, line), children);
    if (item.children) children.append(...branch(item, path));
    else {
      details.addEventListener("toggle", () => {
        if (details.open && !children.childElementCount) ask({ kind: "expand", path });
      });
    }
    return element("li", {}, details);
  }
  function branch(item, path) {
    const items = item.children.map((child, index) => node(child, [...path, index]));
    if (item.total) {
      items.push(element("li", { class: "wb-leaf wb-total" }, element("span", { class: "wb-sign" }, "="), element("span", { class: "wb-label" }, item.total), element("span", { class: "wb-amount" }, item.value)));
    }
    return items;
  }

  function explain(why) {
    close(false);
    const button = places.get(key(why.code, why.exercice));
    if (!button) return;
    const id = unique("why");
    const content = element(
      "div",
      { class: "wb-why-body", role: "region", "aria-label": `Explication : ${why.title}`, onkeydown: (event) => {
        if (event.key === "Escape") close(true);
      } },
      element(
        "div",
        { class: "wb-why-head" },
        element("h3", {}, why.title),
        element("button", { type: "button", class: "wb-button wb-close", onclick: () => close(true) }, "Fermer"),
      ),
      why.description ? element("p", {}, why.description) : null,
      why.formules.map((formule) =>
        element("p", { class: "wb-formule" }, "Formule : ", element("code", {}, formule.texte), formule.validite ? ` (${formule.validite})` : ""),
      ),
      why.reference ? element("p", { class: "wb-hint" }, `Source : ${why.reference}`) : null,
      element("ul", { class: "wb-tree wb-root" }, node(why.tree, [])),
    );
    const row = element("tr", { class: "wb-why", id }, element("td", { colspan: model.get("table").exercices.length + 2 }, content));
    button.closest("tr").after(row);
    button.setAttribute("aria-expanded", "true");
    button.setAttribute("aria-controls", id);
    unfolded = { button, row };
    row.scrollIntoView({ block: "nearest" });
  }

  model.on("change:table", update);
  model.on("change:drawn", press);
  model.on("msg:custom", (message) => {
    if (message.kind === "explanation") explain(message.explanation);
    if (message.kind === "children" && unfolded) {
      const details = unfolded.row.querySelector(`details[data-path="${message.path.join("-")}"]`);
      details?.lastElementChild.replaceChildren(...branch(message.node, message.path));
    }
  });
  update();
}

export default { render };
