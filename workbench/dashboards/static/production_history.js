// The requests of a person: their state, their files; read again while one is being made.

const EVERY = 5000;

function render({ model, el }) {
  el.classList.add("wb", "wb-requests-host");
  const ask = channel(model, el);
  const COLUMNS = [
    ["number", "N°"],
    ["state", "État"],
    ["trame", "Trame"],
    ["identifiers", "Identifiants"],
    ["years", "Exercices"],
    ["date", "Demandé le"],
  ];
  const title = element("h2", { class: "wb-title" }, "Vos rapports");
  const count = element("p", { class: "wb-hint", role: "status" });
  const head = element("tr", {});
  const body = element("tbody", {});
  const scroller = element(
    "div",
    { class: "wb-scroll", role: "region", tabindex: "0", "aria-label": "Vos rapports" },
    element("table", { class: "wb-table wb-requests" }, element("thead", {}, head), body),
  );
  const size = element("select", { id: unique("size"), class: "wb-input", onchange: () => ask({ kind: "resize", size: Number(size.value) }) });
  const before = element("button", { type: "button", class: "wb-button", onclick: () => ask({ kind: "turn", page: model.get("table").page - 1 }) }, "Précédents");
  const after = element("button", { type: "button", class: "wb-button", onclick: () => ask({ kind: "turn", page: model.get("table").page + 1 }) }, "Suivants");
  const where = element("span", {});
  const pager = element("div", { class: "wb-pager" }, before, where, after, element("label", { for: size.id }, "par page"), size);
  const publication = element("div", { class: "wb-publication", hidden: true });
  el.append(title, count, scroller, pager, publication);

  let timer = null;
  let opened = null; // the number of the request whose publication is being prepared

  function publish(row) {
    opened = row.number;
    const badges = model.get("table").badges;
    const name = unique("readers");
    const all = element("input", { type: "radio", name, value: "all", checked: !badges.length });
    const some = element("input", { type: "radio", name, value: "some", checked: badges.length > 0 });
    const boxes = badges.map((badge) => element("input", { type: "checkbox", value: badge, onchange: () => { some.checked = true; } }));
    const others = element("input", { id: unique("badges"), class: "wb-input", type: "text", autocomplete: "off", oninput: () => { some.checked = true; } });
    const release = element("input", { id: unique("release"), class: "wb-input", type: "date" });
    const problem = element("p", { class: "wb-hint", role: "alert" });
    const heading = element("h3", { tabindex: "-1" }, `Publier le rapport n° ${row.number}`);
    const close = () => {
      publication.hidden = true;
      opened = null;
    };
    publication.replaceChildren(
      element(
        "form",
        {
          onsubmit: (event) => {
            event.preventDefault();
            const chosen = [...boxes.filter((box) => box.checked).map((box) => box.value), ...others.value.split(",")].map((each) => each.trim()).filter(Boolean);
            if (some.checked && !chosen.length) {
              problem.textContent = "Choisissez au moins un badge, ou tous ceux qui ont un compte.";
              return;
            }
            ask({ kind: "publish", number: row.number, badges: some.checked ? chosen : [], release: release.value });
          },
        },
        heading,
        element(
          "fieldset",
          {},
          element("legend", {}, "Qui le lira"),
          element("label", { class: "wb-radio" }, some, "Ceux qui détiennent tous ces badges"),
          element(
            "div",
            { class: "wb-badges" },
            boxes.map((box) => element("label", { class: "wb-radio" }, box, box.value)),
            element("label", { for: others.id }, badges.length ? "Autres badges, séparés par des virgules" : "Badges, séparés par des virgules"),
            others,
          ),
          element("label", { class: "wb-radio" }, all, "Tous ceux qui ont un compte"),
        ),
        element("div", { class: "wb-field" }, element("label", { for: release.id }, "À partir du (vide : tout de suite)"), release),
        problem,
        element("div", { class: "wb-bar" }, element("button", { type: "submit", class: "wb-button wb-primary" }, "Publier"), element("button", { type: "button", class: "wb-button", onclick: close }, "Annuler")),
      ),
    );
    publication.hidden = false;
    heading.focus();
    publication.scrollIntoView({ block: "nearest" });
  }

  function row(each) {
    const label = `le rapport n° ${each.number}`;
    const details = [each.cause, ...each.warnings].filter(Boolean);
    return element(
      "tr",
      { "data-state": each.state },
      element("th", { scope: "row" }, String(each.number)),
      element("td", {}, element("span", { class: "wb-badge", "data-state": each.state }, each.step), details.map((text) => element("p", { class: "wb-hint" }, text))),
      element("td", {}, each.trame),
      element("td", {}, each.identifiers),
      element("td", {}, each.years),
      element("td", {}, each.date),
      element(
        "td",
        { class: "wb-row-actions" },
        each.file ? element("button", { type: "button", class: "wb-link", "aria-label": `Télécharger ${label}`, onclick: () => ask({ kind: "download", number: each.number }) }, "Télécharger") : null,
        each.publishable ? element("button", { type: "button", class: "wb-link", "aria-label": `Publier ${label}`, onclick: () => publish(each) }, "Publier") : null,
        each.alive ? element("button", { type: "button", class: "wb-link", "aria-label": `Annuler ${label}`, onclick: () => ask({ kind: "cancel", number: each.number }) }, "Annuler") : null,
      ),
    );
  }

  function again() {
    clearTimeout(timer);
    if (!el.isConnected && timer) return;
    if (model.get("table").alive) {
      timer = setTimeout(() => {
        // A page in the background asks when it is looked at again.
        if (document.hidden) document.addEventListener("visibilitychange", () => ask({ kind: "refresh" }), { once: true });
        else ask({ kind: "refresh" });
      }, EVERY);
    }
  }

  function update() {
    const table = model.get("table");
    if (!table.sizes) return;
    const focused = el.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    head.replaceChildren(
      ...COLUMNS.map(([column, label]) => {
        const sorted = table.sort === column;
        return element(
          "th",
          { scope: "col", "aria-sort": sorted ? (table.descending ? "descending" : "ascending") : null },
          element("button", { type: "button", class: "wb-sort", "aria-label": `Trier par ${label}`, onclick: () => ask({ kind: "sort", column }) }, label, element("span", { "aria-hidden": "true" }, sorted ? (table.descending ? " ▼" : " ▲") : "")),
        );
      }),
      element("th", { scope: "col" }, "Actions"),
    );
    body.replaceChildren(...table.rows.map(row));
    scroller.hidden = !table.total;
    pager.hidden = !table.total;
    const plural = table.total > 1 ? "s" : "";
    count.textContent = !table.total
      ? "Vous n'avez encore rien demandé."
      : `${table.total} demande${plural}${table.alive ? " ; la liste se met à jour d'elle-même." : "."}`;
    where.textContent = `Page ${table.page + 1} sur ${table.pages}`;
    before.disabled = table.page === 0;
    after.disabled = table.page + 1 >= table.pages;
    size.replaceChildren(...table.sizes.map((each) => element("option", { value: each }, String(each))));
    size.value = String(table.size);
    if (focused) el.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
    again();
  }
  model.on("change:table", update);
  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "file") saveFile(message, buffers);
    if (message.kind === "published") {
      publication.hidden = true;
      title.scrollIntoView({ block: "nearest" });
    }
    // An answer that changed nothing leaves the next question to be asked.
    if (message.kind === "done") again();
  });
  update();
}

export default { render };
