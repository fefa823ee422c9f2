// The reports published for a person, whoever made them.

function render({ model, el }) {
  el.classList.add("wb", "wb-published-host");
  const ask = channel(model, el);
  const none = element("p", { class: "wb-hint" }, "Aucun rapport publié ne vous est ouvert.");
  const body = element("tbody", {});
  const scroller = element(
    "div",
    { class: "wb-scroll", role: "region", tabindex: "0", "aria-label": "Rapports publiés" },
    element(
      "table",
      { class: "wb-table wb-requests" },
      element("thead", {}, element("tr", {}, ["Rapport", "Trame", "Exercices", "Auteur", "Publié le", "Fichiers"].map((name) => element("th", { scope: "col" }, name)))),
      body,
    ),
  );
  el.append(
    element("h2", { class: "wb-title" }, "Rapports publiés"),
    none,
    scroller,
    element("button", { type: "button", class: "wb-link", onclick: () => ask({ kind: "list" }) }, "Relire la liste"),
  );
  function update() {
    const rows = model.get("rows");
    none.hidden = rows.length > 0;
    scroller.hidden = !rows.length;
    body.replaceChildren(
      ...rows.map((row, place) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, row.title),
          [row.trame, row.years, row.author, row.date].map((text) => element("td", {}, text)),
          element(
            "td",
            { class: "wb-row-actions" },
            row.files.map((file) => element("button", { type: "button", class: "wb-link", "aria-label": `${file.label} : ${row.title}`, onclick: () => ask({ kind: "file", place, name: file.value }) }, file.label)),
          ),
        ),
      ),
    );
  }
  model.on("change:rows", update);
  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "file") saveFile(message, buffers);
  });
  update();
}

export default { render };
