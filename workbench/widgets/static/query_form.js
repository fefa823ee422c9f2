// What is asked: perimeter, measures, exercices, groupings, conditions, order. It shows `form` and sends changes.

function queryForm(model, ask) {
  const fields = queryFields(model, ask);
  const { change, lists, label, select, section, field, chip, picker, pickers, typed, updates } = fields;
  const perimetre = perimetreFields(fields);

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
    keepFocus(node, fields.update);
  }
  model.on("change:form", update);
  model.on("msg:custom", (message) => {
    if (message.kind === "suggestions") pickers[message.what]?.box.show(message.options, message.serial);
    if (message.kind === "refused") update();
  });
  update();
  return node;
}
