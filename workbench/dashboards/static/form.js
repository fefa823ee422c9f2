// The choices of a page: lists that depend on one another, a type-ahead and a period.

function render({ model, el }) {
  el.classList.add("wb", "wb-form-host");
  const ask = channel(model, el);
  const selects = {};

  function select(field, label) {
    const id = unique(field);
    const node = element("select", {
      id,
      class: "wb-input",
      onchange: () => ask({ kind: "choose", field, value: node.value }),
    });
    selects[field] = node;
    return element("div", { class: `wb-field wb-field-${field}` }, element("label", { for: id }, label), node);
  }

  const collectivite = combobox({
    label: "Collectivité",
    hint: "Nom, SIREN ou SIRET",
    search: (text, number) => ask({ kind: "search", text, serial: number }),
    choose: (value) => ask({ kind: "choose", field: "collectivite", value }),
  });
  const aboutText = element("p", { class: "wb-hint" });
  const about = element("details", { class: "wb-about" }, element("summary", {}, "À propos de cette trame"), aboutText);
  const amounts = { total: "Montants", habitant: "Par habitant" };
  const name = unique("montants");
  const radios = Object.entries(amounts).map(([value, label]) => {
    const input = element("input", { type: "radio", name, value, onchange: () => ask({ kind: "choose", field: "montants", value }) });
    return element("label", { class: "wb-radio" }, input, label);
  });
  const montants = element("fieldset", { class: "wb-montants" }, element("legend", { class: "wb-sr" }, "Montants en euros"), radios);
  const form = element(
    "form",
    { class: "wb-form", "aria-label": "Choix de la collectivité et des exercices", onsubmit: (event) => event.preventDefault() },
    select("nomenclature", "Nomenclature"),
    select("trame", "Trame"),
    collectivite.node,
    element(
      "fieldset",
      { class: "wb-period" },
      element("legend", {}, "Exercices"),
      select("debut", "De"),
      select("fin", "à"),
    ),
    montants,
    about,
  );
  el.append(form);

  function fill(node, choices, value, empty) {
    const items = choices.map((choice) => element("option", { value: choice.value }, choice.label));
    if (!choices.length) items.push(element("option", { value: "" }, empty));
    node.replaceChildren(...items);
    node.value = value ?? "";
    node.disabled = !choices.length;
  }
  function update() {
    const state = model.get("state");
    fill(selects.nomenclature, state.nomenclatures, state.nomenclature, "aucune");
    fill(selects.trame, state.trames, state.trame, "aucune");
    fill(selects.debut, state.exercices, state.debut, "—");
    fill(selects.fin, state.exercices, state.fin, "—");
    collectivite.setValue(state.collectivite ?? "");
    for (const label of radios) label.firstChild.checked = label.firstChild.value === state.montants;
    aboutText.textContent = state.about ?? "";
    about.hidden = !state.about;
  }
  model.on("change:state", update);
  model.on("msg:custom", (message) => {
    if (message.kind === "suggestions") collectivite.show(message.options, message.serial);
    if (message.kind === "refused") update();
  });
  update();
}

export default { render };
