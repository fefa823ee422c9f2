// What is said of a trame, in its panels: changes, problems, comptes, comparison, transposition, figures.

const UNITES = { euros: "euros", euros_par_habitant: "euros par habitant", pourcentage: "pourcentage", annees: "années", ratio: "ratio" };

function field(label, node, hint) {
  node.id ||= unique("field");
  return element("div", { class: "wb-field" }, element("label", { for: node.id }, label), hint ? element("p", { class: "wb-hint" }, hint) : null, node);
}
function button(label, onclick, kind = "wb-button", more = {}) {
  return element("button", { type: "button", class: kind, onclick, ...more }, label);
}
// JupyterLab's page does not send a form by the Enter key.
function sending(act) {
  return {
    onsubmit: (event) => {
      event.preventDefault();
      act();
    },
    onkeydown: (event) => {
      if (event.key !== "Enter" || event.isComposing || event.target.tagName !== "INPUT") return;
      event.preventDefault();
      event.currentTarget.requestSubmit();
    },
  };
}
function table(head, rows) {
  return element(
    "div",
    { class: "wb-rows", tabindex: "0", role: "region", "aria-label": head.join(", ") },
    element("table", {}, element("thead", {}, element("tr", {}, head.map((each) => element("th", { scope: "col", class: /^\d{4}$/.test(each) ? "wb-number" : null }, each)))), element("tbody", {}, rows)),
  );
}

function changedLine(line) {
  const sign = line.slice(0, 2);
  if (sign !== "+ " && sign !== "- ") return element("p", {}, line);
  return element("p", {}, sign, element(sign === "+ " ? "ins" : "del", {}, element("code", {}, line.slice(2))));
}
function changesTable(rows, empty) {
  if (!rows.length) return element("p", { class: "wb-hint" }, empty);
  return table(
    ["Quoi", "Code", "Différence"],
    rows.map((each) => element("tr", {}, element("td", {}, each.kind), element("th", { scope: "row" }, each.code), element("td", {}, each.lines.map(changedLine)))),
  );
}

function problemsList(rows, go) {
  if (!rows.length) return element("p", { class: "wb-hint" }, "✓ Rien à signaler : la trame est correcte.");
  const worded = { error: "Erreur", warning: "Attention" };
  return element(
    "ul",
    { class: "wb-problems" },
    rows.map((each) =>
      element(
        "li",
        { "data-severity": each.severity },
        element("b", {}, worded[each.severity]),
        element("span", {}, each.code ? button(each.code, () => go(each.code), "wb-link") : null, each.code ? " : " : null, each.message, each.hint ? element("span", { class: "wb-soft" }, ` — ${each.hint}`) : null, each.excerpt ? element("pre", {}, each.excerpt) : null),
      ),
    ),
  );
}

function lintTable(answer, go) {
  if (!answer.rows.length) return element("p", { class: "wb-hint" }, answer.looked);
  return element(
    "div",
    {},
    element("p", { class: "wb-hint" }, answer.looked),
    table(
      ["Remarque", "Indicateur", "Pourquoi"],
      answer.rows.map((each) =>
        element("tr", {}, element("td", {}, each.kind), element("th", { scope: "row" }, each.code ? button(each.code, () => go(each.code), "wb-link") : "la trame"), element("td", {}, element("p", {}, each.message), each.excerpt ? element("pre", {}, each.excerpt) : null, each.hint ? element("p", { class: "wb-soft" }, each.hint) : null)),
      ),
    ),
  );
}

function figuresTable(answer) {
  if (!answer) return element("p", { class: "wb-hint" }, "Ajoutez une collectivité dans « Indicateurs » : ses valeurs s'affichent ici.");
  const row = (each) => element("tr", {}, element("th", { scope: "row" }, each.code, element("span", { class: "wb-soft" }, ` ${each.libelle}`)), each.cells.map((cell) => element("td", { class: "wb-number" }, cell)));
  return element("div", {}, element("h3", {}, answer.title), table(["Indicateur", ...answer.exercices.map(String)], answer.rows.map(row)));
}

function transpositionTable(answer, decide) {
  const said = [`De ${answer.from} à ${answer.to}`, `${answer.rows.length} préfixes`, `${answer.unmatched} sans correspondance`, `${answer.doubtful} à vérifier`].join(" · ");
  const row = (each) => {
    const list = unique("candidates");
    const input = element("input", { class: "wb-input", value: each.after, list, "aria-label": `Compte qui remplace ${each.before}`, onchange: () => decide(each.before, input.value) });
    return element(
      "tr",
      { "data-sure": String(each.sure) },
      element("th", { scope: "row" }, each.before, element("span", { class: "wb-soft" }, ` ${each.libelle}`)),
      element("td", {}, input, element("datalist", { id: list }, each.candidates.map((one) => element("option", { value: one.value }, one.label))), element("p", { class: "wb-soft" }, each.libelle_after)),
      element("td", {}, each.reason),
      element("td", { class: "wb-soft" }, each.indicateurs.join(", ")),
    );
  };
  return element("div", {}, element("p", {}, said), answer.notes.map((note) => element("p", { class: "wb-hint" }, note)), table(["Avant", "Après", "Pourquoi", "Lu par"], answer.rows.map(row)));
}
