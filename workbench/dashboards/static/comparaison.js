// The choices of a comparison: what is compared, and which budgets, as in the assisted query.

function render({ model, el }) {
  el.classList.add("wb", "wb-form-host");
  const ask = channel(model, el);
  const fields = queryFields(model, ask);
  const { change, field, section, pickers, updates } = fields;

  const selects = {};
  function select(name, title, onchange = (value) => change(name, value)) {
    const node = element("select", { class: "wb-input", "data-key": name, onchange: () => onchange(node.value) });
    selects[name] = node;
    return field(title, node);
  }
  function fill(node, options, value) {
    node.replaceChildren(...options);
    node.value = value;
    node.disabled = !node.options.length;
  }
  const option = (each) => element("option", { value: each.value }, each.label);
  const byTheme = (themes) =>
    themes.length > 1 ? themes.map((each) => element("optgroup", { label: each.theme }, each.indicateurs.map(option))) : themes.flatMap((each) => each.indicateurs.map(option));

  const name = unique("montants");
  const radios = Object.entries({ habitant: "Par habitant", total: "Montants" }).map(([value, label]) => {
    const input = element("input", { type: "radio", name, value, "data-key": `montants-${value}`, onchange: () => change("montants", value) });
    return element("label", { class: "wb-radio" }, input, label);
  });
  const about = element("p", { class: "wb-hint" });
  const what = section(
    "Ce qui est comparé",
    select("trame", "Trame"),
    select("indicateur", "Indicateur"),
    about,
    select("autre", "Second indicateur (nuage de points)"),
    element(
      "div",
      { class: "wb-row" },
      select("exercice", "Exercice"),
      element("fieldset", { class: "wb-montants" }, element("legend", { class: "wb-sr" }, "Montants en euros"), radios),
    ),
  );
  const form = element(
    "form",
    { class: "wb-compare", "aria-label": "Choix de ce qui est comparé et des collectivités", onsubmit: (event) => event.preventDefault() },
    what,
    perimetreFields(fields, false),
  );
  el.append(form);

  updates.push((state) => {
    fill(selects.trame, state.trames.map(option), state.trame);
    fill(selects.indicateur, byTheme(state.themes), state.indicateur);
    fill(selects.autre, [element("option", { value: "" }, "Aucun"), ...byTheme(state.themes)], state.autre);
    fill(selects.exercice, state.exercices.map(option), state.exercice);
    for (const label of radios) label.firstChild.checked = label.firstChild.value === state.montants;
    about.textContent = state.description;
    about.hidden = !state.description;
  });
  const update = () => keepFocus(form, fields.update);
  model.on("change:form", update);
  model.on("msg:custom", (message) => {
    if (message.kind === "suggestions") pickers[message.what]?.box.show(message.options, message.serial);
    if (message.kind === "refused") update();
  });
  update();
}

export default { render };
