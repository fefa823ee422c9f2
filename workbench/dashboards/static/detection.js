// A detection list: filters, counters, cards or a table, pages. The browser remembers the filters, nothing of the list.

function render({ model, el }) {
  el.classList.add("wb", "wb-companies-host");
  el.dataset.confidential = "";
  const ask = channel(model, el);
  const choose = (field, value) => ask({ kind: "choose", field, value });
  const kept = `workbench-detection:${model.get("form").person ?? ""}`;
  let turned = false;

  const notices = element("div", { class: "wb-notices", "aria-live": "polite" });

  // What is chosen first: the list, words, the order, the way it is shown.
  const list = selectField("Liste", (value) => choose("batch", value));
  const sort = selectField("Trier par", (value) => choose("sort", value));
  const quick = element("input", { id: unique("quick"), class: "wb-input", type: "search", autocomplete: "off", spellcheck: "false", maxlength: 200 });
  let typing = null;
  quick.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => choose("words", quick.value), 350);
  });
  const quickField = element("div", { class: "wb-field wb-quick" }, element("label", { for: quick.id }, "Nom ou SIRET"), quick);
  const ways = ["cartes", "tableau"].map((way) => ({
    way,
    node: element("button", { type: "button", class: "wb-button", "aria-pressed": "false", onclick: () => choose("shown", way) }, way === "cartes" ? "Cartes" : "Tableau"),
  }));
  const shownField = element("div", { class: "wb-ways", role: "group", "aria-label": "Présentation" }, ways.map((each) => each.node));

  // The filters.
  const sections = severalField("Secteurs d'activité", { apply: (chosen) => choose("sections", chosen) });
  const zone = selectField("Zone", (value) => choose("zone", value));
  const implantations = checkField("Avec les implantations dans ma zone", (checked) => choose("implantations", checked));
  const state = selectField("Établissements", (value) => choose("state", value));
  const staffList = element("datalist", { id: unique("staff") });
  const staff = element("input", {
    id: unique("effectif"),
    class: "wb-input",
    type: "number",
    min: 0,
    max: 100000,
    step: 1,
    list: staffList.id,
    inputmode: "numeric",
    onchange: () => choose("effectif", Math.min(100000, Math.max(0, Math.trunc(Number(staff.value) || 0)))),
  });
  const staffField = element("div", { class: "wb-field" }, element("label", { for: staff.id }, "Effectif minimum"), staff, staffList);
  const procedures = element("div", { class: "wb-boxes wb-boxes-row" });
  const flags = {
    first: checkField("Premières alertes seulement", (checked) => choose("first", checked)),
    delai: checkField("Sans délai de paiement Urssaf", (checked) => choose("delai", checked)),
    recent: checkField("", (checked) => choose("recent", checked)),
    followed: checkField("Exclure les entreprises que je suis", (checked) => choose("followed", checked)),
  };
  const filters = element(
    "details",
    { class: "wb-filters" },
    element("summary", {}, "Filtres"),
    element(
      "div",
      { class: "wb-filters-body" },
      element("div", { class: "wb-row" }, sections.field, zone.field, staffField, state.field),
      implantations.field,
      element("fieldset", {}, element("legend", {}, "Procédures collectives affichées"), procedures),
      element("fieldset", {}, element("legend", {}, "Autres critères"), element("div", { class: "wb-boxes wb-boxes-row" }, Object.values(flags).map((each) => each.field))),
    ),
  );
  const chips = element("ul", { class: "wb-chips", "aria-label": "Filtres actifs" });
  const reset = element("button", { type: "button", class: "wb-link", onclick: () => ask({ kind: "reset" }) }, "Revenir aux filtres de départ");

  // What is found.
  const heading = element("h2", { class: "wb-title", tabindex: "-1" });
  const counters = element("ul", { class: "wb-counters", "aria-label": "Niveaux de risque" });
  const files = element(
    "div",
    { class: "wb-bar" },
    [["csv", "Télécharger (CSV)"], ["xlsx", "Télécharger (Excel)"]].map(([file, label]) =>
      element("button", { type: "button", class: "wb-button", onclick: () => ask({ kind: "download", file }) }, label),
    ),
  );
  // Paper has neither the fields nor the titles of icons: what they say is written.
  const written = element("div", { class: "wb-printed wb-hint" });
  const legend = element("div", { class: "wb-printed wb-legend" });
  const about = element("details", { class: "wb-about" }, element("summary", {}, "Dates des données"), element("div", {}));
  const head = element("div", { class: "wb-found" }, element("div", {}, heading, counters, written), files);
  const body = element("div", { class: "wb-results" });
  const empty = element("p", { class: "wb-notice", role: "status", hidden: true });
  const pager = pagerOf((step) => {
    if (!pager.allows(step)) return;
    turned = true;
    choose("page", model.get("answer").page + step);
  });
  const waiting = element("p", { class: "wb-hint", role: "status" }, "Lecture de la liste…");
  const panel = element(
    "div",
    { class: "wb-panel", hidden: true },
    element("div", { class: "wb-row wb-first-row" }, quickField, list.field, sort.field, shownField),
    filters,
    element("div", { class: "wb-active" }, chips, reset),
    about,
  );
  const results = element("section", { "aria-label": "Entreprises", hidden: true }, head, empty, legend, body, pager.node);
  el.append(notices, waiting, panel, results);

  function pictogram(what, extra) {
    return element("span", { class: `wb-pictogram ${extra}`, "data-state": what.state, title: what.name }, icon(shapeOf(what.state, extra)), element("span", {}, what.name));
  }
  // Four states, four shapes: none is told by its colour alone.
  function shapeOf(value, extra) {
    if (value === "interdit" || value === "inconnu") return value;
    return extra === "wb-urssaf" ? (value === "oui" ? "hausse" : "stable") : value;
  }
  function levelOf(row) {
    return element(
      "span",
      { class: "wb-level", "data-level": row.level.code, title: row.level.title },
      icon(row.level.code),
      element("span", {}, row.level.name),
      row.change ? icon(row.change.to, row.change.name, "wb-change") : null,
    );
  }
  function badgesOf(row) {
    return element(
      "span",
      { class: "wb-marks" },
      row.followed ? element("span", { class: "wb-mark wb-star", title: "Vous suivez cette entreprise" }, icon("etoile"), "Suivie") : null,
      row.first ? element("span", { class: "wb-mark" }, "1re alerte") : null,
      row.closed ? element("span", { class: "wb-mark wb-mark-red" }, "Fermé") : null,
      row.procedure ? element("span", { class: "wb-mark wb-mark-red" }, row.procedure) : null,
    );
  }
  function amount(value) {
    return element(
      "span",
      { class: "wb-value", "data-negative": value.negative, "data-unknown": value.text === "n/c" },
      value.text,
      value.trend ? icon(value.trend, value.trend === "hausse" ? "en hausse" : "en baisse", "wb-trend") : null,
    );
  }
  function fact(name, ...value) {
    return element("div", {}, element("dt", {}, name), element("dd", {}, value));
  }
  const yearly = (row) => (row.ca.year ? `CA ${row.ca.year}` : "CA");

  function card(row) {
    return element(
      "li",
      { class: "wb-company", "data-level": row.level.code },
      element("div", { class: "wb-company-head" }, levelOf(row), badgesOf(row)),
      element("h3", {}, element("a", { href: row.link }, row.name)),
      element("p", { class: "wb-siret" }, row.siret),
      element("p", { class: "wb-company-place" }, row.place),
      element("p", { class: "wb-hint", title: row.whole_activity }, row.activity),
      element(
        "dl",
        { class: "wb-company-facts" },
        fact("Effectif", element("span", { "data-unknown": row.effectif === "n/c" }, row.effectif)),
        fact(yearly(row), amount(row.ca)),
        fact("EBE", amount(row.ebe)),
        fact("REX", amount(row.rex)),
      ),
      element("div", { class: "wb-pictograms" }, pictogram(row.urssaf, "wb-urssaf"), pictogram(row.activite_partielle, "wb-partielle")),
    );
  }
  const HEADS = ["Raison sociale", "Niveau", "Lieu", "Effectif", "CA", "EBE", "REX", "Urssaf", "Activité partielle"];
  function line(row) {
    const small = (what, extra) => element("span", { class: `wb-pictogram ${extra}`, "data-state": what.state }, icon(shapeOf(what.state, extra), what.name));
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, element("a", { href: row.link }, row.name), element("span", { class: "wb-siret" }, row.siret), badgesOf(row)),
      element("td", { class: "wb-text-cell" }, levelOf(row)),
      element("td", { class: "wb-text-cell" }, row.place),
      element("td", {}, row.effectif),
      element("td", {}, amount(row.ca), row.ca.year ? element("span", { class: "wb-year" }, String(row.ca.year)) : null),
      element("td", {}, amount(row.ebe)),
      element("td", {}, amount(row.rex)),
      element("td", { class: "wb-icon-cell" }, small(row.urssaf, "wb-urssaf")),
      element("td", { class: "wb-icon-cell" }, small(row.activite_partielle, "wb-partielle")),
    );
  }
  function table(rows) {
    return element(
      "div",
      { class: "wb-scroll", role: "region", tabindex: "0", "aria-label": "Entreprises de la liste" },
      element(
        "table",
        { class: "wb-table wb-companies" },
        element("thead", {}, element("tr", {}, HEADS.map((name) => element("th", { scope: "col" }, name)))),
        element("tbody", {}, rows.map(line)),
      ),
    );
  }
  function counter(code, count, name) {
    return element("li", { class: "wb-counter", "data-level": code }, icon(code), element("b", {}, count.toLocaleString("fr-FR")), ` ${name}`);
  }

  function write() {
    if (!model.get("answer").rows) return;
    const { list: listed, chips: filtered, chosen, sorts } = model.get("form");
    const { first, last, total, pages } = model.get("answer");
    const sources = listed.data.map((each) => `${each.source} ${each.date}`).join(", ");
    written.replaceChildren(
      ...[
        `${listed.label} : liste du ${listed.date}, par ${sorts.find((each) => each.value === chosen.sort).label.toLowerCase()}.`,
        pages > 1 ? `Entreprises ${first} à ${last} sur ${total.toLocaleString("fr-FR")}.` : "",
        filtered.length ? `Filtres : ${filtered.map((each) => each.label).join(" ; ")}.` : "Aucun filtre.",
        sources ? `Dernières données connues : ${sources}.` : "",
      ].filter(Boolean).map((said) => element("p", {}, said)),
    );
    const shapes = new Map([...body.querySelectorAll("svg[aria-label]")].map((svg) => [`${svg.getAttribute("class")} ${svg.getAttribute("aria-label")}`, svg]));
    const shown = [...shapes.values()].sort((one, other) => one.getAttribute("aria-label").localeCompare(other.getAttribute("aria-label"), "fr"));
    legend.hidden = !shown.length;
    legend.replaceChildren(
      element("b", {}, "Légende"),
      element("ul", {}, shown.map((svg) => element("li", { class: "wb-pictogram", "data-state": svg.parentElement.dataset.state ?? null }, svg.cloneNode(true), `${svg.matches(".wb-trend") ? "montant " : ""}${svg.getAttribute("aria-label")}`))),
    );
  }

  function updateForm() {
    const form = model.get("form");
    if (!form.lists) return;
    waiting.hidden = true;
    if (form.message) {
      empty.textContent = form.message;
      empty.hidden = false;
      results.hidden = false;
      head.hidden = body.hidden = pager.node.hidden = true;
      return;
    }
    panel.hidden = results.hidden = false;
    const chosen = form.chosen;
    fillSelect(list.node, form.lists, chosen.batch);
    fillSelect(sort.node, form.sorts, chosen.sort);
    fillSelect(zone.node, form.zones, chosen.zone);
    fillSelect(state.node, form.states, chosen.state);
    if (document.activeElement !== quick) quick.value = chosen.words;
    for (const each of ways) each.node.setAttribute("aria-pressed", String(each.way === chosen.shown));
    sections.update(form.sections, chosen.sections, form.sectors);
    implantations.field.hidden = chosen.zone !== "mine";
    implantations.node.checked = chosen.implantations;
    staffList.replaceChildren(...form.staff.map((value) => element("option", { value })));
    if (document.activeElement !== staff) staff.value = chosen.effectif || "";
    if (procedures.childElementCount !== form.procedures.length) {
      procedures.replaceChildren(
        ...form.procedures.map((each) => {
          const field = checkField(each.label, () =>
            choose("procedures", [...procedures.querySelectorAll("input")].filter((box) => box.checked).map((box) => box.value)),
          );
          field.node.value = each.value;
          return field.field;
        }),
      );
    }
    for (const box of procedures.querySelectorAll("input")) box.checked = chosen.procedures.includes(box.value);
    flags.first.field.hidden = !form.offers.first;
    flags.delai.field.hidden = !form.offers.delai;
    flags.recent.field.lastChild.textContent = `Sans les entreprises de moins de ${form.recent_years} ans`;
    for (const [name, each] of Object.entries(flags)) each.node.checked = chosen[name];
    write();
    filters.querySelector("summary").textContent = form.chips.length ? `Filtres (${form.chips.length})` : "Filtres";
    chips.replaceChildren(
      ...form.chips.map((each) =>
        element(
          "li",
          { class: "wb-chip" },
          element("span", {}, each.label),
          element("button", { type: "button", "aria-label": `Retirer le filtre : ${each.label}`, onclick: () => { chips.closest(".wb-active").querySelector(".wb-link").focus(); if (each.field === "words") quick.value = ""; choose(each.field, each.value); } }, "×"),
        ),
      ),
    );
    about.lastChild.replaceChildren(
      element("p", {}, `Liste du ${form.list.date}. Dernières données connues :`),
      element("ul", {}, form.list.data.map((each) => element("li", {}, `${each.source} : ${each.date}`))),
    );
    try {
      localStorage.setItem(kept, JSON.stringify(form.remembered));
    } catch {
      // A browser that keeps nothing forgets: that is all.
    }
  }

  function updateAnswer() {
    const answer = model.get("answer");
    if (!answer.rows || !model.get("form").chosen) return;
    heading.textContent = answer.said;
    counters.replaceChildren(
      ...(answer.high === null
        ? answer.total ? [element("li", { class: "wb-counter", "data-level": "interdit" }, icon("interdit"), "Niveaux de risque non autorisés")] : []
        : [
            counter("eleve", answer.high, "en risque élevé"),
            counter("modere", answer.moderate, "en risque modéré"),
            answer.failed ? counter("defaillance", answer.failed, answer.failed > 1 ? "fermées ou en défaillance" : "fermée ou en défaillance") : null,
            answer.hidden ? counter("interdit", answer.hidden, answer.hidden > 1 ? "niveaux non autorisés" : "niveau non autorisé") : null,
          ].filter(Boolean)),
    );
    empty.textContent = answer.message;
    empty.hidden = !answer.message;
    files.hidden = !answer.total;
    body.replaceChildren(answer.shown === "tableau" ? table(answer.rows) : element("ul", { class: "wb-cards" }, answer.rows.map(card)));
    body.hidden = !answer.rows.length;
    pager.update(answer.page, answer.pages, answer.page + 1 < answer.pages);
    write();
    if (turned) {
      turned = false;
      heading.focus();
      heading.scrollIntoView({ block: "start" });
    }
  }

  model.on("change:form", updateForm);
  model.on("change:answer", updateAnswer);
  model.on("change:notices", () => notices.replaceChildren(...noticeList(model.get("notices"))));
  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "file") saveFile(message, buffers);
    if (message.kind === "refused") {
      waiting.hidden = true;
      updateForm();
    }
  });

  let remembered = null;
  try {
    remembered = JSON.parse(localStorage.getItem(kept));
  } catch {
    remembered = null;
  }
  ask({ kind: "recall", choices: remembered });
}

export default { render };
