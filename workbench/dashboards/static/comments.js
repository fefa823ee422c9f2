// Comments on what is chosen: read by all, each changed and removed by who wrote it.

function render({ model, el }) {
  el.classList.add("wb", "wb-comments-host");
  const ask = channel(model, el);
  const id = unique("comment");
  const heading = element("h2", { class: "wb-title" });
  const text = element("textarea", { id, rows: 3, maxlength: 5000 });
  const none = element("p", { class: "wb-hint" }, "Personne n'a encore rien écrit.");
  const list = element("ul", { class: "wb-said-list" });
  const form = element(
    "form",
    {
      class: "wb-say",
      onsubmit: (event) => {
        event.preventDefault();
        if (text.value.trim()) ask({ kind: "write", text: text.value });
      },
    },
    element("label", { for: id }, "Votre commentaire"),
    text,
    element("button", { type: "submit", class: "wb-button" }, "Publier le commentaire"),
  );
  el.append(heading, form, none, list);
  let editing = null;

  function one(each) {
    const said = element("p", { class: "wb-said-text" }, each.text);
    const own = element("div", { class: "wb-said-own" });
    if (each.mine) {
      own.append(
        element("button", { type: "button", class: "wb-link", "aria-label": `Modifier mon commentaire : ${each.text.slice(0, 40)}`, onclick: () => edit() }, "Modifier"),
        element("button", { type: "button", class: "wb-link", "aria-label": `Retirer mon commentaire : ${each.text.slice(0, 40)}`, onclick: () => ask({ kind: "remove", id: each.id }) }, "Retirer"),
      );
    }
    const item = element("li", {}, element("p", { class: "wb-hint" }, each.head), said, own);
    function edit() {
      editing = each.id;
      const field = element("textarea", { rows: 3, maxlength: 5000, "aria-label": "Votre commentaire, à modifier" });
      field.value = each.text;
      item.replaceChildren(
        element(
          "form",
          { class: "wb-say", onsubmit: (event) => {
            event.preventDefault();
            if (field.value.trim()) ask({ kind: "change", id: each.id, text: field.value });
          } },
          field,
          element("div", { class: "wb-bar" }, element("button", { type: "submit", class: "wb-button" }, "Enregistrer"), element("button", { type: "button", class: "wb-button", onclick: update }, "Annuler")),
        ),
      );
      field.focus();
    }
    return item;
  }
  function update() {
    const about = model.get("about");
    el.hidden = !about;
    heading.textContent = `Commentaires sur ${about}`;
    const comments = model.get("comments");
    none.hidden = comments.length > 0;
    list.replaceChildren(...comments.map(one));
    editing = null;
  }
  model.on("change:about", update);
  model.on("change:comments", update);
  model.on("msg:custom", (message) => {
    // What was typed goes once it is kept, and not before.
    if (message.kind === "kept" && !editing) text.value = "";
  });
  update();
}

export default { render };
