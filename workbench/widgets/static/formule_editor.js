// The editor of one formule.

function render({ model, el }) {
  el.classList.add("wb-editor");
  el.setAttribute("data-lm-suppress-shortcuts", "true");
  const ask = channel(model, el, "Le noyau ne répond plus. Redémarrez-le, puis exécutez de nouveau la cellule.");
  const notices = element("div", { class: "wb-notices", role: "status" });
  const pane = formulePane({ model, ask, label: model.get("state").code || "Formule" });
  el.append(notices, pane.node);
  function update() {
    const state = model.get("state");
    pane.choose(state);
    notices.replaceChildren(...notes(model.get("notices")));
    pane.look();
  }
  model.on("change:state", update);
  model.on("change:notices", () => notices.replaceChildren(...notes(model.get("notices"))));
  pane.choose(model.get("state"));
  pane.setText(model.get("text"));
  return () => pane.destroy();
}

export default { render };
