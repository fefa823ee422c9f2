// What is asked: perimeter, measures, exercices, groupings, conditions, order. It shows `form` and sends changes.

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

function queryForm(model, ask) {
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
  const updates = [];

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

  const perimetre = section(
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
    typed("Nom de la collectivité", "name", { attributes: { placeholder: "mots du nom" } }),
    picker("sirets", "Collectivités", "nom ou SIRET"),
    picker("epci", "Membres d'un EPCI", "nom ou SIREN", "Aucun EPCI connu de la base ne répond."),
    others,
  );

  // Measures: a compte that is picked is a line, whose choices are then changed in place.
  const measures = element("ul", { class: "wb-measures" });
  const compteBox = combobox({
    label: "Ajouter une mesure",
    hint: "compte ou libellé",
    empty: "Aucun compte ne répond à cette recherche.",
    kept: false,
    search: (text, serial) => ask({ kind: "search", what: "measures", text, serial }),
    choose: (value) => change("measures", { action: "add", text: value }),
  });
  pickers.measures = { box: compteBox, update() {} };
  function measure(each, index) {
    const edit = (key, value) => change("measures", { action: "edit", index, key, value });
    const types = lists.types_appel.filter((one) => each.types.includes(one.value));
    const heading = element("input", {
      class: "wb-input",
      type: "text",
      maxlength: 200,
      placeholder: each.name,
      "aria-label": `Intitulé de ${each.name}`,
      "data-key": `libelle-${index}`,
      onchange: () => edit("libelle", heading.value),
    });
    heading.value = each.libelle;
    const habitant = element("input", { type: "checkbox", "data-key": `habitant-${index}`, onchange: () => edit("per_inhabitant", habitant.checked) });
    habitant.checked = each.per_inhabitant;
    return element(
      "li",
      { class: "wb-measure" },
      element(
        "div",
        { class: "wb-measure-head" },
        element("strong", {}, each.compte || "Tous"),
        element("span", {}, each.compte ? each.libelle_compte : "les comptes"),
        element("button", { type: "button", class: "wb-remove", "aria-label": `Retirer la mesure ${each.name}`, "data-key": `retirer-${index}`, onclick: () => change("measures", { action: "remove", index }) }, "×"),
      ),
      element(
        "div",
        { class: "wb-measure-choices" },
        select(lists.sides, each.side, (value) => edit("side", value), { "aria-label": `Sens de ${each.name}`, "data-key": `sens-${index}` }),
        select(types, each.type_appel, (value) => edit("type_appel", value), { "aria-label": `Type d'appel de ${each.name}`, "data-key": `type-${index}` }),
        element("label", { class: "wb-check" }, habitant, "par habitant"),
        heading,
      ),
    );
  }
  updates.push((form) => measures.replaceChildren(...form.measures.map(measure)));

  // Exercices: none pressed is all of them.
  const years = element("div", { class: "wb-years", role: "group", "aria-label": "Exercices" });
  updates.push((form) => {
    const known = [...new Set([...lists.exercices.map((each) => each.value), ...form.exercices])].sort((a, b) => a - b);
    years.replaceChildren(
      element("button", { type: "button", class: "wb-year", "aria-pressed": String(!form.exercices.length), "data-key": "tous", onclick: () => change("exercices", []) }, "Tous"),
      ...known.map((year) => {
        const pressed = form.exercices.includes(year);
        const next = pressed ? form.exercices.filter((each) => each !== year) : [...form.exercices, year];
        return element("button", { type: "button", class: "wb-year", "aria-pressed": String(pressed), "data-key": `annee-${year}`, onclick: () => change("exercices", next) }, String(year));
      }),
    );
  });

  // Groupings, in their order.
  const groups = element("ul", { class: "wb-chips wb-ordered", "aria-label": "Regroupements, dans leur ordre" });
  const grouping = select([{ value: "", label: "Ajouter…" }, ...lists.by], "", (value) => {
    const by = model.get("form").by;
    grouping.value = "";
    if (value && !by.includes(value)) change("by", [...by, value]);
  });
  updates.push((form) =>
    groups.replaceChildren(
      ...form.by.map((name, index) =>
        chip(label("by", name), () => change("by", form.by.filter((each) => each !== name)), {
          key: `par-${name}`,
          before: index
            ? element(
                "button",
                {
                  type: "button",
                  "aria-label": `Avancer ${label("by", name)}`,
                  title: "Avancer",
                  "data-key": `avancer-${name}`,
                  onclick: () => {
                    const moved = [...form.by];
                    moved.splice(index - 1, 0, ...moved.splice(index, 1));
                    change("by", moved);
                  },
                },
                "←",
              )
            : "",
        }),
      ),
    ),
  );

  // Conditions and order.
  const filters = element("ul", { class: "wb-chips", "aria-label": "Conditions" });
  const measureOf = element("select", { class: "wb-input", "aria-label": "Mesure de la condition" });
  const operator = select(lists.operators, ">", () => {}, { "aria-label": "Comparaison" });
  const amount = element("input", { class: "wb-input", type: "text", inputmode: "decimal", placeholder: "euros", "aria-label": "Montant de la condition" });
  const filtering = element(
    "form",
    {
      class: "wb-inline wb-filtering",
      "aria-label": "Ajouter une condition",
      onsubmit: (event) => {
        event.preventDefault();
        change("filters", { action: "add", measure: measureOf.value, operator: operator.value, value: amount.value });
        amount.value = "";
      },
    },
    measureOf,
    operator,
    amount,
    element("button", { type: "submit", class: "wb-button" }, "Ajouter"),
  );
  const orders = element("ul", { class: "wb-chips wb-ordered", "aria-label": "Ordre" });
  const ordering = element("select", { class: "wb-input" });
  ordering.addEventListener("change", () => {
    const { order, measures: known } = model.get("form");
    const column = ordering.value;
    if (!column) return;
    // Amounts are looked at from the largest.
    const first = known.some((each) => each.name === column) ? `-${column}` : column;
    change("order", [...order.filter((each) => each.column !== column).map(written), first]);
  });
  const written = (each) => (each.descending ? `-${each.column}` : each.column);
  updates.push((form) => {
    filters.replaceChildren(
      ...form.filters.map((each, index) =>
        chip(`${each.measure} ${label("operators", each.operator)} ${each.value}`, () => change("filters", { action: "remove", index }), { key: `filtre-${index}` }),
      ),
    );
    const chosen = measureOf.value;
    measureOf.replaceChildren(...form.measures.map((each) => element("option", { value: each.name }, each.name)));
    if (form.measures.some((each) => each.name === chosen)) measureOf.value = chosen;
    for (const node of filtering.elements) node.disabled = !form.measures.length;
    orders.replaceChildren(
      ...form.order.map((each) =>
        chip(
          each.column,
          () => change("order", form.order.filter((one) => one !== each).map(written)),
          {
            key: `ordre-${each.column}`,
            before: element(
              "button",
              {
                type: "button",
                "aria-label": `${each.column} : ${each.descending ? "décroissant" : "croissant"}, inverser`,
                title: "Inverser",
                "data-key": `sens-ordre-${each.column}`,
                onclick: () => change("order", form.order.map((one) => written(one === each ? { ...one, descending: !one.descending } : one))),
              },
              each.descending ? "↓" : "↑",
            ),
          },
        ),
      ),
    );
    ordering.replaceChildren(
      element("option", { value: "" }, "Ajouter…"),
      ...form.columns.filter((name) => !form.order.some((each) => each.column === name)).map((name) => element("option", { value: name }, name)),
    );
  });

  const limit = typed("Lignes, au plus", "limit", { attributes: { inputmode: "numeric" } });
  updates.push((form) => limit.querySelector("input").setAttribute("placeholder", form.default_limit));
  const more = element(
    "details",
    { class: "wb-part wb-more-choices" },
    element("summary", {}, "Comptes et fonctions lus, conditions, ordre et limites"),
    element(
      "div",
      { class: "wb-more-grid" },
      picker("comptes", "Ne lire que ces comptes", "premiers chiffres ou libellé", "Aucun compte ne répond à cette recherche."),
      picker("fonctions", "Ne lire que ces fonctions", "code ou libellé", "Aucune fonction de la base ne répond."),
      element("div", { class: "wb-field" }, element("span", { class: "wb-label" }, "Conditions sur les montants"), filtering, filters),
      element("div", {}, field("Ordre", ordering), orders),
      element("div", { class: "wb-row" }, limit, typed("Délai (secondes)", "seconds", { attributes: { inputmode: "decimal" } })),
    ),
  );
  updates.push((form) => {
    if (form.filters.length || form.order.length || form.comptes.length || form.fonctions.length || form.limit) more.open = true;
  });

  const node = element(
    "div",
    { class: "wb-query" },
    perimetre,
    element(
      "div",
      { class: "wb-stack" },
      section("Mesures", compteBox.node, measures),
      section("Exercices", years),
      section("Regrouper par", field("Regroupement", grouping), groups),
    ),
    more,
  );
  function update() {
    const form = model.get("form");
    keepFocus(node, () => {
      for (const each of updates) each(form);
      for (const each of Object.values(pickers)) each.update(form);
    });
  }
  model.on("change:form", update);
  model.on("msg:custom", (message) => {
    if (message.kind === "suggestions") pickers[message.what]?.box.show(message.options, message.serial);
    if (message.kind === "refused") update();
  });
  update();
  return node;
}
