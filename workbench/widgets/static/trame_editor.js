// The editor of trames: choose or make one, then its indicateurs, and what is said of the whole.

function render({ model, el }) {
  el.classList.add("wb-editor");
  el.setAttribute("data-lm-suppress-shortcuts", "true");
  const send = channel(model, el, "Le noyau ne répond plus. Redémarrez-le, puis exécutez de nouveau la cellule.");
  const ask = (message) => send(message.kind === "text" ? { ...message, turn } : message);
  // A gesture comes after what was typed: the text goes first.
  const act = (message) => {
    if (state.page === "edit") ask({ kind: "text", text: pane.text(), serial: pane.serial() });
    ask(message);
  };
  let state = model.get("state");
  let turn = -1;
  let tab = "indicateurs";

  const notices = element("div", { class: "wb-notices", role: "status" });
  const choosing = element("div", { class: "wb-choosing" });
  const editing = element("div", { class: "wb-editing" });
  el.append(notices, choosing, editing);
  const pane = formulePane({
    model,
    ask,
    onText: (text) => {
      if (state.page !== "edit" || turn !== state.turn || text === state.text) return;
      undo.disabled = false;
      unsaved(true);
      rows.querySelector("[aria-current] .wb-mark")?.remove();
    },
  });
  function unsaved(changed) {
    status.textContent = changed ? "Modifiée, non enregistrée" : "Enregistrée";
    status.dataset.state = changed ? "warning" : "right";
  }

  // --- choose or make a trame

  const search = element("input", { class: "wb-input", type: "search", placeholder: "dette, CAF_BRUTE ou 7391", oninput: () => find() });
  const found = element("ul", { class: "wb-found", "aria-label": "Trames et indicateurs trouvés" });
  let asked = 0;
  let finding = null;
  function find() {
    clearTimeout(finding);
    finding = setTimeout(() => {
      asked += 1;
      ask({ kind: "find", text: search.value, serial: asked });
    }, 150);
  }
  const making = {
    code: element("input", { class: "wb-input", autocomplete: "off", spellcheck: "false" }),
    libelle: element("input", { class: "wb-input" }),
    nomenclature: element("select", { class: "wb-input" }),
    private: element("input", { type: "checkbox", id: unique("private") }),
  };
  const create = () => ask({ kind: "create", name: making.code.value, nomenclature: making.nomenclature.value, libelle: making.libelle.value, private: making.private.checked });
  choosing.append(
    element("section", { "aria-label": "Ouvrir une trame" }, element("h2", {}, "Ouvrir une trame"), field("Chercher", search, "Une trame, un indicateur, ou le compte qu'il lit"), found),
    element(
      "section",
      { "aria-label": "Créer une trame" },
      element("h2", {}, "Créer une trame"),
      element(
        "form",
        { class: "wb-grid", ...sending(create) },
        field("Code", making.code, "Il nomme le fichier : m57_maison"),
        field("Libellé", making.libelle),
        field("Nomenclature", making.nomenclature),
        element("div", { class: "wb-check" }, making.private, element("label", { for: making.private.id }, "Privée (~/), hors du dossier partagé")),
        element("div", {}, element("button", { type: "submit", class: "wb-button wb-main" }, "Créer")),
      ),
    ),
  );
  function showFound(rows) {
    const label = (each) => (each.code ? [element("b", {}, each.code), ` ${each.libelle}`, element("span", { class: "wb-soft" }, ` dans ${each.name}`)] : [element("b", {}, each.name), ` ${each.libelle}`, element("span", { class: "wb-soft" }, ` ${each.nomenclature}, ${each.count} indicateur${each.count > 1 ? "s" : ""}`)]);
    found.replaceChildren(
      ...rows.map((each) =>
        element("li", {}, element("button", { type: "button", onclick: () => { ask({ kind: "open", name: each.name }); if (each.code) ask({ kind: "select", code: each.code }); } }, label(each))),
      ),
    );
    if (!rows.length) found.append(element("li", { class: "wb-hint" }, "Rien ne répond à cette recherche."));
  }

  // --- the head

  const title = element("h2", { tabindex: "-1" });
  const status = element("span", { class: "wb-chip", role: "status" });
  const undo = button("Annuler", () => act({ kind: "undo" }));
  const redo = button("Rétablir", () => act({ kind: "redo" }));
  const saving = button("Enregistrer…", () => open("changes"), "wb-button wb-main");
  const head = element("header", { class: "wb-head" }, title, status, element("span", { class: "wb-bar" }, undo, redo, saving, button("Fermer", () => act({ kind: "close" }))));
  const conflict = element(
    "div",
    { class: "wb-notice", "data-kind": "avertissement", hidden: true },
    element("p", {}, "Le fichier a changé depuis sa lecture : quelqu'un d'autre l'a enregistré. Rien n'a été écrit."),
    element("p", { class: "wb-bar" }, button("Garder ma version et revoir les différences", () => { act({ kind: "reread", keep: true }); open("changes"); }, "wb-small"), button("Prendre celle du fichier", () => act({ kind: "reread", keep: false }), "wb-small")),
  );

  const TABS = { indicateurs: "Indicateurs", trame: "La trame", problems: "Remarques", lint: "Comptes", table: "Tableau", compare: "Comparer", transpose: "Transposer", changes: "Enregistrer" };
  const tabs = {};
  const panels = {};
  const list = element("div", { class: "wb-tabs", role: "tablist", "aria-label": "Parties de la trame" });
  for (const [name, label] of Object.entries(TABS)) {
    const id = unique(name);
    tabs[name] = element("button", { type: "button", role: "tab", id: `${id}-tab`, "aria-controls": id, onclick: () => open(name) }, label);
    panels[name] = element("div", { role: "tabpanel", id, "aria-labelledby": `${id}-tab`, class: `wb-panel wb-panel-${name}` });
    list.append(tabs[name]);
  }
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const names = Object.keys(TABS);
    const next = names[(names.indexOf(tab) + step + names.length) % names.length];
    open(next);
    tabs[next].focus();
  });
  editing.append(head, conflict, list, ...Object.values(panels));

  const questions = { changes: () => act({ kind: "changes" }), lint: () => act({ kind: "lint" }), table: () => act({ kind: "table" }) };
  function open(name) {
    tab = name;
    for (const each of Object.keys(TABS)) {
      tabs[each].setAttribute("aria-selected", String(each === name));
      tabs[each].tabIndex = each === name ? 0 : -1;
      panels[each].hidden = each !== name;
    }
    if (questions[name]) questions[name]();
    else if (name !== "indicateurs") act({ kind: "hold" });
  }
  function go(code) {
    act({ kind: "select", code });
    open("indicateurs");
  }

  // --- indicateurs

  const filter = element("input", { class: "wb-input", type: "search", placeholder: "Filtrer", "aria-label": "Filtrer les indicateurs", oninput: () => showRows() });
  const rows = element("ul", { class: "wb-list", "aria-label": "Indicateurs" });
  const added = { code: element("input", { class: "wb-input", placeholder: "A_VENTES", autocomplete: "off", spellcheck: "false" }), libelle: element("input", { class: "wb-input" }) };
  const adding = element(
    "form",
    {
      class: "wb-add",
      ...sending(() => {
        act({ kind: "indicateur", code: added.code.value, libelle: added.libelle.value });
        awaited = added.code.value.trim();
      }),
    },
    element("h3", {}, "Ajouter un indicateur"),
    field("Code", added.code),
    field("Libellé", added.libelle),
    element("button", { type: "submit", class: "wb-button" }, "Ajouter"),
  );
  let awaited = null; // the code whose formule is to be written once it is there
  const name = element("h3", { class: "wb-code-name" });
  const uses = element("p", { class: "wb-hint" });
  let answerCode = () => {};
  const asking = element("form", { class: "wb-asking", hidden: true, ...sending(() => answerCode()) });
  function askCode(label, kind) {
    const code = state.selected.code;
    const input = element("input", { class: "wb-input", value: code, "aria-label": label, spellcheck: "false" });
    const close = () => { asking.hidden = true; };
    asking.replaceChildren(element("label", {}, label, input), element("button", { type: "submit", class: "wb-small" }, "Valider"), button("Renoncer", close, "wb-small"));
    answerCode = () => {
      act({ kind, code, new: input.value });
      close();
    };
    input.addEventListener("keydown", (event) => event.key === "Escape" && close());
    asking.hidden = false;
    input.focus();
    input.select();
  }
  const gestures = element(
    "span",
    { class: "wb-bar" },
    button("Renommer", () => askCode("Nouveau code", "rename"), "wb-small"),
    button("Dupliquer", () => askCode("Code de la copie", "duplicate"), "wb-small"),
    button("Supprimer", () => act({ kind: "delete", code: state.selected.code }), "wb-small"),
    button("↑", () => act({ kind: "move", code: state.selected.code, where: "up" }), "wb-small", { "aria-label": "Monter", title: "Monter" }),
    button("↓", () => act({ kind: "move", code: state.selected.code, where: "down" }), "wb-small", { "aria-label": "Descendre", title: "Descendre" }),
  );
  const themes = element("datalist", { id: unique("themes") });
  const fields = {};
  const edit = (each) => () => act({ kind: "edit", field: each, value: fields[each].value });
  for (const each of ["libelle", "theme", "reference"]) fields[each] = element("input", { class: "wb-input", onchange: edit(each) });
  fields.theme.setAttribute("list", themes.id);
  fields.unite = element("select", { class: "wb-input", onchange: edit("unite") });
  fields.description = element("textarea", { class: "wb-input", rows: "2", onchange: edit("description") });
  const detail = element(
    "div",
    { class: "wb-detail" },
    element("div", { class: "wb-head" }, name, gestures),
    asking,
    uses,
    element("div", { class: "wb-grid" }, field("Libellé", fields.libelle), field("Thème", fields.theme), field("Unité", fields.unite)),
    pane.node,
    element("details", { class: "wb-fold" }, element("summary", {}, "Référence et description"), element("div", { class: "wb-grid" }, field("Référence", fields.reference), field("Description", fields.description)), themes),
  );
  const none = element("p", { class: "wb-hint" }, "Cette trame n'a pas encore d'indicateur : ajoutez le premier.");
  panels.indicateurs.append(element("div", { class: "wb-side" }, filter, rows, adding), element("div", { class: "wb-main-part" }, none, detail));

  function showRows() {
    const words = filter.value.trim().toLowerCase();
    const focused = rows.contains(document.activeElement);
    let theme = null;
    const items = [];
    for (const each of state.rows) {
      if (words && !`${each.code} ${each.libelle} ${each.theme}`.toLowerCase().includes(words)) continue;
      if (each.theme !== theme && (each.theme || theme)) items.push(element("li", { class: "wb-theme" }, each.theme || "Sans thème"));
      theme = each.theme;
      const mark = each.draft ? "à corriger" : each.empty ? "sans formule" : each.problem === "warning" ? "remarque" : each.problem ? "erreur" : "";
      items.push(
        element(
          "li",
          {},
          element(
            "button",
            { type: "button", "aria-current": each.code === state.selected?.code ? "true" : null, "data-code": each.code, onclick: () => act({ kind: "select", code: each.code }) },
            element("b", {}, each.code),
            mark ? element("span", { class: "wb-mark", "data-severity": each.draft ? "error" : each.problem }, mark) : null,
            each.libelle ? element("span", { class: "wb-soft" }, each.libelle) : null,
          ),
        ),
      );
    }
    rows.replaceChildren(...items);
    if (focused) rows.querySelector("[aria-current]")?.focus();
  }
  rows.addEventListener("keydown", (event) => {
    const where = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    const all = [...rows.querySelectorAll("button")];
    const here = all.indexOf(document.activeElement);
    if (!where || here < 0) return;
    event.preventDefault();
    if (event.altKey) act({ kind: "move", code: all[here].dataset.code, where });
    else all[here + (where === "up" ? -1 : 1)]?.focus();
  });

  // --- the other panels

  const about = {};
  for (const each of ["libelle", "nomenclature", "reference"]) about[each] = element("input", { class: "wb-input", onchange: () => act({ kind: "describe", field: each, value: about[each].value }) });
  about.description = element("textarea", { class: "wb-input", rows: "3", onchange: () => act({ kind: "describe", field: "description", value: about.description.value }) });
  const files = element("div", { class: "wb-bar" });
  const code = element("input", { class: "wb-input", spellcheck: "false" });
  let sure = false;
  const remove = button("Supprimer la trame", () => {
    if (sure) act({ kind: "delete_trame" });
    sure = !sure;
    remove.textContent = sure ? "Confirmer la suppression du fichier" : "Supprimer la trame";
  });
  panels.trame.append(
    element("div", { class: "wb-grid" }, field("Libellé", about.libelle), field("Nomenclature", about.nomenclature), field("Référence", about.reference), field("Description", about.description)),
    element("h3", {}, "Exporter, telle qu'elle est ici"),
    files,
    element("h3", {}, "Le fichier"),
    element("div", { class: "wb-line" }, field("Nouveau code", code), button("Renommer la trame", () => act({ kind: "rename_trame", new: code.value })), button("Dupliquer la trame", () => act({ kind: "duplicate_trame", new: code.value })), remove),
  );
  const answers = {};
  for (const each of ["lint", "table", "changes", "compare", "transpose"]) answers[each] = element("div", { class: "wb-answer", "aria-live": "polite" });
  panels.lint.append(element("p", { class: "wb-hint" }, "Les comptes comptés deux fois, les préfixes qui ne lisent rien, les comptes que rien ne lit, d'après les plans de comptes."), answers.lint);
  panels.table.append(answers.table);
  const other = element("input", { class: "wb-input", spellcheck: "false", placeholder: "ofgl_agregats_m57" });
  panels.compare.append(
    element("form", { class: "wb-line", ...sending(() => act({ kind: "compare", name: other.value.trim() })) }, field("Autre trame", other, "Son code, ~/code pour une trame privée"), element("button", { type: "submit", class: "wb-button" }, "Comparer")),
    answers.compare,
  );
  const before = element("select", { class: "wb-input" });
  const after = element("select", { class: "wb-input" });
  const copy = element("input", { class: "wb-input", spellcheck: "false" });
  const adopting = element("div", { class: "wb-line", hidden: true }, field("Code de la nouvelle trame", copy), button("Écrire la trame proposée", () => act({ kind: "adopt", code: copy.value })));
  panels.transpose.append(
    element("form", { class: "wb-line", ...sending(() => act({ kind: "transpose", before: before.value, after: after.value })) }, field("Plan de départ", before), field("Plan d'arrivée", after), element("button", { type: "submit", class: "wb-button" }, "Proposer")),
    answers.transpose,
    adopting,
  );
  const write = button("Enregistrer", () => act({ kind: "save" }), "wb-button wb-main");
  panels.changes.append(element("h3", {}, "Ce que l'enregistrement changera"), answers.changes, element("div", { class: "wb-bar" }, write));

  function answer(panel, given) {
    if (panel === "changes") answers.changes.replaceChildren(changesTable(given.rows, "Rien : le fichier est à jour."));
    if (panel === "lint") answers.lint.replaceChildren(lintTable(given, go));
    if (panel === "table") answers.table.replaceChildren(figuresTable(given));
    if (panel === "compare") answers.compare.replaceChildren(element("h3", {}, given.title), changesTable(given.rows, "Aucune différence."));
    if (panel === "transpose" || panel === "transposed") {
      answers.transpose.replaceChildren(transpositionTable(given, (from, to) => act({ kind: "transposed", before: from, after: to })));
      copy.value ||= given.code;
      adopting.hidden = false;
    }
  }

  // --- the whole

  function fill(select, values, label = (each) => each) {
    const kept = select.value;
    select.replaceChildren(...values.map((each) => element("option", { value: each }, label(each))));
    if (values.includes(kept)) select.value = kept;
  }
  function put(input, value) {
    // What is being typed is not replaced by what was known before.
    if (input !== document.activeElement || input.tagName === "SELECT") input.value = value;
  }
  let page = null;
  function update() {
    state = model.get("state");
    choosing.hidden = state.page !== "choose";
    editing.hidden = state.page !== "edit";
    pane.choose(state.draft);
    const turned = page !== `${state.page} ${state.name}`;
    page = `${state.page} ${state.name}`;
    if (state.page === "choose") {
      fill(making.nomenclature, state.nomenclatures);
      if (turned) find();
      return;
    }
    title.textContent = state.trame.libelle ? `${state.name} : ${state.trame.libelle}` : state.name;
    unsaved(state.changed || state.drafts.length > 0);
    undo.disabled = !state.undo;
    redo.disabled = !state.redo;
    write.disabled = !state.changed;
    write.textContent = `Enregistrer dans ${state.file}`;
    conflict.hidden = !state.conflict;
    tabs.problems.textContent = state.problems.length ? `Remarques (${state.problems.length})` : "Remarques";
    panels.problems.replaceChildren(problemsList(state.problems, go));
    showRows();
    none.hidden = Boolean(state.selected);
    detail.hidden = !state.selected;
    themes.replaceChildren(...state.themes.map((each) => element("option", { value: each })));
    if (state.selected) {
      name.textContent = state.selected.code;
      uses.textContent = state.selected.uses.length ? `Cité par : ${state.selected.uses.join(", ")}` : "Aucune formule ne le cite.";
      fill(fields.unite, state.unites, (each) => UNITES[each] ?? each);
      for (const each of ["libelle", "theme", "unite", "reference", "description"]) put(fields[each], state.selected[each]);
    }
    for (const each of ["libelle", "nomenclature", "reference", "description"]) put(about[each], state.trame[each]);
    files.replaceChildren(...state.documents.map((each) => button(each.label, () => act({ kind: "export", file: each.value }))));
    fill(before, state.charts.before);
    fill(after, state.charts.after);
    if (turned) {
      code.value = state.trame.code;
      copy.value = "";
      adopting.hidden = true;
      for (const each of Object.values(answers)) each.replaceChildren();
      open("indicateurs");
    } else if (tab === "changes" && questions.changes && state.turn !== turn) questions.changes();
    if (state.turn !== turn) {
      turn = state.turn;
      asking.hidden = true;
      pane.setText(state.text);
      if (awaited && state.selected?.code === awaited) {
        added.code.value = added.libelle.value = "";
        pane.focus();
      }
      awaited = null;
    } else pane.look();
  }
  function hear(message, buffers) {
    if (message.kind === "found" && message.serial === asked) showFound(message.rows);
    if (message.kind === "answer") answer(message.panel, message.answer);
    if (message.kind === "file") saveFile(message, buffers);
  }
  const warn = () => notices.replaceChildren(...notes(model.get("notices")));
  model.on("change:state", update);
  model.on("change:notices", warn);
  model.on("msg:custom", hear);
  warn();
  update();
  return () => {
    model.off("change:state", update);
    model.off("change:notices", warn);
    model.off("msg:custom", hear);
    pane.destroy();
  };
}

export default { render };
