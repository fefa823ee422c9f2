// The upload page: files that are chosen here go to the server of this page by tus, under the session of its reader.
//
// No token comes here: each request carries the cookie of the session, which this script cannot read, and the proof
// that it comes from one of our pages. The kernel is asked for the list of past uploads, and for nothing else.

const CHUNK = 8 * 1024 * 1024;
const AT_ONCE = 2;
const RETRY_SECONDS = [0, 1, 3, 5, 10, 20, 20, 20, 20, 20];
const REMEMBERED_DAYS = 30;
const WRONG_FOR_GOOD = ["depot_echec", "depot_quarantaine", "depot_espace_indisponible", "depot_illisible"];
const ARRIVED = ["depot_echec", "depot_quarantaine"];

class Refused extends Error {
  constructor(status, code) {
    super(`${status} ${code}`);
    this.status = status;
    this.code = code;
  }
}

const number = new Intl.NumberFormat("fr-FR", { maximumFractionDigits: 1 });

function sized(bytes) {
  let unit = 0;
  while (bytes >= 1000 && unit < 4) {
    bytes /= 1000;
    unit += 1;
  }
  return `${number.format(bytes)}\u00a0${["o", "ko", "Mo", "Go", "To"][unit]}`;
}

function lasting(seconds) {
  if (seconds < 90) return "moins de deux minutes";
  if (seconds < 5400) return `${Math.round(seconds / 60)}\u00a0minutes`;
  return `${Math.round(seconds / 3600)}\u00a0heures`;
}

const proof = () => document.cookie.match(/(?:^|;\s*)_xsrf=([^;]*)/)?.[1] ?? "";

