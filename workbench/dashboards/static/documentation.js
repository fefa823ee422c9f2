// Nomenclatures, trames and indicateurs, one inside the other; what is chosen, its formules and their drawings.

function render({ model, el }) {
  el.classList.add("wb", "wb-library-host");
  const ask = channel(model, el);
  const searchId = unique("search");
  let timer = null;
  const search = element("input", {
    id: searchId,
    class: "wb-input",
    type: "search",
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(() => ask({ kind: "search", text: search.value }), 150);
    },
  });
  const chips = element("ul", { class: "wb-chips", "aria-label": "Filtres" });
  const lists = {};
  function list(field, label) {
    const id = unique(field);
    const count = element("span", { class: "wb-count" });
    const items = element("ul", { class: "wb-picks" });
    lists[field] = { count, items };
    return element(
      "section",
      { class: "wb-shelf", "aria-labelledby": id },
      element("h2", { id }, `${label} `, count),
      element("div", { class: "wb-shelf-body", tabindex: "0", role: "region", "aria-labelledby": id }, items),
    );
  }
  const detail = element("section", { class: "wb-detail", tabindex: "-1", hidden: true });
  el.append(
    element("div", { class: "wb-field" }, element("label", { for: searchId }, "Rechercher dans les libellés et les codes"), search),
    chips,
    element("div", { class: "wb-shelves" }, list("nomenclature", "Nomenclatures"), list("trame", "Trames"), list("indicateur", "Indicateurs")),
    detail,
  );

  function pick(field, item, chosen) {
    const pressed = item.value === chosen;
    return element(
      "li",
      {},
      element(
        "button",
        {
          type: "button",
          class: "wb-pick",
          "data-key": `${field} ${item.trame ?? ""} ${item.value}`,
          "aria-pressed": String(pressed),
          onclick: () => ask({ kind: "choose", field, value: pressed ? "" : item.value, trame: item.trame }),
        },
        element("span", {}, item.label),
        item.detail && item.detail !== item.label ? element("span", { class: "wb-pick-detail" }, item.detail) : null,
      ),
    );
  }
  function update() {
    const state = model.get("state");
    const focused = document.activeElement?.dataset?.key;
    if (document.activeElement !== search) search.value = state.text;
    chips.replaceChildren(
      ...state.chips.map((each) =>
        element("li", { class: "wb-chip" }, element("span", {}, each.label), element("button", { type: "button", "aria-label": `Retirer le filtre ${each.label}`, onclick: () => ask({ kind: "choose", field: each.field, value: "" }) }, "×")),
      ),
    );
    chips.hidden = !state.chips.length;
    for (const [field, items] of [["nomenclature", state.nomenclatures], ["trame", state.trames], ["indicateur", state.indicateurs]]) {
      lists[field].items.replaceChildren(
        ...(items.length ? items.map((item) => pick(field, item, state.chosen[field])) : [element("li", { class: "wb-hint" }, "Rien ne répond à cette recherche.")]),
      );
      lists[field].count.textContent = field === "indicateur" && state.found > state.shown ? `(${state.shown} sur ${state.found.toLocaleString("fr-FR")})` : `(${items.length})`;
    }
    if (focused) el.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  // What is chosen
  function formule(each) {
    const text = element("div", { class: "wb-equation" }, element("code", {}, each.texte));
    const drawing = element("div", { class: "wb-drawing", tabindex: "0", role: "region", "aria-label": `Arbre de la formule, ${each.validite}`, "data-place": each.place, hidden: true });
    const tabs = ["Équation", "Arbre"].map((label, index) =>
      element("button", { type: "button", class: "wb-tab", "aria-pressed": String(index === 0), onclick: () => show(index) }, label),
    );
    function show(index) {
      tabs.forEach((tab, place) => tab.setAttribute("aria-pressed", String(place === index)));
      text.hidden = index === 1;
      drawing.hidden = index === 0;
      if (index === 1 && !drawing.firstChild) ask({ kind: "draw", place: each.place });
    }
    return element(
      "div",
      { class: "wb-formula" },
      element("div", { class: "wb-formula-head" }, element("h4", {}, each.validite), element("div", { role: "group", "aria-label": "Présentation de la formule" }, tabs)),
      text,
      drawing,
    );
  }
  function tell() {
    const said = model.get("detail");
    detail.hidden = !said;
    if (!said) return;
    const paragraphs = (text) => text.split("\n").filter((line) => line.trim()).map((line) => element("p", {}, line));
    const parts = [
      element("h2", { class: "wb-title" }, said.title),
      element("dl", { class: "wb-properties" }, said.facts.map((each) => element("div", {}, element("dt", {}, each.name), element("dd", {}, each.value)))),
      element("div", { class: "wb-prose" }, paragraphs(said.description), said.reference ? paragraphs(`Source : ${said.reference}`) : null),
      said.file ? element("button", { type: "button", class: "wb-button", onclick: () => ask({ kind: "export" }) }, said.file) : null,
      said.formules.length ? element("h3", {}, said.formules.length > 1 ? "Formules, par exercices" : "Formule") : null,
      said.formules.map(formule),
      said.kind === "indicateur" && !said.formules.length ? element("p", { class: "wb-hint" }, "Sans formule : il vaut 0.") : null,
      said.links.map((each) =>
        element(
          "div",
          { class: "wb-links" },
          element("h3", {}, each.label),
          element("ul", {}, each.codes.map((code) => element("li", {}, element("button", { type: "button", class: "wb-link", onclick: () => ask({ kind: "choose", field: "indicateur", value: code.value }) }, code.label)))),
        ),
      ),
    ];
    detail.replaceChildren(...parts.flat().filter(Boolean));
    detail.focus({ preventScroll: true });
    detail.scrollIntoView({ block: "nearest" });
  }
  model.on("change:state", update);
  model.on("change:detail", tell);
  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "file") saveFile(message, buffers);
    if (message.kind === "drawing") {
      const place = detail.querySelector(`.wb-drawing[data-place="${Number(message.place)}"]`);
      if (!place) return;
      if (!message.svg) {
        place.replaceChildren(element("p", { class: "wb-hint" }, "Cette formule ne peut pas être dessinée."));
        return;
      }
      // Text of our own drawing, every name escaped there; parsed as XML, it holds no script.
      const svg = new DOMParser().parseFromString(message.svg, "image/svg+xml").documentElement;
      place.replaceChildren(document.importNode(svg, true));
    }
  });
  update();
}

export default { render };
