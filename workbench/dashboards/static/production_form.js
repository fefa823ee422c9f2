// The choices of a request: what to make, of whom (one by one, or by criteria), for which exercices.

function render({ model, el }) {
  el.classList.add("wb", "wb-request-host");
  const ask = channel(model, el);
  const choose = (field, value) => ask({ kind: "choose", field, value });
  const selects = {};

  function select(field, label, hint) {
    const id = unique(field);
    const node = element("select", { id, class: "wb-input", onchange: () => choose(field, node.value) });
    selects[field] = node;
    return element("div", { class: `wb-field wb-field-${field}` }, element("label", { for: id }, label), node, hint ? element("p", { class: "wb-hint" }, hint) : null);
  }
  function fill(node, choices, value, first) {
    const known = first ? [{ value: "", label: first }, ...choices] : choices;
    node.replaceChildren(...known.map((choice) => element("option", { value: choice.value }, choice.label)));
    node.value = value;
  }

  // Of whom, one by one
  const collectivite = combobox({
    label: "Ajouter une collectivité",
    hint: "Nom ou numéro",
    kept: false,
    empty: "Aucune proposition pour ce texte.",
    search: (text, serial) => {
      ask({ kind: "search", text, serial });
    },
    choose: (value) => ask({ kind: "add", value }),
  });
  const least = element("p", { class: "wb-hint" });
  const chips = element("ul", { class: "wb-chips", "aria-label": "Collectivités choisies" });
  const clear = element("button", { type: "button", class: "wb-link", onclick: () => ask({ kind: "remove", value: null }) }, "Tout retirer");
  const identifiers = element(
    "div",
    { class: "wb-request-part" },
    element(
      "div",
      { class: "wb-request-row" },
      select("departement", "Département"),
      select("type", "Type d'établissement"),
      select("kind", "Type d'identifiant"),
    ),
    collectivite.node,
    least,
    chips,
    clear,
  );

  // Of whom, by criteria
  function several(field, label) {
    const id = unique(field);
    const node = element("select", { id, class: "wb-input", onchange: () => {
      if (node.value) choose(field, [...model.get("state")[`several_${field}`], node.value]);
    } });
    const list = element("ul", { class: "wb-chips", "aria-label": label });
    return {
      node: element("div", { class: "wb-field" }, element("label", { for: id }, label), node, list),
      update(choices, chosen) {
        const names = new Map(choices.map((each) => [each.value, each.label]));
        fill(node, choices.filter((each) => !chosen.includes(each.value)), "", "Ajouter…");
        list.replaceChildren(...chosen.map((code) => chip(names.get(code) ?? code, () => choose(field, chosen.filter((each) => each !== code)))));
      },
    };
  }
  const departements = several("departements", "Départements");
  const types = several("types", "Types d'établissement");
  const bounds = ["au moins", "au plus"].map((label) => {
    const id = unique("population");
    const node = element("input", { id, class: "wb-input", type: "text", inputmode: "numeric", autocomplete: "off", size: 9, onchange: () => choose("population", inputs().map((each) => each.value)) });
    return { node, field: element("div", { class: "wb-field" }, element("label", { for: id }, label), node) };
  });
  const inputs = () => bounds.map((each) => each.node);
  const criteria = element(
    "div",
    { class: "wb-request-part" },
    element("div", { class: "wb-request-row" }, departements.node, types.node),
    element("fieldset", { class: "wb-population" }, element("legend", {}, "Population"), bounds.map((each) => each.field)),
  );

  function chip(label, drop) {
    return element("li", { class: "wb-chip" }, element("span", {}, label), element("button", { type: "button", "aria-label": `Retirer ${label}`, onclick: drop }, "×"));
  }

  // How the collectivités are taken
  const mode = unique("mode");
  const modes = [["identifiers", "Des collectivités choisies une à une"], ["criteria", "Toutes celles qui répondent à des critères"]].map(([value, label]) => {
    const input = element("input", { type: "radio", name: mode, value, onchange: () => choose("mode", value) });
    return { input, value, node: element("label", { class: "wb-radio" }, input, label) };
  });
  const modeField = element("fieldset", { class: "wb-modes" }, element("legend", {}, "Collectivités"), modes.map((each) => each.node));

  // Exercices: two handles over the years that there are.
  const ranges = ["Premier exercice", "Dernier exercice"].map((label, place) => {
    const id = unique("exercice");
    const output = element("output", { for: id });
    const node = element("input", {
      id,
      type: "range",
      step: 1,
      oninput: () => {
        // They push each other.
        const other = ranges[1 - place].node;
        if (place === 0 ? Number(node.value) > Number(other.value) : Number(node.value) < Number(other.value)) other.value = node.value;
        told();
      },
      onchange: () => choose("exercices", ranges.map((each) => years[Number(each.node.value)])),
    });
    return { node, output, field: element("div", { class: "wb-range" }, element("label", { for: id }, label), node, output) };
  });
  let years = [];
  const exercices = element("fieldset", { class: "wb-exercices" }, element("legend", {}, "Exercices"), ranges.map((each) => each.field));
  function told() {
    for (const each of ranges) {
      const year = String(years[Number(each.node.value)] ?? "");
      each.output.textContent = year;
      each.node.setAttribute("aria-valuetext", year);
    }
  }

  const missing = element("p", { class: "wb-hint", role: "status" });
  // The second click of a double one is the same request.
  const once = (event) => event.detail > 1 && event.preventDefault();
  const create = element("button", { type: "submit", class: "wb-button wb-primary", onclick: once }, "Créer le rapport");
  const aboutText = element("p", { class: "wb-hint" });
  const about = element("details", { class: "wb-about" }, element("summary", {}, "À propos de cette trame"), aboutText);
  el.append(
    element(
      "form",
      {
        class: "wb-request",
        "aria-label": "Demande d'un rapport",
        onsubmit: (event) => {
          event.preventDefault();
          if (!model.get("state").missing) ask({ kind: "create" });
        },
      },
      element("div", { class: "wb-request-row wb-what" }, select("nomenclature", "Nomenclature"), select("trame", "Trame")),
      about,
      modeField,
      identifiers,
      criteria,
      exercices,
      element("div", { class: "wb-request-end" }, create, missing),
    ),
  );

  function update() {
    const state = model.get("state");
    fill(selects.nomenclature, state.nomenclatures, state.nomenclature);
    fill(selects.trame, state.trames, state.trame);
    fill(selects.departement, state.departements, state.departement, "Tous");
    fill(selects.type, state.types, state.type, "Tous");
    fill(selects.kind, state.kinds, state.kind);
    aboutText.textContent = state.about;
    about.hidden = !state.about;
    modeField.hidden = !state.criteria;
    for (const each of modes) each.input.checked = each.value === state.mode;
    identifiers.hidden = state.mode !== "identifiers";
    criteria.hidden = state.mode !== "criteria";
    least.textContent = state.least ? `Écrivez au moins ${state.least} caractères, ou choisissez un département.` : "";
    least.hidden = !state.least;
    chips.replaceChildren(...state.chips.map((each) => chip(`${each.label} (${each.value})`, () => ask({ kind: "remove", value: each.value }))));
    chips.hidden = !state.chips.length;
    clear.hidden = state.chips.length < 2;
    departements.update(state.departements, state.several_departements);
    types.update(state.types, state.several_types);
    inputs().forEach((node, place) => {
      if (document.activeElement !== node) node.value = state.population[place];
    });
    years = state.exercices;
    exercices.hidden = !years.length;
    ranges.forEach((each, place) => {
      each.node.min = 0;
      each.node.max = Math.max(0, years.length - 1);
      each.node.value = years.indexOf(place ? state.last : state.first);
    });
    told();
    missing.textContent = state.missing;
    create.setAttribute("aria-disabled", String(Boolean(state.missing)));
  }
  model.on("change:state", update);
  model.on("msg:custom", (message) => {
    if (message.kind === "suggestions") collectivite.show(message.options, message.serial);
    if (message.kind === "refused") update();
  });
  update();
}

export default { render };
