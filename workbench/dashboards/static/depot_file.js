// One file of the upload page, which goes to the server of this page by tus, under the session of its reader.
//
// No token comes here: each request carries the cookie of the session, which this script cannot read, and the proof
// that it comes from one of our pages.

const CHUNK = 8 * 1024 * 1024;
const RETRY_SECONDS = [0, 1, 3, 5, 10, 20, 20, 20, 20, 20];
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
