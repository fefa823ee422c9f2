// A collectivité among its like: its strate, its département, the peers that were chosen.

function render({ model, el }) {
  el.classList.add("wb", "wb-situation");
  const ask = channel(model, el);
  const title = element("h2", { class: "wb-title", tabindex: "-1" }, "Parmi les semblables");
  const subtitle = element("p", { class: "wb-hint", role: "status" });
  const year = element("select", { class: "wb-input", id: unique("exercice"), onchange: () => ask({ kind: "exercice", value: year.value }) });
  const peers = combobox({
    label: "Comparer aussi à",
    hint: "Nom, SIREN ou SIRET",
    kept: false,
    search: (text, serial) => ask({ kind: "search", text, serial }),
    choose: (value) => ask({ kind: "peer", value }),
  });
  const like = element("button", { type: "button", class: "wb-button", onclick: () => ask({ kind: "like" }) }, "Proposer des semblables");
  const chips = element("ul", { class: "wb-chips", "aria-label": "Collectivités comparées" });
  const choices = element(
    "div",
    { class: "wb-situation-choices" },
    element("div", { class: "wb-field" }, element("label", { for: year.id }, "Exercice comparé"), year),
    peers.node,
    like,
    chips,
  );
  const scroller = element("div", { class: "wb-scroll", tabindex: "0", role: "region", "aria-label": "Comparaison avec les semblables" });
  const notes = element("div", { class: "wb-notes" });
  el.append(title, subtitle, choices, scroller, notes);

  function place(row) {
    if (row.percentile === null) return element("td", {}, row.rank);
    // Where it stands from the lowest to the highest, the middle half of the group shaded.
    const bar = element("span", { class: "wb-place", "aria-hidden": "true" }, element("span", { class: "wb-place-mark", style: `left: ${row.percentile}%` }));
    const percentile = row.percentile.toLocaleString("fr-FR");
    return element("td", { class: "wb-place-cell" }, bar, element("span", { title: `Rang centile : ${percentile}` }, `${percentile} % · ${row.rank}`));
  }
  function line(row, drawn) {
    const draw = element("button", {
      type: "button",
      class: "wb-draw",
      "aria-pressed": String(drawn.has(row.code)),
      title: "Montrer dans les graphiques de la comparaison",
      "aria-label": `Montrer dans les graphiques de la comparaison : ${row.libelle}`,
      onclick: () => ask({ kind: "draw", code: row.code }),
    });
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, element("div", { class: "wb-row-head" }, draw, element("span", { class: "wb-row-name" }, row.libelle))),
      element("td", { class: "wb-unit" }, row.unite),
      element("td", {}, element("strong", {}, row.value)),
      element("td", {}, row.median),
      element("td", {}, row.quartiles),
      place(row),
      element("td", {}, row.departement),
      element("td", {}, row.departement_rank),
      row.peers.map((cell) => element("td", {}, cell)),
    );
  }
  function table(state) {
    const heads = ["Indicateur", "Unité", state.name, "Médiane", "Quartiles", "Centile · rang", "Médiane", "Rang", ...state.columns];
    const drawn = new Set(model.get("drawn"));
    return element(
      "table",
      { class: "wb-table" },
      element("caption", { class: "wb-sr" }, `Comparaison avec les semblables, ${state.exercice}`),
      element(
        "thead",
        {},
        element(
          "tr",
          { class: "wb-above" },
          element("td", { colspan: 3 }),
          element("th", { scope: "colgroup", colspan: 3 }, "Strate"),
          element("th", { scope: "colgroup", colspan: 2 }, state.departement || "Département"),
          state.columns.length ? element("th", { scope: "colgroup", colspan: state.columns.length }, "Collectivités choisies") : null,
        ),
        element("tr", {}, heads.map((text, index) => element("th", { scope: "col", class: index === 1 ? "wb-unit" : index > 7 || index === 2 ? "wb-named" : null }, text))),
      ),
      state.groups.map((group) =>
        element(
          "tbody",
          {},
          group.theme ? element("tr", { class: "wb-theme" }, element("th", { scope: "rowgroup", colspan: heads.length }, element("span", {}, group.theme))) : null,
          group.rows.map((row) => line(row, drawn)),
        ),
      ),
    );
  }
  function update() {
    const state = model.get("state");
    el.hidden = !state;
    if (!state) return;
    year.replaceChildren(...state.exercices.map((each) => element("option", { value: each.value }, each.label)));
    year.value = state.exercice;
    chips.replaceChildren(
      ...state.peers.map((each) =>
        element("li", { class: "wb-chip" }, element("span", {}, each.label), element("button", { type: "button", "aria-label": `Retirer ${each.label}`, onclick: () => ask({ kind: "unpeer", value: each.value }) }, "×")),
      ),
    );
    chips.hidden = !state.peers.length;
    like.disabled = state.peers.length >= state.most;
    if (state.error || state.pending) {
      subtitle.textContent = state.error || "Comparaison en cours…";
      scroller.classList.toggle("wb-waiting", !state.error);
      if (state.error) scroller.replaceChildren();
      notes.replaceChildren();
      return;
    }
    scroller.classList.remove("wb-waiting");
    subtitle.textContent = state.strate ? `${state.strate[0].toUpperCase()}${state.strate.slice(1)}` : "";
    const [left, focused] = [scroller.scrollLeft, document.activeElement?.getAttribute("aria-label")];
    const inside = scroller.contains(document.activeElement);
    scroller.replaceChildren(table(state));
    scroller.scrollLeft = left;
    if (inside) [...scroller.querySelectorAll("button")].find((each) => each.getAttribute("aria-label") === focused)?.focus({ preventScroll: true });
    notes.replaceChildren(...state.notes.map((text) => element("p", { class: "wb-hint" }, text)));
  }
  function press() {
    const drawn = new Set(model.get("drawn"));
    for (const row of scroller.querySelectorAll(".wb-draw")) row.setAttribute("aria-pressed", "false");
    const state = model.get("state");
    if (state?.groups) {
      const codes = state.groups.flatMap((group) => group.rows.map((row) => row.code));
      scroller.querySelectorAll(".wb-draw").forEach((button, index) => button.setAttribute("aria-pressed", String(drawn.has(codes[index]))));
    }
  }
  model.on("change:state", update);
  model.on("change:drawn", press);
  model.on("msg:custom", (message) => {
    if (message.kind === "suggestions") peers.show(message.options, message.serial);
  });
  update();
}

export default { render };
