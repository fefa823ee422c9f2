// The formule being written: CodeMirror, what is wrong, the tree, and the values on chosen collectivités.
//
// Questions never queue: one text is being checked at a time, and when its answer comes the latest one goes, if it is
// another. Consequences (tree, values) are asked for once the text rests, and an answer to an older text is dropped.

const REST = 120;

// The kernel counts characters; CodeMirror counts UTF-16 units.
function toPoints(text, offset) {
  return /[\ud800-\udfff]/.test(text) ? [...text.slice(0, offset)].length : offset;
}
function fromPoints(text, offset) {
  return /[\ud800-\udfff]/.test(text) ? [...text].slice(0, offset).join("").length : Math.min(offset, text.length);
}

function loadCodeMirror(model) {
  const key = `workbench-codemirror-${model.get("library")}`;
  if (window[key]) return Promise.resolve(window[key]);
  return new Promise((resolve, reject) => {
    async function hear(message, buffers) {
      if (message.kind !== "codemirror") return;
      model.off("msg:custom", hear);
      const address = URL.createObjectURL(new Blob([buffers[0]], { type: "text/javascript" }));
      try {
        window[key] ??= await import(address);
        resolve(window[key]);
      } catch (error) {
        reject(error);
      } finally {
        URL.revokeObjectURL(address);
      }
    }
    model.on("msg:custom", hear);
    model.send({ kind: "codemirror" });
  });
}

const WORDS = /(?<type>\[[^\[\]+*/^()$]*\]?)|(?<compte>(?<![\w$])(?:SC|SD|C|D)\d+(?!\w))|(?<population>\$POP\b)|(?<indicateur>\b[A-Z0-9]+(?:_[A-Z0-9]+)+\b)|(?<nombre>\b\d+(?:\.\d+)?\b)|(?<signe>[-+*/^()])/g;
const COMPTE = /^(SC|SD|C|D)(\d+)$/;
const KINDS = { compte: "Compte", indicateur: "Indicateur", type_appel: "Type d'appel", crochet: "Crochet", population: "Population", cote: "Côté" };

function colours(cm) {
  const matcher = new cm.MatchDecorator({
    regexp: WORDS,
    decorate(add, from, to, match) {
      const [kind] = Object.entries(match.groups).find(([, text]) => text !== undefined);
      const side = kind === "compte" ? COMPTE.exec(match[0]) : null;
      if (side) {
        // The side and the compte are two things: one sees at once what was prefixed by what.
        add(from, from + side[1].length, cm.Decoration.mark({ class: "wb-tok-cote" }));
        add(from + side[1].length, to, cm.Decoration.mark({ class: "wb-tok-compte" }));
      } else add(from, to, cm.Decoration.mark({ class: `wb-tok-${kind}` }));
    },
  });
  return cm.ViewPlugin.define(
    (view) => ({
      decorations: matcher.createDeco(view),
      update(update) {
        this.decorations = matcher.updateDeco(update, this.decorations);
      },
    }),
    { decorations: (plugin) => plugin.decorations },
  );
}

