// Saved queries: the name of the one that is open, a form to save, a list to open, rename, copy and delete.

function savedQueries(model, ask) {
  const title = element("p", { class: "wb-opened", "aria-live": "polite" });
  const nameField = element("input", { id: unique("nom"), class: "wb-input", type: "text", maxlength: 200 });
  const aboutField = element("input", { id: unique("description"), class: "wb-input", type: "text", maxlength: 2000 });
  const sharedBox = element("input", { id: unique("partagee"), type: "checkbox" });
  const saving = element(
    "form",
    {
      class: "wb-box wb-saving",
      hidden: true,
      "aria-label": "Enregistrer la requête",
      onsubmit: (event) => {
        event.preventDefault();
        save(false);
      },
    },
    element("div", { class: "wb-field" }, element("label", { for: nameField.id }, "Nom"), nameField),
    element("div", { class: "wb-field wb-wide" }, element("label", { for: aboutField.id }, "Description"), aboutField),
    element("label", { class: "wb-check" }, sharedBox, "Partagée avec l'équipe"),
    element(
      "div",
      { class: "wb-bar" },
      element("button", { type: "submit", class: "wb-button wb-primary" }, "Enregistrer"),
      element("button", { type: "button", class: "wb-button", onclick: () => save(true) }, "Remplacer"),
      element("button", { type: "button", class: "wb-button", onclick: () => open(saving, savingButton, false) }, "Annuler"),
    ),
  );
  const list = element("div", { class: "wb-box wb-saved", hidden: true, role: "region", "aria-label": "Requêtes enregistrées" });

  const toggle = (box, label) => {
    const button = element("button", { type: "button", class: "wb-button", "aria-expanded": "false" }, label);
    button.addEventListener("click", () => open(box, button, box.hidden));
    return button;
  };
  const openButton = toggle(list, "Ouvrir…");
  const savingButton = toggle(saving, "Enregistrer…");
  const node = element(
    "div",
    { class: "wb-saved-bar" },
    title,
    element(
      "div",
      { class: "wb-bar" },
      element("button", { type: "button", class: "wb-button", onclick: () => ask({ kind: "clear" }) }, "Nouvelle"),
      openButton,
      savingButton,
    ),
    saving,
    list,
  );

  function open(box, button, shown) {
    for (const [other, its] of [[list, openButton], [saving, savingButton]]) {
      other.hidden = other !== box || !shown;
      its.setAttribute("aria-expanded", String(!other.hidden));
    }
    if (!shown) return button.focus();
    if (box === saving) {
      const opened = model.get("form").opened;
      nameField.value = opened?.name ?? "";
      aboutField.value = opened?.description ?? "";
      sharedBox.checked = opened?.shared ?? false;
      nameField.focus();
    }
    return undefined;
  }
  function save(replace) {
    const values = { name: nameField.value, description: aboutField.value, shared: sharedBox.checked };
    ask({ kind: "saved", action: "save", replace, ...values });
  }

  // One action on one query: what it needs is asked in its row, not in a window that would hide the rest.
  function row(query) {
    const own = { kind: "saved", name: query.name, shared: query.shared };
    const more = element("div", { class: "wb-more" });
    const button = (label, onclick, primary) =>
      element("button", { type: "button", class: `wb-button wb-small${primary ? " wb-primary" : ""}`, "aria-label": `${label} : ${query.name}`, onclick }, label);
    const named = (label, action, proposed) => () => {
      const field = element("input", { class: "wb-input", type: "text", maxlength: 200, "aria-label": "Nouveau nom", value: proposed });
      const form = element(
        "form",
        {
          class: "wb-inline",
          onsubmit: (event) => {
            event.preventDefault();
            ask({ ...own, action, to: field.value });
          },
        },
        field,
        element("button", { type: "submit", class: "wb-button wb-small wb-primary" }, label),
      );
      more.replaceChildren(form);
      field.focus();
      field.select();
    };
    const remove = () => {
      const confirm = button("Supprimer définitivement", () => ask({ ...own, action: "delete" }), true);
      more.replaceChildren(element("div", { class: "wb-inline" }, confirm, button("Garder", () => more.replaceChildren())));
      confirm.focus();
    };
    return element(
      "li",
      {},
      element(
        "div",
        { class: "wb-saved-text" },
        element("strong", {}, query.name),
        element("span", { class: "wb-hint" }, `${query.shared ? "partagée" : "privée"} · ${query.owner} · ${query.date}`),
        query.description ? element("span", { class: "wb-description" }, query.description) : null,
      ),
      element(
        "div",
        { class: "wb-bar" },
        button("Ouvrir", () => ask({ ...own, action: "open" }), true),
        button("Dupliquer", named("Dupliquer", "duplicate", `${query.name} (copie)`)),
        query.mine ? button("Renommer", named("Renommer", "rename", query.name)) : null,
        query.mine ? button("Supprimer", remove) : null,
      ),
      more,
    );
  }
  function update() {
    const { opened, modified } = model.get("form");
    title.replaceChildren(
      ...(opened
        ? [element("strong", {}, opened.name), modified ? element("span", { class: "wb-hint" }, " (modifiée)") : ""]
        : [element("span", { class: "wb-hint" }, "Nouvelle requête")]),
    );
    const saved = model.get("saved");
    list.replaceChildren(
      saved.length
        ? element("ul", {}, ...saved.map(row))
        : element("p", { class: "wb-hint" }, "Aucune requête n'est encore enregistrée."),
    );
  }
  model.on("change:saved", update);
  model.on("change:form", () => {
    const { opened, modified } = model.get("form");
    title.replaceChildren(
      ...(opened
        ? [element("strong", {}, opened.name), modified ? element("span", { class: "wb-hint" }, " (modifiée)") : ""]
        : [element("span", { class: "wb-hint" }, "Nouvelle requête")]),
    );
  });
  model.on("msg:custom", (message) => {
    if (message.kind !== "saved") return;
    if (message.action === "save") open(saving, savingButton, false);
    if (message.action === "open") open(list, openButton, false);
  });
  update();
  return node;
}
