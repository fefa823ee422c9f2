// The panel: the query, its summary and its result, and what the kernel says.

const KERNEL = "Le noyau ne répond pas : une cellule s'exécute peut-être, ou il s'est arrêté.";

function render({ model, el }) {
  el.classList.add("wb", "wb-lab", "wb-panel");
  // JupyterLab would take Entrée and other keys for its own commands.
  el.setAttribute("data-lm-suppress-shortcuts", "true");
  el.setAttribute("role", "region");
  el.setAttribute("aria-label", "Requête assistée");
  const ask = channel(model, el, KERNEL);
  const notices = element("div", { class: "wb-notices", "aria-live": "assertive" });
  const count = element("p", { class: "wb-count", role: "status" });
  const run = element("button", { type: "button", class: "wb-button wb-primary", title: "Ctrl + Entrée", onclick: () => ask({ kind: "run" }) }, "Exécuter");
  const stop = element("button", { type: "button", class: "wb-button wb-stop", hidden: true, onclick: () => ask({ kind: "stop" }) }, "Arrêter");
  const text = element("pre", { class: "wb-sql", tabindex: "0", "aria-label": "SQL de la requête" });
  const values = element("pre", { class: "wb-sql wb-values", "aria-label": "Valeurs liées" });
  const sql = element("details", { class: "wb-sql-box" }, element("summary", {}, "SQL"), text, values);
  const result = queryResult(model, ask);
  el.append(
    savedQueries(model, ask),
    queryForm(model, ask),
    element("div", { class: "wb-run" }, run, stop, count),
    notices,
    sql,
    result.node,
  );
  el.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const { target } = event;
    if (event.ctrlKey || event.metaKey) {
      target.blur();
      if (!run.disabled) ask({ kind: "run" });
    } else if (target.matches("form input")) target.form.requestSubmit();
    else if (target.matches("button, summary")) target.click();
    else return;
    // The notebook makes something else of these keys, and keeps the browser from doing what it does with them.
    event.preventDefault();
    event.stopPropagation();
  });

  function updateCount() {
    const { state, rows, message, hint } = model.get("count");
    count.classList.toggle("wb-busy", state === "counting");
    const said = {
      counting: () => "Calcul du nombre de lignes…",
      counted: () => `${NUMBER.format(rows)} ligne${rows > 1 ? "s" : ""}`,
      empty: () => hint || message,
      unknown: () => `Nombre de lignes inconnu. ${message}`,
    };
    count.textContent = said[state]?.() ?? "";
    run.disabled = model.get("running") || state === "empty";
  }
  function updateSql() {
    const { text: written, values: bound } = model.get("sql");
    sql.hidden = !written;
    text.textContent = written ?? "";
    values.textContent = (bound ?? []).join("\n");
    values.hidden = !bound?.length;
  }
  function updateRunning() {
    const running = model.get("running");
    stop.hidden = !running;
    run.textContent = running ? "Exécution…" : "Exécuter";
    el.classList.toggle("wb-running", running);
    updateCount();
  }
  function updateNotices() {
    notices.replaceChildren(
      ...model.get("notices").map((each) =>
        element(
          "div",
          { class: "wb-notice", "data-kind": each.kind, role: each.kind === "erreur" ? "alert" : null },
          element("p", {}, each.message),
          each.hint ? element("p", { class: "wb-hint" }, each.hint) : null,
        ),
      ),
    );
  }
  model.on("change:count", updateCount);
  model.on("change:sql", updateSql);
  model.on("change:running", updateRunning);
  model.on("change:notices", updateNotices);
  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "file") saveFile(message, buffers);
    if (message.kind === "page" && message.new) {
      result.heading.focus({ preventScroll: true });
      result.node.scrollIntoView({ block: "nearest" });
    }
  });
  updateSql();
  updateRunning();
  updateNotices();
  return () => result.end();
}

export default { render };
