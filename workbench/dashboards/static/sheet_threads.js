// What people say of an établissement: threads, answers, one's own words changed, what was said before kept.

function render({ model, el }) {
  el.classList.add("wb", "wb-threads-host");
  const ask = channel(model, el);
  const opened = { kind: "", id: "", text: "" };
  const count = (threads) => threads.reduce((sum, each) => sum + 1 + count(each.answers), 0);
  const heading = element("h2", { class: "wb-title", tabindex: "-1" });
  const first = area("Nouveau commentaire", "Publier le commentaire", "", (text) => ask({ kind: "write", text }));
  const list = element("ul", { class: "wb-threads" });
  el.append(
    heading,
    element("p", { class: "wb-hint" }, "Lus par toutes les personnes habilitées à ouvrir cette application. N'y recopiez pas de donnée confidentielle."),
    first,
    list,
  );

  function area(label, action, text, send, cancel) {
    const id = unique("say");
    const field = element("textarea", { id, rows: 3, maxlength: 5000, oninput: (event) => cancel && (opened.text = event.target.value) });
    field.value = text;
    return element(
      "form",
      {
        class: "wb-say",
        onsubmit: (event) => {
          event.preventDefault();
          // A second click, while the first is on its way, says nothing more.
          if (field.value.trim() && !el.hasAttribute("aria-busy")) send(field.value);
        },
      },
      element("label", { for: id }, label),
      field,
      element("div", { class: "wb-bar" }, element("button", { type: "submit", class: "wb-button" }, action), cancel ? element("button", { type: "button", class: "wb-button", onclick: cancel }, "Annuler") : null),
    );
  }
  function open(kind, id, text = "") {
    Object.assign(opened, { kind, id, text });
    update();
    list.querySelector("textarea")?.focus();
  }
  function close() {
    const { id } = opened;
    Object.assign(opened, { kind: "", id: "", text: "" });
    update();
    (list.querySelector(`[data-id="${CSS.escape(id)}"] button`) ?? heading).focus();
  }
  const paragraphs = (text) => text.map((runs) => element("p", {}, runs.map((run) => (run.bold ? element("strong", {}, run.text) : run.italic ? element("em", {}, run.text) : run.text))));

  function one(said) {
    const start = said.typed.slice(0, 40);
    const own = opened.id === said.id ? opened.kind : "";
    return element(
      "li",
      { "data-id": said.id },
      element("p", { class: "wb-hint" }, element("a", { href: `mailto:${said.author}` }, said.author), `, ${said.when}`, said.changed ? `, modifié le ${said.changed}` : ""),
      own === "change"
        ? area("Votre commentaire, à modifier", "Enregistrer", opened.text, (text) => ask({ kind: "change", id: said.id, text }), close)
        : element("div", { class: "wb-said-text" }, paragraphs(said.text)),
      said.before.length
        ? element("details", { class: "wb-before" }, element("summary", {}, `Versions précédentes (${said.before.length})`), said.before.map((each) => element("div", {}, element("p", { class: "wb-hint" }, each.when), paragraphs(each.text))))
        : null,
      own
        ? null
        : element(
            "div",
            { class: "wb-said-own" },
            element("button", { type: "button", class: "wb-link", "aria-label": `Répondre à : ${start}`, onclick: () => open("answer", said.id) }, "Répondre"),
            said.mine ? element("button", { type: "button", class: "wb-link", "aria-label": `Modifier mon commentaire : ${start}`, onclick: () => open("change", said.id, said.typed) }, "Modifier") : null,
          ),
      own === "answer" ? area(`Votre réponse à ${said.author}`, "Répondre", opened.text, (text) => ask({ kind: "write", text, follows: said.id }), close) : null,
      said.answers.length ? element("ul", { class: "wb-threads" }, said.answers.map(one)) : null,
    );
  }
  function update() {
    const threads = model.get("threads");
    const number = count(threads);
    heading.textContent = number ? `Commentaires (${number})` : "Commentaires";
    list.replaceChildren(...threads.map(one));
  }
  model.on("change:threads", update);
  model.on("msg:custom", (message) => {
    // What was typed goes once it is kept, and not before.
    if (message.kind !== "kept") return;
    if (!message.about) first.querySelector("textarea").value = "";
    else if (message.about === opened.id) close();
  });
  update();
}

export default { render };
