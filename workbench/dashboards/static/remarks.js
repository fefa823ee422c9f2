// What the figures have to say: sentences, each with the rule that founds it.

function render({ model, el }) {
  el.classList.add("wb", "wb-remarks-host");
  const ask = channel(model, el);
  const FEW = 4;
  const KINDS = { alerte: "Alerte", vigilance: "Vigilance", information: "Information" };

  function remark(each) {
    return element(
      "li",
      { class: "wb-remark", "data-gravite": each.gravite },
      element("p", {}, element("strong", { class: "wb-gravite" }, KINDS[each.gravite] ?? each.gravite), " ", each.texte),
      element(
        "p",
        { class: "wb-hint" },
        `Règle : ${each.source}`,
        each.code && each.exercice
          ? [element("span", { class: "wb-unprinted" }, " · ", element("button", { type: "button", class: "wb-link", onclick: () => ask({ kind: "explain", code: each.code, exercice: each.exercice }) }, `Voir les comptes de ${each.exercice}`))]
          : null,
      ),
    );
  }
  function update() {
    const remarks = model.get("remarks");
    el.hidden = !remarks;
    if (!remarks) return;
    const [first, rest] = [remarks.slice(0, FEW), remarks.slice(FEW)];
    el.replaceChildren(
      element("h2", { class: "wb-title" }, "Points d'attention"),
      remarks.length
        ? element("ul", { class: "wb-remarks" }, first.map(remark))
        : element("p", { class: "wb-hint" }, "Aucun seuil n'est franchi et aucune variation n'est forte."),
      rest.length
        ? element("details", { class: "wb-about" }, element("summary", {}, `${rest.length} autre${rest.length > 1 ? "s" : ""}`), element("ul", { class: "wb-remarks" }, rest.map(remark)))
        : "",
    );
  }
  model.on("change:remarks", update);
  update();
}

export default { render };
