// Who a sheet is of, its marks and links, the follow; where there is no sheet, a field for another number.

function render({ model, el }) {
  el.classList.add("wb", "wb-sheet-head");
  el.dataset.confidential = "";
  const ask = channel(model, el);
  const draft = { category: "", reason: "" };
  let opened = false;

  function asking({ name, label, value }) {
    const id = unique("number");
    return element(
      "form",
      { method: "get", class: "wb-sheet-ask" },
      element("label", { for: id }, label),
      element("input", { id, name, class: "wb-input", value, inputmode: "numeric", autocomplete: "off" }),
      element("button", { type: "submit", class: "wb-button" }, "Ouvrir la fiche"),
      element("p", { class: "wb-hint" }, element("a", { href: "recherche.ipynb" }, "Chercher par le nom")),
    );
  }

  function panel(follow) {
    const category = unique("category");
    const reason = unique("reason");
    const choice = element(
      "select",
      { id: category, class: "wb-input", required: true, onchange: (event) => (draft.category = event.target.value) },
      element("option", { value: "" }, "Choisissez…"),
      follow.categories.map((each) => element("option", { value: each.value, selected: each.value === draft.category }, each.label)),
    );
    const words = element("textarea", { id: reason, rows: 2, maxlength: 1000, required: true, oninput: (event) => (draft.reason = event.target.value) });
    words.value = draft.reason;
    return element(
      "form",
      {
        class: "wb-sheet-follow",
        onsubmit: (event) => {
          event.preventDefault();
          if (el.hasAttribute("aria-busy")) return;
          ask({ kind: follow.followed ? "unfollow" : "follow", category: draft.category, reason: draft.reason });
        },
      },
      element(
        "p",
        { class: "wb-hint" },
        follow.followed
          ? "Ce que le suivi avait ouvert se fermera. La fin du suivi et son motif sont journalisés."
          : "Suivre ouvre aussitôt les données confidentielles que votre habilitation permet. Le suivi et son motif sont journalisés.",
      ),
      element("div", { class: "wb-field" }, element("label", { for: category }, "Origine"), choice),
      element("div", { class: "wb-field" }, element("label", { for: reason }, "Motif (obligatoire)"), words),
      element(
        "div",
        { class: "wb-bar" },
        element("button", { type: "submit", class: "wb-button wb-main" }, follow.followed ? "Ne plus suivre" : "Suivre l'entreprise"),
        element("button", { type: "button", class: "wb-button", onclick: () => show(false) }, "Annuler"),
      ),
    );
  }

  function show(open, focus = true) {
    opened = open;
    update();
    if (focus) el.querySelector(open ? "select" : ".wb-sheet-toggle")?.focus();
  }

  function update() {
    const state = model.get("state");
    const asked = model.get("asked");
    if (!state) {
      el.replaceChildren(asked.name ? asking(asked) : "");
      return;
    }
    const { follow } = state;
    const toggle = element(
      "button",
      { type: "button", class: follow.followed ? "wb-button wb-sheet-toggle" : "wb-button wb-main wb-sheet-toggle", "aria-expanded": String(opened), onclick: () => show(!opened) },
      follow.followed ? "Suivie · ne plus suivre…" : "Suivre cette entreprise…",
    );
    el.replaceChildren(
      element(
        "div",
        { class: "wb-sheet-top" },
        element(
          "div",
          {},
          element("h2", { class: "wb-sheet-name" }, state.name),
          element("p", { class: "wb-hint" }, state.line),
          element("ul", { class: "wb-marks", "aria-label": "Situation", hidden: !state.chips.length }, state.chips.map((chip) => element("li", { "data-tone": chip.tone }, chip.text))),
        ),
        element("div", { class: "wb-sheet-do" }, toggle, follow.followed ? element("p", { class: "wb-hint" }, `Depuis le ${follow.since} : ${follow.reason}`) : null),
      ),
      opened ? panel(follow) : "",
      element(
        "p",
        { class: "wb-sheet-links" },
        state.links.map((link) => element("a", { href: link.address }, link.text)),
        state.outside.map((link) => element("a", { href: link.address, target: "_blank", rel: "noopener noreferrer" }, `${link.text} (site public, nouvel onglet)`)),
      ),
    );
    document.title = `${state.name} – ${document.title.split(" – ").pop()}`;
  }
  model.on("change:state", () => {
    // What was asked is done: the panel closes, and what was typed goes.
    draft.category = draft.reason = "";
    const inside = el.contains(document.activeElement);
    show(false, inside);
  });
  update();
}

export default { render };