function formulePane({ model, ask, onText = () => {}, label = "Formule" }) {
  let cm = null;
  let view = null;
  let diagnostics = [];
  let remarks = [];
  let serial = 0;
  let sent = -1;
  let answered = true;
  let timer = null;
  let wanted = null; // text to show once CodeMirror is there
  const questions = new Map();
  let question = 0;

  const holder = element("div", { class: "wb-code" });
  // The output of a cell hides what goes beyond it: tips and completions float above the page.
  const floating = element("div", { class: "wb-editor wb-floating", "data-lm-suppress-shortcuts": "true" });
  document.body.append(floating);
  const state = element("p", { class: "wb-state", role: "status" });
  const problems = element("ul", { class: "wb-problems", "aria-label": "Remarques sur la formule" });
  const planSelect = element("select", { class: "wb-input", "aria-label": "Exercice du plan de comptes", onchange: () => ask({ kind: "plan", exercice: planSelect.value }) });
  const planText = element("span");
  const planBox = element("label", { class: "wb-plan" }, planText, planSelect);
  const drawing = element("div", { class: "wb-drawing", tabindex: "0", role: "region", "aria-label": "Arbre de la formule" });
  const reads = element("dl", { class: "wb-reads" });
  const nothing = element("p", { class: "wb-hint" });
  const tree = element("details", { class: "wb-fold", open: true }, element("summary", {}, "Arbre de la formule et comptes lus"), drawing, reads);
  const values = element("div", { class: "wb-values" });
  const why = element("div", { class: "wb-why", role: "region", "aria-label": "Explication de la valeur" });
  const searching = combobox({
    label: "Ajouter une collectivité",
    hint: "Nom, SIREN ou SIRET",
    search: (text, number) => ask({ kind: "search", text, serial: number }),
    choose: (value) => {
      ask({ kind: "add", siret: value });
      searching.setValue("");
    },
  });
  const debut = element("select", { class: "wb-input", onchange: () => ask({ kind: "period", debut: debut.value, fin: fin.value }) });
  const fin = element("select", { class: "wb-input", onchange: () => ask({ kind: "period", debut: debut.value, fin: fin.value }) });
  const live = element(
    "section",
    { class: "wb-live", "aria-label": "Valeurs" },
    element("h3", {}, "Valeurs"),
    element(
      "div",
      { class: "wb-choices" },
      searching.node,
      element("fieldset", { class: "wb-period" }, element("legend", {}, "Exercices"), element("label", {}, "De ", debut), element("label", {}, " à ", fin)),
    ),
    nothing,
    element("div", { class: "wb-beside" }, values, why),
  );
  const node = element(
    "div",
    { class: "wb-pane" },
    element("div", { class: "wb-pane-head" }, element("h3", { class: "wb-label" }, label), state, planBox),
    holder,
    problems,
    tree,
    live,
  );

  // --- the text

  const text = () => (view ? view.state.doc.toString() : (wanted ?? ""));
  function typed() {
    serial += 1;
    clearTimeout(timer);
    onText(text());
    if (answered) check();
  }
  function check() {
    sent = serial;
    answered = false;
    ask({ kind: "text", text: text(), serial });
  }
  function heard(message) {
    answered = true;
    if (message.serial !== serial) {
      check();
      return;
    }
    diagnostics = message.diagnostics;
    remarks = [];
    show(message);
    timer = setTimeout(() => ask({ kind: "look", serial: sent }), REST);
  }

  // --- what is wrong

  function apply(fix) {
    const said = text();
    const from = fromPoints(said, fix.from);
    const to = fromPoints(said, fix.to);
    view.dispatch({ changes: { from, to, insert: fix.replacement }, selection: { anchor: from + fix.replacement.length }, userEvent: "input.fix" });
    view.focus();
  }
  function select(from, to) {
    const said = text();
    view.dispatch({ selection: { anchor: fromPoints(said, from), head: fromPoints(said, to) }, scrollIntoView: true });
    view.focus();
  }
  const worded = { error: "Erreur", warning: "Attention", info: "À vérifier" };
  function row(each) {
    const placed = Number.isInteger(each.from);
    return element(
      "li",
      { "data-severity": each.severity },
      element("b", {}, worded[each.severity]),
      element("span", { class: "wb-said" }, each.message, each.hint ? element("span", { class: "wb-soft" }, ` ${each.hint}`) : null),
      element(
        "span",
        { class: "wb-fixes" },
        placed ? element("button", { type: "button", class: "wb-link", onclick: () => select(each.from, each.to) }, "Montrer") : null,
        (each.fixes ?? []).slice(0, 4).map((fix) => element("button", { type: "button", class: "wb-small", onclick: () => apply(fix) }, fix.title)),
      ),
    );
  }
  function show(message) {
    const all = [...diagnostics, ...remarks.map((each) => ({ ...each, severity: "info" }))];
    problems.replaceChildren(...all.slice(0, 30).map(row));
    if (all.length > 30) problems.append(element("li", {}, `… et ${all.length - 30} autres.`));
    const errors = diagnostics.filter((each) => each.severity === "error").length;
    const others = all.length - errors;
    const count = (number, one, many) => (number ? `${number} ${number > 1 ? many : one}` : "");
    const said = [count(errors, "erreur", "erreurs"), count(others, "remarque", "remarques")].filter(Boolean).join(", ");
    if (message) {
      state.dataset.state = message.empty ? "" : errors ? "error" : others ? "warning" : "right";
      state.textContent = message.empty ? "" : errors ? `✗ ${said}` : others ? `✓ Formule correcte, ${said}` : "✓ Formule correcte";
      node.toggleAttribute("data-wrong", !message.right);
    }
    if (!view) return;
    const doc = text();
    const size = view.state.doc.length;
    const marks = all
      .filter((each) => Number.isInteger(each.from))
      .map((each) => {
        const to = Math.min(fromPoints(doc, each.to), size);
        // An empty span (something is missing here) underlines the character before.
        const from = Math.max(0, Math.min(fromPoints(doc, each.from), to === fromPoints(doc, each.from) ? to - 1 : to));
        return {
          from,
          to,
          severity: each.severity,
          message: each.message,
          renderMessage: () =>
            element("div", { class: "wb-tip" }, element("p", {}, each.message), each.hint ? element("p", { class: "wb-soft" }, each.hint) : null),
          actions: (each.fixes ?? []).slice(0, 3).map((fix) => ({ name: fix.title, apply: () => apply(fix) })),
        };
      });
    view.dispatch(cm.setDiagnostics(view.state, marks));
  }

  // --- completion

  function complete(context) {
    const said = context.state.doc.toString();
    const begun = context.matchBefore(/[\w$[:-]+/);
    if (!context.explicit && !begun) return null;
    return new Promise((resolve) => {
      question += 1;
      const mine = question;
      context.addEventListener?.("abort", () => {
        questions.delete(mine);
        resolve(null);
      });
      questions.set(mine, (options) => {
        if (!options.length) return resolve(null);
        const start = Math.min(...options.map((each) => fromPoints(said, each.from)));
        return resolve({
          from: start,
          filter: false,
          options: options.map((each) => ({
            label: each.text,
            detail: each.libelle,
            type: each.kind,
            apply: (target, completion, from, to) => {
              const place = { from: fromPoints(said, each.from), to: Math.max(to, fromPoints(said, each.to)) };
              target.dispatch({
                changes: { ...place, insert: each.text },
                selection: { anchor: place.from + each.text.length },
                userEvent: "input.complete",
              });
              if (/[:]$|^(SC|SD|C|D)$/.test(each.text)) cm.startCompletion(target);
            },
          })),
        });
      });
      model.send({ kind: "complete", text: said, position: toPoints(said, context.pos), serial: mine });
    });
  }

  // --- tree, values, explanation

  function look(message) {
    if (message.serial !== serial) return;
    remarks = message.remarks;
    show({ right: message.right, empty: message.empty });
    tree.toggleAttribute("data-old", !message.tree && Boolean(drawing.firstChild));
    if (message.tree) {
      // Text of our own drawing, every name escaped there; parsed as XML, it holds no script.
      const svg = new DOMParser().parseFromString(message.tree, "image/svg+xml").documentElement;
      drawing.replaceChildren(document.importNode(svg, true));
      tree.removeAttribute("data-old");
    } else if (message.empty) drawing.replaceChildren();
    reads.replaceChildren(...message.reads.flatMap((each) => [element("dt", {}, each.text), element("dd", {}, each.libelle || "—")]));
    tree.hidden = !drawing.firstChild && !reads.firstChild;
    figures(message);
  }
  drawing.addEventListener("click", (event) => {
    const picked = event.target.closest?.("[data-from]");
    if (picked) select(Number(picked.dataset.from), Number(picked.dataset.to));
  });

  function figures(message) {
    const table = message.values;
    const chosen = choices?.collectivites ?? [];
    live.toggleAttribute("data-old", !table && chosen.length > 0 && !message.empty);
    const old = values.firstChild ? "La formule est à corriger : ces valeurs sont celles d'avant." : "La formule est à corriger.";
    nothing.textContent = !chosen.length
      ? "Choisissez une collectivité : la valeur de la formule s'affiche à mesure qu'elle s'écrit."
      : table || message.empty ? "" : old;
    nothing.hidden = !nothing.textContent;
    if (table) draw(table, message.explanation);
    else if (!chosen.length || message.empty) {
      values.replaceChildren();
      why.replaceChildren();
    }
  }
  function draw(table, explanation) {
    const body = table.rows.map((each) =>
      element(
        "tr",
        {},
        element(
          "th",
          { scope: "row" },
          element("span", {}, each.label),
          element("button", { type: "button", class: "wb-remove", title: "Retirer", "aria-label": `Retirer ${each.label}`, onclick: () => ask({ kind: "remove", siret: each.siret }) }, "×"),
        ),
        each.problem
          ? element("td", { colspan: table.exercices.length }, each.problem)
          : each.cells.map((cell, index) => {
              const exercice = table.exercices[index];
              const pressed = explanation && explanation.siret === each.siret && explanation.exercice === exercice;
              return element(
                "td",
                {},
                cell
                  ? element("button", { type: "button", class: "wb-figure", "aria-pressed": String(Boolean(pressed)), "aria-label": `${cell}, ${each.label}, ${exercice} : expliquer`, onclick: () => ask({ kind: "explain", siret: each.siret, exercice }) }, cell)
                  : element("span", { class: "wb-soft", title: "Pas de comptes" }, "—"),
              );
            }),
      ),
    );
    const head = element("tr", {}, element("th", { scope: "col" }, "Collectivité"), table.exercices.map((year) => element("th", { scope: "col" }, String(year))));
    const focused = [...values.querySelectorAll("button")].indexOf(document.activeElement);
    values.replaceChildren(element("table", {}, element("thead", {}, head), element("tbody", {}, body)));
    if (focused >= 0) values.querySelectorAll("button")[focused]?.focus();
    explain(explanation);
  }
  function line(item, path) {
    const content = [
      element("span", { class: "wb-sign" }, item.sign),
      element("span", { class: "wb-name" }, element("b", {}, item.label), item.libelle ? ` ${item.libelle}` : ""),
      element("span", { class: "wb-amount" }, item.value),
    ];
    const id = path.join("-");
    if (!item.children && !item.more) return element("li", { class: "wb-leaf" }, content);
    const children = element("ul");
    const details = element("details", { "data-path": id, open: Boolean(item.open) }, element("summary", {}, content), children);
    if (item.children) children.append(...branch(item, path));
    else {
      details.addEventListener("toggle", () => {
        if (details.open && !children.childElementCount) ask({ kind: "expand", path });
      });
    }
    return element("li", {}, details);
  }
  function branch(item, path) {
    const items = item.children.map((child, index) => line(child, [...path, index]));
    if (item.total) items.push(element("li", { class: "wb-leaf wb-total" }, element("span", { class: "wb-sign" }, "="), element("span", { class: "wb-name" }, item.total), element("span", { class: "wb-amount" }, item.value)));
    return items;
  }
  function explain(explanation) {
    if (!explanation) {
      why.replaceChildren();
      return;
    }
    why.replaceChildren(element("h4", {}, explanation.title), element("ul", { class: "wb-explained" }, line(explanation.tree, [])));
    for (const button of values.querySelectorAll(".wb-figure")) button.setAttribute("aria-pressed", "false");
  }

  let choices = null;
  function choose(given) {
    choices = given;
    live.hidden = !given.base;
    const fill = (select, items, value) => {
      select.replaceChildren(...items.map((each) => element("option", { value: each }, each)));
      select.value = value;
    };
    fill(debut, given.exercices, given.debut);
    fill(fin, given.exercices, given.fin);
    fill(planSelect, given.plans, given.plan);
    planSelect.hidden = !given.plans.length;
    planText.textContent = given.plans.length ? `Plan de comptes ${given.nomenclature}` : given.libelles ? "Libellés de la base" : "Sans plan de comptes";
  }

  function hear(message) {
    if (message.kind === "checked") heard(message);
    if (message.kind === "stale") {
      answered = true;
      if (sent !== serial) check();
    }
    if (message.kind === "looked") look(message);
    if (message.kind === "suggestions") searching.show(message.options, message.serial);
    if (message.kind === "completions") {
      questions.get(message.serial)?.(message.options);
      questions.delete(message.serial);
    }
    if (message.kind === "children") why.querySelector(`details[data-path="${message.path.join("-")}"]`)?.lastElementChild.replaceChildren(...branch(message.node, message.path));
  }
  model.on("msg:custom", hear);

  function setText(content) {
    wanted = content;
    if (!view) return;
    if (view.state.doc.toString() === content) typed();
    else view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: content } });
  }

  loadCodeMirror(model).then(
    (loaded) => {
      cm = loaded;
      const bare = cm.EditorView.theme({ "&": { color: "inherit", backgroundColor: "transparent" }, "&.cm-focused": { outline: "none" } });
      view = new cm.EditorView({
        parent: holder,
        state: cm.EditorState.create({
          doc: wanted ?? "",
          extensions: [
            cm.history(),
            cm.drawSelection(),
            cm.bracketMatching(),
            cm.closeBrackets(),
            cm.autocompletion({ override: [complete], icons: false, activateOnTyping: true, closeOnBlur: true, maxRenderedOptions: 50 }),
            cm.keymap.of([{ key: "Tab", run: cm.acceptCompletion }, ...cm.closeBracketsKeymap, ...cm.completionKeymap, ...cm.lintKeymap, ...cm.historyKeymap, ...cm.defaultKeymap]),
            cm.EditorView.lineWrapping,
            cm.tooltips({ parent: floating }),
            cm.EditorState.phrases.of(PHRASES),
            cm.placeholder("C70-D709[TA:BR]"),
            cm.EditorView.contentAttributes.of({ "aria-label": "Texte de la formule", spellcheck: "false", autocapitalize: "off" }),
            cm.EditorView.updateListener.of((update) => update.docChanged && typed()),
            colours(cm),
            bare,
          ],
        }),
      });
      typed();
    },
    () => holder.replaceChildren(element("p", { class: "wb-notice", "data-kind": "erreur" }, "L'éditeur n'a pas pu être chargé dans ce navigateur.")),
  );

  return {
    node,
    choose,
    setText,
    text,
    serial: () => {
      // What is sent beside the questions of the editor is one of them: its answer counts.
      clearTimeout(timer);
      sent = serial;
      return serial;
    },
    look: () => ask({ kind: "look", serial }),
    focus: () => view?.focus(),
    destroy() {
      clearTimeout(timer);
      model.off("msg:custom", hear);
      view?.destroy();
      floating.remove();
    },
  };
}

const PHRASES = {
  Completions: "Propositions",
  Diagnostics: "Remarques",
  "No diagnostics": "Aucune remarque",
  close: "fermer",
  "Selection deleted": "Sélection supprimée",
  "Control character": "Caractère de contrôle",
};
