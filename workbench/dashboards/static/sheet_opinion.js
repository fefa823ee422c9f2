// Was the detection useful? Asked on the head office of a company in alert in the last list.

function render({ model, el }) {
  el.classList.add("wb", "wb-opinion");
  const ask = channel(model, el);
  let useful = null;

  function update() {
    const state = model.get("state");
    el.hidden = !state;
    if (!state) return;
    useful = state.useful;
    const reasons = element("fieldset", { class: "wb-reasons" });
    const comment = unique("opinion");
    const words = element("textarea", { id: comment, rows: 2, maxlength: 1000 });
    words.value = state.comment;
    const chosen = new Set(state.chosen);
    const rest = element("div", { class: "wb-opinion-rest" });
    function showReasons() {
      rest.hidden = useful === null;
      reasons.replaceChildren(
        element("legend", {}, useful ? "En quoi ?" : "Pourquoi ?"),
        ...state.reasons
          .filter((each) => each.useful === useful)
          .map((each) =>
            element(
              "label",
              {},
              element("input", { type: "checkbox", value: each.value, checked: chosen.has(each.value), onchange: (event) => (event.target.checked ? chosen.add(each.value) : chosen.delete(each.value)) }),
              each.label,
            ),
          ),
      );
    }
    const radio = (value, label) =>
      element(
        "label",
        { class: "wb-opinion-choice" },
        element("input", {
          type: "radio",
          name: `${comment}-useful`,
          checked: useful === value,
          onchange: () => {
            useful = value;
            showReasons();
          },
        }),
        label,
      );
    rest.append(
      reasons,
      element("label", { for: comment }, "Précisions (facultatif)"),
      words,
      element("button", { type: "submit", class: "wb-button" }, state.useful === null || state.useful === undefined ? "Donner mon avis" : "Changer mon avis"),
    );
    el.replaceChildren(
      element("h2", { class: "wb-title" }, "Cette détection vous est-elle utile ?"),
      element("p", { class: "wb-hint" }, state.when ? `Votre avis du ${state.when} est enregistré.` : "Votre avis sert à améliorer les listes suivantes."),
      element(
        "form",
        {
          onsubmit: (event) => {
            event.preventDefault();
            if (el.hasAttribute("aria-busy")) return;
            ask({ kind: "judge", useful, reasons: [...chosen], comment: words.value });
          },
        },
        element("fieldset", { class: "wb-useful" }, element("legend", { class: "wb-sr" }, "Utilité de la détection"), radio(true, "Utile"), radio(false, "Inutile")),
        rest,
      ),
    );
    useful ??= null;
    showReasons();
  }
  model.on("change:state", update);
  update();
}

export default { render };
