// What a query asks of budgets: the fields that its form is made of, and those of the perimeter. They show `form` and
// send changes.

// What was typed elsewhere must survive a redraw: the focus stays on what bears the same key.
function keepFocus(root, redraw) {
  const key = root.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const from = key ? document.activeElement.selectionStart : null;
  redraw();
  if (!key) return;
  const node = [...root.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key);
  if (!node) return;
  node.focus({ preventScroll: true });
  if (from !== null && from !== undefined && node.setSelectionRange) node.setSelectionRange(from, from);
}

function plainText(text) {
  return text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");
}

function queryFields(model, ask) {
  const change = (field, value) => ask({ kind: "change", field, value });
  const lists = model.get("lists");
  const label = (list, value) => lists[list].find((each) => each.value === value)?.label ?? value;

  function select(list, value, onchange, attributes = {}) {
    const node = element(
      "select",
      { class: "wb-input", ...attributes, onchange: () => onchange(node.value) },
      ...list.map((each) => element("option", { value: each.value, title: each.detail }, each.label)),
    );
    if (value !== undefined) node.value = value;
    return node;
  }
  function section(title, ...children) {
    const id = unique("partie");
    return element("section", { class: "wb-part", "aria-labelledby": id }, element("h3", { id }, title), ...children);
  }
  function field(title, node, wide) {
    node.id ||= unique("champ");
    return element("div", { class: `wb-field${wide ? " wb-wide" : ""}` }, element("label", { for: node.id }, title), node);
  }
  function chip(text, remove, { title, key, before } = {}) {
    return element(
      "li",
      { class: "wb-chip", title },
      before ?? "",
      element("span", {}, text),
      element("button", { type: "button", "aria-label": `Retirer ${text}`, "data-key": key, onclick: remove }, "×"),
    );
  }

  const updates = [];

  // Several values of a kind: chips, and a field that proposes others.
  const pickers = {};
  function picker(name, title, hint, empty) {
    const chips = element("ul", { class: "wb-chips", "aria-label": `${title} : choix` });
    const local = lists[name];
    const box = combobox({
      label: title,
      hint,
      empty,
      kept: false,
      search: (text, serial) => {
        if (!local) return ask({ kind: "search", what: name, text, serial });
        const words = plainText(text).split(/\s+/).filter(Boolean);
        const found = local.filter((each) => words.every((word) => plainText(`${each.label} ${each.value}`).includes(word)));
        return box.show(found.slice(0, 120), serial);
      },
      choose: (value) => {
        const chosen = model.get("form")[name].map((each) => each.value);
        if (!chosen.includes(value)) change(name, [...chosen, value]);
      },
    });
    pickers[name] = {
      box,
      update(form) {
        chips.replaceChildren(
          ...form[name].map((each) =>
            chip(
              each.label,
              () => change(name, each.value ? form[name].filter((one) => one !== each).map((one) => one.value) : []),
              { title: each.detail, key: `${name}-${each.value}` },
            ),
          ),
        );
      },
    };
    return element("div", { class: "wb-picker" }, box.node, chips);
  }

  // Texts are sent once the person pauses.
  function typed(title, name, { value = (form) => form[name], attributes = {} } = {}) {
    let timer = null;
    const node = element("input", {
      class: "wb-input",
      type: "text",
      autocomplete: "off",
      spellcheck: "false",
      ...attributes,
      oninput: () => {
        clearTimeout(timer);
        timer = setTimeout(() => change(name, node.value), 400);
      },
      onchange: () => {
        clearTimeout(timer);
        change(name, node.value);
      },
    });
    updates.push((form) => {
      if (document.activeElement !== node) node.value = value(form);
    });
    return field(title, node);
  }

  function update() {
    const form = model.get("form");
    for (const each of updates) each(form);
    for (const each of Object.values(pickers)) each.update(form);
  }
  return { change, lists, label, select, section, field, chip, picker, pickers, typed, updates, update };
}

// Which budgets; `named` adds the words of a name, which only queries ask for.
function perimetreFields({ change, lists, select, section, field, chip, picker, typed, updates }, named = true) {
  const low = element("input", { class: "wb-input", type: "text", inputmode: "numeric", "aria-label": "Population, au moins" });
  const high = element("input", { class: "wb-input", type: "text", inputmode: "numeric", "aria-label": "Population, au plus" });
  for (const node of [low, high]) node.addEventListener("change", () => change("population", [low.value, high.value]));
  updates.push((form) => {
    if (document.activeElement !== low) low.value = form.population[0];
    if (document.activeElement !== high) high.value = form.population[1];
  });
  const nomenclature = select([{ value: "", label: "Toutes" }, ...lists.nomenclatures], "", (value) => change("nomenclature", value));
  updates.push((form) => {
    if (form.nomenclature && ![...nomenclature.options].some((each) => each.value === form.nomenclature)) {
      nomenclature.append(element("option", { value: form.nomenclature }, form.nomenclature));
    }
    nomenclature.value = form.nomenclature;
  });
  const others = element("ul", { class: "wb-chips" });
  updates.push((form) =>
    others.replaceChildren(...form.others.map((each) => chip(each.label, () => change(each.field, []), { key: each.field }))),
  );

  return section(
    "Périmètre",
    picker("departements", "Départements", "numéro ou nom", "Aucun département de la base ne répond."),
    picker("types", "Types d'établissement", "code ou nom", "Aucun type ne répond."),
    element(
      "div",
      { class: "wb-row" },
      field("Nomenclature", nomenclature),
      element(
        "div",
        { class: "wb-field" },
        element("span", { class: "wb-label" }, "Population"),
        element("div", { class: "wb-bounds" }, low, element("span", {}, "à"), high),
      ),
    ),
    named ? typed("Nom de la collectivité", "name", { attributes: { placeholder: "mots du nom" } }) : "",
    picker("sirets", "Collectivités", "nom ou SIRET"),
    picker("epci", "Membres d'un EPCI", "nom ou SIREN", "Aucun EPCI connu de la base ne répond."),
    others,
  );
}