// One file on its way: its row, and the upload behind.
function sending(file, place, page) {
  const own = { state: "chosen", begin, file, node: null, address: () => upload.url?.split("/").pop() };
  let sample = null;
  let fromNetwork = false;
  let known = false;
  let moved = false;

  const upload = new tus.Upload(file, {
    endpoint: new URL(place.endpoint, location.href).href,
    chunkSize: CHUNK,
    overridePatchMethod: true,
    retryDelays: RETRY_SECONDS.map((seconds) => seconds * 1000),
    removeFingerprintOnSuccess: false,
    metadata: {},
    // What is one person's or private is not taken up as another's, nor as public.
    fingerprint: async () =>
      ["depot", place.space, own.choice.private, own.choice.batch, file.name, file.size, file.lastModified].join("\u0000"),
    onBeforeRequest: (request) => request.setHeader("X-XSRFToken", proof()),
    onAfterResponse(request, response) {
      const status = response.getStatus();
      // Otherwise a session that is over, or a server that is ill, would have the whole file sent again.
      if (request.getMethod() === "HEAD" && status >= 300 && status !== 404 && status !== 410) {
        throw new Refused(status, response.getHeader("X-Workbench-Code") ?? "");
      }
      // The address is the server's of this page, by whatever name the service calls itself.
      const header = response.getHeader.bind(response);
      response.getHeader = (name) =>
        name === "Location" && header(name) ? `${place.endpoint}${header(name).split("/").pop()}` : header(name);
    },
    onShouldRetry(error, attempt) {
      const { status, code } = causeOf(error);
      const passing = status === 0 || status === 409 || status === 423 || status === 460 || status >= 500;
      fromNetwork = status === 0;
      if (!passing || WRONG_FOR_GOOD.includes(code)) return false;
      sample = null;
      const seconds = RETRY_SECONDS[attempt];
      const said = status === 0 ? "Connexion coupée" : "Le serveur ne peut pas répondre";
      turn("waiting", `${said} : nouvel essai ${seconds ? `dans ${seconds} s` : "immédiat"}.`);
      return true;
    },
    onChunkComplete() {
      moved = true;
    },
    onProgress(sent, size) {
      const now = performance.now();
      sample ??= { now, sent };
      const rate = ((sent - sample.sent) / (now - sample.now)) * 1000;
      const left = now - sample.now > 3000 && rate > 0 ? `, encore ${lasting((size - sent) / rate)}` : "";
      bar.value = size ? sent / size : 1;
      const checked = sent === size ? "contrôle du fichier…" : `${sized(sent)} sur ${sized(size)}${left}`;
      turn("sending", `${size ? Math.floor((100 * sent) / size) : 100}\u00a0% : ${checked}`);
    },
    onSuccess() {
      bar.value = 1;
      turn("done", known && !moved ? "Déjà arrivé : il n'a pas été envoyé une seconde fois." : "Arrivé en entier.");
      page.ended(own);
    },
    onError(error) {
      const cause = causeOf(error);
      turn(ARRIVED.includes(cause.code) ? "kept" : "stopped", sentence(cause));
      if (cause.status === 401) {
        status.append(" ", element("a", { href: place.login, target: "_blank", rel: "noopener" }, "Se connecter"));
      }
      page.ended(own);
    },
  });

  function causeOf(error) {
    const response = error.originalResponse;
    if (error.causingError instanceof Refused) return error.causingError;
    let detail = "";
    try {
      detail = JSON.parse(response.getBody()).detail;
    } catch {
      // No body, or a proxy's.
    }
    return { status: response?.getStatus() ?? 0, code: response?.getHeader("X-Workbench-Code") ?? "", detail };
  }

  function sentence({ status, code, detail }) {
    if (status === 0) return "La connexion est coupée. Ce qui est arrivé est gardé : l'envoi reprendra où il en est.";
    if (status === 401) return "Votre session est terminée. Connectez-vous de nouveau, puis reprenez l'envoi.";
    return detail || place.sentences[code] || `Le serveur refuse l'envoi (réponse ${status}).`;
  }

  const bar = element("progress", { max: 1, value: 0, "aria-label": `Envoi de ${file.name}`, hidden: true });
  const status = element("p", { class: "wb-depot-status" });
  const buttons = element("div", { class: "wb-bar" });
  const tag = element("span", { class: "wb-hint" });
  own.node = element(
    "li",
    { class: "wb-depot-file" },
    element("p", { class: "wb-depot-name" }, element("strong", {}, file.name), " ", tag),
    bar,
    status,
    buttons,
  );

  const ACTIONS = {
    suspend: ["Suspendre", suspend],
    resume: ["Reprendre", resume],
    again: ["Réessayer", resume],
    drop: ["Abandonner", drop],
    remove: ["Retirer", remove],
  };
  const OFFERED = {
    chosen: ["remove"],
    queued: ["suspend"],
    sending: ["suspend"],
    waiting: ["suspend"],
    paused: ["resume", "drop"],
    stopped: ["again", "drop"],
    done: ["remove"],
    kept: ["remove"],
    refused: ["remove"],
  };

  function turn(state, said) {
    const changed = own.state !== state || !buttons.childElementCount;
    own.state = state;
    own.node.dataset.state = state;
    status.replaceChildren(said);
    bar.hidden = ["chosen", "refused", "done", "kept"].includes(state);
    if (!changed) return;
    const focused = buttons.contains(document.activeElement);
    buttons.replaceChildren(
      ...OFFERED[state].map((name) => {
        const [label, onclick] = ACTIONS[name];
        return element("button", { type: "button", class: "wb-button wb-small", "aria-label": `${label} : ${file.name}`, onclick }, label);
      }),
    );
    if (focused) buttons.firstElementChild?.focus();
    if (["done", "kept", "stopped", "refused", "paused", "waiting"].includes(state)) page.say(`${file.name} : ${said}`);
    page.changed();
  }

  function begin(choice) {
    own.choice = choice;
    tag.textContent = `${sized(file.size)} · ${choice.private ? "espace privé" : "espace partagé"}`;
    upload.options.metadata = {
      filename: file.name,
      ...(file.type ? { filetype: file.type } : {}),
      ...(choice.private ? { private: "true" } : {}),
      ...(choice.batch ? { batch: choice.batch } : {}),
    };
    queue();
  }

  function queue() {
    turn("queued", "En attente.");
    page.next();
  }

  own.start = async () => {
    turn("sending", "Préparation…");
    sample = null;
    if (upload.url === null) {
      const [before] = await upload.findPreviousUploads();
      known = before !== undefined;
      if (before) upload.resumeFromPreviousUpload(before);
    }
    // She may have suspended it meanwhile.
    if (own.state === "sending") upload.start();
  };

  async function suspend() {
    const state = own.state;
    await upload.abort();
    turn("paused", state === "queued" ? "Suspendu." : "Suspendu : ce qui est arrivé est gardé.");
    page.next();
  }

  function resume() {
    fromNetwork = false;
    queue();
  }

  // The link is back: no need to wait for the next attempt.
  own.online = () => {
    if (own.state === "waiting") upload.abort().then(queue);
    else if (own.state === "stopped" && fromNetwork) queue();
  };

  async function drop() {
    try {
      await upload.abort(true);
    } catch {
      // The server removes by itself what stays unfinished.
    }
    remove();
    page.refresh();
  }

  function remove() {
    page.removed(own);
  }

  tag.textContent = sized(file.size);
  if (file.size > place.largest) {
    turn("refused", `Ce fichier dépasse la taille admise, ${sized(place.largest)}. Découpez-le.`);
  } else {
    turn("chosen", "À envoyer.");
  }
  return own;
}

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
  const shared = element("input", { type: "radio", name, checked: true });
  const own = element("input", { type: "radio", name });
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
      element("label", { class: "wb-check" }, shared, "Tous les utilisateurs de la plateforme (espace partagé)"),
      element("label", { class: "wb-check" }, own, ownText),
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
