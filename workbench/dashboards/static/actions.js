// What the page has to say, and the files it gives.

function render({ model, el }) {
  el.classList.add("wb", "wb-actions-host");
  const ask = channel(model, el);
  const notices = element("div", { class: "wb-notices", "aria-live": "polite" });
  const bar = element("div", { class: "wb-bar" });
  el.append(notices, bar);

  function update() {
    notices.replaceChildren(
      ...model.get("notices").map((notice) =>
        element(
          "div",
          { class: "wb-notice", "data-kind": notice.kind, role: notice.kind === "erreur" ? "alert" : null },
          element("p", {}, notice.message),
          notice.hint ? element("p", { class: "wb-hint" }, notice.hint) : null,
        ),
      ),
    );
    bar.replaceChildren(
      ...model.get("files").map((file) =>
        element("button", { type: "button", class: "wb-button", title: file.description, onclick: () => ask({ kind: "download", file: file.value }) }, file.label),
      ),
    );
    bar.hidden = !model.get("files").length;
  }
  model.on("change:notices", update);
  model.on("change:files", update);
  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "file") saveFile(message, buffers);
  });
  update();
}

export default { render };
