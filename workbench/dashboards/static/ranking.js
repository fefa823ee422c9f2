// Many collectivités: the figures of the whole, the map, the ranking.

function render({ model, el }) {
  el.classList.add("wb", "wb-ranking-host");
  const ask = channel(model, el);
  const change = (field, value) => ask({ kind: "change", field, value });

  const title = element("h2", { class: "wb-title", tabindex: "-1" });
  const subtitle = element("p", { class: "wb-hint" });
  const status = element("p", { class: "wb-hint", role: "status" });
  const facts = element("dl", { class: "wb-facts" });
  const map = departementMap(model.get("outlines"), (code) => change("departements", [code]), (siret) => change("follow", siret));
  const scaleName = unique("carte");
  const scales = [["departement", "Médiane par département"], ["commune", "Par commune"]].map(([value, label]) => {
    const input = element("input", { type: "radio", name: scaleName, value, "data-key": `carte-${value}`, onchange: () => change("carte", value) });
    return { input, value, node: element("label", { class: "wb-radio" }, input, label) };
  });
  const mapNote = element("p", { class: "wb-hint" });
  const legend = element("ul", { class: "wb-legend", "aria-label": "Légende de la carte" });
  const places = element("div", { class: "wb-scroll wb-places", tabindex: "0", role: "region", "aria-label": "Médiane par département" });
  const source = element("p", { class: "wb-hint" });
  const outlinesSource = `Contours : ${model.get("outlines").source}.`;
  const figure = element("figure", {}, map.svg, legend);
  const parts = element("div", { class: "wb-mapped-parts" }, figure, places);
  const mapped = element(
    "section",
    { class: "wb-mapped", "aria-label": "Carte" },
    element("h3", {}, "Carte"),
    element("fieldset", { class: "wb-modes" }, element("legend", { class: "wb-sr" }, "Carte"), scales.map((each) => each.node)),
    mapNote,
    parts,
    source,
  );
  const follow = combobox({
    label: "Suivre une collectivité",
    hint: "Nom, SIREN ou SIRET",
    kept: false,
    search: (text, serial) => ask({ kind: "search", what: "followed", text, serial }),
    choose: (value) => change("follow", value),
  });
  const chips = element("ul", { class: "wb-chips", "aria-label": "Collectivités suivies" });
  const table = element("div", { class: "wb-scroll", tabindex: "0", role: "region", "aria-label": "Classement" });
  const pages = element("nav", { class: "wb-pages", "aria-label": "Pages du classement" });
  const ranking = element("section", { class: "wb-classement", "aria-label": "Classement" }, element("h3", {}, "Classement"), follow.node, chips, table, pages);
  const notes = element("div", { class: "wb-notes" });
  const body = element("div", { class: "wb-column" }, facts, mapped, ranking, notes);
  el.append(title, subtitle, status, body);

  function button(label, text, onclick, attributes = {}) {
    return element("button", { type: "button", class: "wb-button", "aria-label": label, onclick, ...attributes }, text);
  }
  function line(row, state, pinned) {
    const followed = state.followed.some((each) => each.value === row.siret);
    const mark = element(
      "button",
      {
        type: "button",
        class: "wb-draw",
        "aria-pressed": String(followed),
        title: followed ? "Ne plus suivre" : "Suivre dans les graphiques",
        "aria-label": `Suivre dans les graphiques : ${row.libelle}`,
        "data-key": `${pinned ? "suivie" : "suivre"}-${row.siret}`,
        onclick: () => change(followed ? "unfollow" : "follow", row.siret),
      },
    );
    return element(
      "tr",
      { class: pinned ? "wb-pinned" : null },
      element("td", {}, row.rank),
      element("th", { scope: "row" }, element("div", { class: "wb-row-head" }, mark, element("span", {}, row.libelle, row.provisional ? element("span", { class: "wb-provisional", title: "Comptes provisoires" }, " prov.") : null))),
      element("td", { class: "wb-text-cell" }, row.departement),
      element("td", {}, row.population),
      element("td", {}, element("strong", {}, row.value)),
      state.other ? element("td", {}, row.other) : null,
    );
  }
  function showRanking(state) {
    const { rows, pinned, total, page, pages: count, order } = state.ranking;
    const sorted = order === "desc" ? "descending" : "ascending";
    const turn = element(
      "button",
      { type: "button", class: "wb-sort", "data-key": "ordre", title: "Inverser l'ordre", onclick: () => change("order", order === "desc" ? "asc" : "desc") },
      `${state.value} ${order === "desc" ? "▼" : "▲"}`,
    );
    table.replaceChildren(
      element(
        "table",
        { class: "wb-table" },
        element("caption", { class: "wb-sr" }, `Classement, ${total} collectivités`),
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            element("th", { scope: "col" }, "Rang"),
            element("th", { scope: "col", class: "wb-text-cell" }, "Collectivité"),
            element("th", { scope: "col", class: "wb-text-cell" }, "Département"),
            element("th", { scope: "col" }, "Population"),
            element("th", { scope: "col", class: "wb-named", "aria-sort": sorted }, turn),
            state.other ? element("th", { scope: "col", class: "wb-named" }, state.other) : null,
          ),
        ),
        pinned.length ? element("tbody", {}, pinned.map((row) => line(row, state, true))) : null,
        element("tbody", {}, rows.map((row) => line(row, state, false))),
      ),
    );
    pages.replaceChildren(
      button("Première page", "«", () => change("page", "0"), { disabled: page === 0, "data-key": "premiere" }),
      button("Page précédente", "Précédente", () => change("page", String(page - 1)), { disabled: page === 0, "data-key": "precedente" }),
      element("span", { role: "status" }, `Page ${page + 1} sur ${count}, ${total.toLocaleString("fr-FR")} collectivité${total > 1 ? "s" : ""}`),
      button("Page suivante", "Suivante", () => change("page", String(page + 1)), { disabled: page >= count - 1, "data-key": "suivante" }),
      button("Dernière page", "»", () => change("page", String(count - 1)), { disabled: page >= count - 1, "data-key": "derniere" }),
    );
    pages.hidden = count < 2;
  }
  function showMap(state) {
    const known = state.map.places;
    const near = state.map.scale === "commune";
    const description = near
      ? `Carte : ${state.title}, ${known.length} communes ; le classement donne les mêmes chiffres.`
      : `Carte : ${state.title}, médiane de ${known.length} départements ; le tableau donne les mêmes chiffres.`;
    map.show({ ...state.map, description });
    for (const each of scales) each.input.checked = each.value === state.map.scale;
    mapNote.textContent = near && known.length ? `Un disque par commune, à la mesure de sa population ; un clic la suit dans les graphiques. ${state.map.note}` : state.map.note;
    mapNote.hidden = !mapNote.textContent;
    parts.dataset.scale = state.map.scale;
    figure.hidden = !known.length;
    places.hidden = near || !known.length;
    source.textContent = near ? `${outlinesSource} Communes : GeoNames (CC BY 4.0), @etalab/decoupage-administratif (MIT).` : outlinesSource;
    legend.replaceChildren(
      ...state.map.legend.map((each) => element("li", {}, element("span", { class: "wb-shade", "data-shade": each.shade, "aria-hidden": "true" }), `${each.label} (${each.count})`)),
      known.length && !near ? element("li", {}, element("span", { class: "wb-shade", "aria-hidden": "true" }), "sans donnée") : "",
    );
    mapped.hidden = !known.length && !near;
    if (near) return;
    places.replaceChildren(
      element(
        "table",
        { class: "wb-table" },
        element("caption", { class: "wb-sr" }, "Médiane par département"),
        element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Département"), element("th", { scope: "col" }, "Collectivités"), element("th", { scope: "col" }, "Médiane"))),
        element(
          "tbody",
          {},
          known.map((each) =>
            element(
              "tr",
              {},
              element("th", { scope: "row" }, element("button", { type: "button", class: "wb-link", "data-key": `dep-${each.code}`, title: "Ne garder que ce département", onclick: () => change("departements", [each.code]) }, each.name)),
              element("td", {}, String(each.count)),
              element("td", {}, each.value),
            ),
          ),
        ),
      ),
    );
  }
  function update() {
    const state = model.get("state");
    status.textContent = state.pending ? "Comparaison en cours…" : state.empty || "";
    body.classList.toggle("wb-waiting", Boolean(state.pending));
    body.hidden = !state.ranking;
    if (!state.ranking) {
      title.textContent = subtitle.textContent = "";
      return;
    }
    title.textContent = state.title;
    subtitle.textContent = state.subtitle;
    // What is redrawn keeps the focus on what bears the same key.
    const key = el.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    facts.replaceChildren(...state.summary.map((each) => element("div", {}, element("dt", {}, each.label), element("dd", {}, each.value))));
    showMap(state);
    showRanking(state);
    chips.replaceChildren(
      ...state.followed.map((each) =>
        element("li", { class: "wb-chip" }, element("span", {}, each.label), element("button", { type: "button", "aria-label": `Ne plus suivre ${each.label}`, onclick: () => change("unfollow", each.value) }, "×")),
      ),
    );
    chips.hidden = !state.followed.length;
    notes.replaceChildren(...(state.notes ?? []).map((text) => element("p", { class: "wb-hint" }, text)));
    if (key) [...el.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key && !each.disabled)?.focus({ preventScroll: true });
  }
  model.on("change:state", update);
  model.on("msg:custom", (message) => {
    if (message.kind === "suggestions") follow.show(message.options, message.serial);
  });
  update();
}

export default { render };
