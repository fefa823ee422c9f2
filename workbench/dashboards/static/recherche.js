// The search of companies: a text, a few filters, pages of twenty; the total comes apart.

function render({ model, el }) {
  el.classList.add("wb", "wb-companies-host");
  const ask = channel(model, el);
  let turned = false;
  let asked = false;
  let chosenSections = [];
  // Going back from a sheet finds the search as it was left: this tab keeps what was asked, never what was found.
  const kept = `workbench-recherche:${document.getElementById("printed")?.dataset.agent ?? ""}`;
  const keep = (said) => {
    try {
      sessionStorage.setItem(kept, JSON.stringify(said));
    } catch {
      // A browser that keeps nothing forgets: that is all.
    }
  };

  const notices = element("div", { class: "wb-notices", "aria-live": "polite" });
  const text = element("input", { id: unique("text"), class: "wb-input", type: "search", autocomplete: "off", spellcheck: "false", maxlength: 200, "aria-describedby": "wb-search-hint" });
  const zone = selectField("Zone", () => {});
  const state = selectField("État administratif", () => {});
  const staff = selectField("Effectif minimum", () => {});
  const siege = checkField("Sièges sociaux seulement", () => {});
  const sections = severalField("Secteurs d'activité", {
    apply: (chosen) => {
      chosenSections = chosen;
      sectors();
    },
  });
  const more = element(
    "details",
    { class: "wb-filters" },
    element("summary", {}, "Recherche avancée"),
    element("div", { class: "wb-filters-body" }, element("div", { class: "wb-row" }, sections.field, zone.field, staff.field, state.field), siege.field),
  );
  const form = element(
    "form",
    {
      class: "wb-panel",
      role: "search",
      onsubmit: (event) => {
        event.preventDefault();
        asked = true;
        const said = {
          text: text.value,
          choices: {
            sections: chosenSections,
            zone: zone.node.value,
            effectif: Number(staff.node.value) || 0,
            siege: siege.node.checked,
            state: state.node.value,
          },
        };
        keep({ ...said, page: 0 });
        ask({ kind: "search", ...said });
      },
    },
    element(
      "div",
      { class: "wb-search-row" },
      element(
        "div",
        { class: "wb-field" },
        element("label", { for: text.id }, "Raison sociale, SIREN ou SIRET"),
        text,
        element("p", { id: "wb-search-hint", class: "wb-hint wb-under" }, "Sans majuscules ni accents ; le début des mots suffit."),
      ),
      element("button", { type: "submit", class: "wb-button wb-primary" }, "Rechercher"),
    ),
    more,
  );
  const heading = element("h2", { class: "wb-title", tabindex: "-1", "aria-live": "polite" });
  const hint = element("p", { class: "wb-hint" });
  const message = element("p", { class: "wb-notice", role: "status", hidden: true });
  const rows = element("ol", { class: "wb-hits" });
  const pager = pagerOf((step) => {
    if (!pager.allows(step)) return;
    turned = true;
    const page = model.get("answer").page + step;
    keep({ ...recalled(), page });
    ask({ kind: "turn", page });
  });
  function recalled() {
    try {
      return JSON.parse(sessionStorage.getItem(kept));
    } catch {
      return null;
    }
  }
  const written = element("p", { class: "wb-printed wb-hint" });
  const results = element("section", { "aria-label": "Résultats", hidden: true }, heading, written, hint, message, rows, pager.node);
  el.append(notices, form, results);

  function sectors() {
    const known = model.get("form").sections;
    const first = known.find((each) => each.value === chosenSections[0]);
    const others = chosenSections.length - 1;
    const all = !chosenSections.length || chosenSections.length === known.length;
    const said = all ? "Tout secteur confondu" : others ? `${first.label} + ${others} ${others === 1 ? "autre" : "autres"}` : first.label;
    sections.update(known, all ? null : chosenSections, said);
  }
  function hit(row) {
    return element(
      "li",
      { class: "wb-hit" },
      element(
        "h3",
        {},
        element("a", { href: row.link }, row.name),
        element("span", { class: "wb-marks" }, element("span", { class: "wb-mark" }, row.siege ? "Siège" : "Secondaire"), row.closed ? element("span", { class: "wb-mark wb-mark-red" }, "Fermé") : null),
      ),
      element("p", {}, row.address, row.departement ? ` · ${row.departement}` : ""),
      element("p", { class: "wb-hint" }, row.activity, row.code ? ` (${row.code})` : ""),
      element("p", { class: "wb-siret" }, `${row.siren} `, element("b", {}, row.nic), element("a", { class: "wb-unprinted", href: row.company }, " Fiche de l'entreprise")),
    );
  }
  function updateForm() {
    const known = model.get("form");
    const chosen = known.chosen;
    fillSelect(zone.node, known.zones, chosen.zone);
    fillSelect(state.node, known.states, chosen.state);
    fillSelect(staff.node, known.staff.map((value) => ({ value, label: value ? `${value} salariés ou plus` : "Tous" })), chosen.effectif);
    staff.field.hidden = !known.offers.effectif;
    siege.node.checked = chosen.siege;
    chosenSections = [...chosen.sections];
    sectors();
  }
  function updateAnswer() {
    const answer = model.get("answer");
    results.hidden = !answer.started;
    message.textContent = answer.message;
    message.hidden = !answer.message;
    hint.textContent = answer.hint;
    // Paper has no fields.
    written.textContent = answer.asked ? `Recherche : ${answer.asked}.${answer.page || answer.more ? ` Page ${answer.page + 1}.` : ""}` : "";
    hint.hidden = !answer.hint;
    rows.replaceChildren(...answer.rows.map(hit));
    rows.setAttribute("start", String(answer.page * 20 + 1));
    updateTotal();
    if (answer.direct && asked) location.assign(answer.direct);
    asked = false;
    if (turned) {
      turned = false;
      heading.focus();
      heading.scrollIntoView({ block: "start" });
    }
  }
  function updateTotal() {
    const total = model.get("total");
    const answer = model.get("answer");
    heading.textContent = total.said ?? (answer.rows.length ? "Résultats" : "");
    heading.hidden = !heading.textContent;
    pager.update(answer.page, total.pages ?? 0, Boolean(answer.more));
  }
  model.on("change:form", updateForm);
  model.on("change:answer", updateAnswer);
  model.on("change:total", updateTotal);
  model.on("change:notices", () => notices.replaceChildren(...noticeList(model.get("notices"))));
  updateForm();
  updateAnswer();
  const before = performance.getEntriesByType("navigation")[0]?.type === "back_forward" ? recalled() : null;
  if (before?.text) {
    text.value = before.text;
    ask({ kind: "search", text: before.text, choices: before.choices });
    if (before.page) ask({ kind: "turn", page: before.page });
  }
}

export default { render };
