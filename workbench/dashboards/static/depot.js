// The upload page: what is to be sent, what is on its way (depot_file.js), and the list of past uploads, for which alone
// the kernel is asked.

const AT_ONCE = 2;
const REMEMBERED_DAYS = 30;

// What was remembered of files that nobody will take up any more.
function forgetOld() {
  const oldest = Date.now() - REMEMBERED_DAYS * 86400e3;
  for (const key of Object.keys(localStorage)) {
    if (!key.startsWith("tus::depot\u0000")) continue;
    try {
      if (new Date(JSON.parse(localStorage.getItem(key)).creationTime) < oldest) localStorage.removeItem(key);
    } catch {
      localStorage.removeItem(key);
    }
  }
}

function render({ model, el }) {
  el.classList.add("wb");
  const ask = channel(model, el, "La liste de vos envois ne se met plus à jour ; les envois en cours continuent.");
  const notices = element("div", { class: "wb-notices", "aria-live": "polite" });
  const told = element("p", { class: "wb-sr", role: "status" });
  const form = element("section", { class: "wb-depot", "aria-label": "Envoyer des fichiers" });
  const past = element("section", { class: "wb-depot", "aria-label": "Envois précédents" });
  el.append(notices, form, past, told);
  let items = [];

  const page = {
    say(text) {
      told.textContent = text;
    },
    next() {
      let free = AT_ONCE - items.filter(({ state }) => state === "sending" || state === "waiting").length;
      for (const item of items) {
        if (free > 0 && item.state === "queued") {
          free -= 1;
          item.start();
        }
      }
    },
    ended() {
      page.next();
      page.refresh();
    },
    removed(item) {
      const place = items.indexOf(item);
      items = items.filter((each) => each !== item);
      item.node.remove();
      (items[Math.min(place, items.length - 1)]?.node.querySelector("button") ?? choose).focus();
      page.changed();
    },
    refresh: () => ask({ kind: "refresh" }),
    changed: () => update(),
  };

  const input = element("input", { type: "file", multiple: true, hidden: true, "aria-label": "Fichiers" });
  const choose = element("button", { type: "button", class: "wb-button", onclick: () => input.click() }, "Choisir des fichiers…");
  const zone = element("div", { class: "wb-depot-zone" }, choose, " ", element("span", { class: "wb-hint" }, "ou déposez-les ici"), input);
  const name = unique("pour");
  // Sharing is a choice: what nobody chose stays in its space.
  const own = element("input", { type: "radio", name, checked: true });
  const shared = element("input", { type: "radio", name });
  const ownText = element("span");
  const batch = element("input", { id: unique("lot"), class: "wb-input", type: "text", maxlength: 100, autocomplete: "off" });
  const list = element("ul", { class: "wb-depot-list" });
  const send = element("button", { type: "button", class: "wb-button wb-primary" });
  form.append(
    element("h2", {}, "Envoyer des fichiers"),
    element(
      "fieldset",
      { class: "wb-depot-choice" },
      element("legend", {}, "Qui pourra les lire"),
      element("label", { class: "wb-check" }, own, ownText),
      element("label", { class: "wb-check" }, shared, "Tous les utilisateurs de la plateforme (espace partagé)"),
    ),
    element("div", { class: "wb-field" }, element("label", { for: batch.id }, "Lot (facultatif)"), batch),
    zone,
    list,
    send,
  );

  const chosen = () => items.filter(({ state }) => state === "chosen");
  function update() {
    const count = chosen().length;
    const what = count > 1 ? `Envoyer ${count} fichiers` : "Envoyer le fichier";
    send.textContent = `${what} dans ${own.checked ? "votre espace privé" : "l'espace partagé"}`;
    send.hidden = !count;
  }
  function add(files) {
    for (const file of files) {
      const item = sending(file, model.get("place"), page);
      items.push(item);
      list.append(item.node);
    }
    update();
    if (files.length && chosen().length) send.focus();
  }
  send.addEventListener("click", () => {
    const choice = { private: own.checked, batch: batch.value.trim() };
    const begun = chosen();
    begun.forEach((item) => item.begin(choice));
    begun[0]?.node.querySelector("button")?.focus();
  });
  for (const each of [shared, own]) each.addEventListener("change", update);
  input.addEventListener("change", () => {
    add([...input.files]);
    input.value = "";
  });
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.dataset.over = "true";
  });
  zone.addEventListener("dragleave", () => delete zone.dataset.over);
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    delete zone.dataset.over;
    add([...event.dataTransfer.files]);
  });
  const online = () => items.forEach((item) => item.online());
  const leaving = (event) => {
    if (items.some(({ state }) => ["queued", "sending", "waiting"].includes(state))) event.preventDefault();
  };
  window.addEventListener("online", online);
  window.addEventListener("beforeunload", leaving);

  function showPlace() {
    const place = model.get("place");
    form.hidden = past.hidden = !place.endpoint;
    ownText.textContent = `Votre espace seulement (${place.space ?? ""})`;
  }
  function showNotices() {
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
  }
  const again = element("button", { type: "button", class: "wb-button wb-small", onclick: () => page.refresh() }, "Actualiser");
  const head = element("div", { class: "wb-depot-head" }, element("h2", {}, "Envois précédents de votre espace"), again);
  const arrivals = element("div", { class: "wb-depot-scroll", tabindex: 0, role: "region", "aria-label": "Envois précédents, tableau" });
  past.append(head, arrivals);
  function showArrivals() {
    const { rows, more } = model.get("arrivals");
    const moving = new Set(items.filter(({ state }) => ["sending", "waiting"].includes(state)).map((item) => item.address()));
    if (!rows.length) {
      arrivals.replaceChildren(element("p", { class: "wb-hint" }, "Aucun envoi pour le moment."));
      return;
    }
    const cells = (row) => [
      element("th", { scope: "row" }, row.name),
      element("td", {}, element("time", { datetime: row.date }, new Date(row.date).toLocaleString("fr-FR", { dateStyle: "short", timeStyle: "short" }))),
      element("td", { class: "wb-depot-number" }, row.size === null ? "" : sized(row.size)),
      element("td", {}, row.private ? "Espace privé" : "Espace partagé"),
      element("td", {}, row.sender),
      row.state === "arriving" && moving.has(row.id)
        ? element("td", {}, "En cours d'envoi")
        : element("td", { "data-state": row.state }, element("strong", {}, row.label), row.detail ? element("span", { class: "wb-hint" }, row.detail) : null),
    ];
    arrivals.replaceChildren(
      element(
        "table",
        { class: "wb-depot-table" },
        element("thead", {}, element("tr", {}, ...["Fichier", "Commencé", "Taille", "Pour", "Par", "État"].map((text) => element("th", { scope: "col" }, text)))),
        element("tbody", {}, ...rows.map((row) => element("tr", {}, ...cells(row)))),
      ),
      more ? element("p", { class: "wb-hint" }, `${more} envois plus anciens ne sont pas montrés.`) : "",
    );
  }
  model.on("change:place", showPlace);
  model.on("change:notices", showNotices);
  model.on("change:arrivals", showArrivals);
  forgetOld();
  showPlace();
  showNotices();
  showArrivals();
  update();
  return () => {
    window.removeEventListener("online", online);
    window.removeEventListener("beforeunload", leaving);
  };
}

export default { render };
