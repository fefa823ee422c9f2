// The browser's end of a dashboard: speaks Jupyter's kernel protocol and shows anywidget components.
//
// Voila's own front end is JupyterLab's: four megabytes in ninety files, started once the kernel has finished. This
// one is there at once and connects while the kernel works. It shows modules that follow anywidget's contract; when
// a page holds any other widget it steps aside and loads Voila's.

(() => {
  const session = crypto.randomUUID();
  const decoder = new TextDecoder();
  let socket = null;
  let ready = null;
  let kernel = null;
  let base = "/";
  const models = new Map();
  let control = null;
  let states = null;

  // A page that lost its kernel asks the server why: no session any more, no server, or no kernel.
  async function lost() {
    let why = "La connexion avec le serveur est perdue : il ne répond plus. Réessayez dans quelques minutes.";
    try {
      const answer = await fetch(base, { redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect") why = "Votre session a pris fin. Rechargez la page pour vous reconnecter.";
      else if (answer.ok) why = "La connexion avec le serveur est perdue. Rechargez la page pour continuer.";
    } catch {
      // It does not answer.
    }
    workbench_say(why, "erreur");
  }

  const encoder = new TextEncoder();

  // A message is one binary frame: how many offsets, the offsets, then the channel, four parts of JSON, the buffers.
  function transmit(type, content, metadata = {}) {
    const header = { msg_id: crypto.randomUUID(), username: "", session, date: new Date().toISOString(), msg_type: type, version: "5.3" };
    const parts = ["shell", ...[header, {}, metadata, content].map((part) => JSON.stringify(part))].map((part) => encoder.encode(part));
    const start = 8 * (parts.length + 2);
    const frame = new Uint8Array(parts.reduce((size, part) => size + part.length, start));
    const view = new DataView(frame.buffer);
    view.setUint32(0, parts.length + 1, true);
    let offset = start;
    parts.forEach((part, index) => {
      view.setUint32(8 * (index + 1), offset, true);
      frame.set(part, offset);
      offset += part.length;
    });
    view.setUint32(8 * (parts.length + 1), offset, true);
    socket.send(frame);
  }

  function read(data) {
    const view = new DataView(data);
    const count = view.getUint32(0, true);
    const offsets = Array.from({ length: count }, (_, index) => view.getUint32(8 * (index + 1), true));
    const part = (index) => new DataView(data, offsets[index], offsets[index + 1] - offsets[index]);
    const json = (index) => JSON.parse(decoder.decode(part(index)));
    const buffers = Array.from({ length: Math.max(0, count - 6) }, (_, index) => part(index + 5));
    return { type: json(1).msg_type, content: json(4), buffers };
  }

  class Model {
    constructor(id, state) {
      this.id = id;
      this.state = state;
      this.changed = new Map();
      this.listeners = new Map();
    }
    get(name) {
      return this.state[name];
    }
    set(name, value) {
      this.state[name] = value;
      this.changed.set(name, value);
      this.emit(`change:${name}`);
    }
    save_changes() {
      transmit("comm_msg", { comm_id: this.id, data: { method: "update", state: Object.fromEntries(this.changed), buffer_paths: [] } });
      this.changed.clear();
    }
    send(content) {
      transmit("comm_msg", { comm_id: this.id, data: { method: "custom", content } });
    }
    on(name, listener) {
      if (!this.listeners.has(name)) this.listeners.set(name, new Set());
      this.listeners.get(name).add(listener);
    }
    off(name, listener) {
      if (listener) this.listeners.get(name)?.delete(listener);
      else this.listeners.delete(name);
    }
    emit(name, ...values) {
      for (const listener of [...(this.listeners.get(name) ?? [])]) listener(...values);
    }
    receive(data, buffers) {
      if (data.method === "custom") this.emit("msg:custom", data.content, buffers);
      if (data.method !== "update") return;
      Object.assign(this.state, data.state);
      for (const name of Object.keys(data.state)) this.emit(`change:${name}`);
      this.emit("change");
    }
  }

  function receive(event) {
    const { type, content, buffers } = read(event.data);
    switch (type) {
      case "comm_open":
        if (content.data?.state?._esm) models.set(content.comm_id, new Model(content.comm_id, content.data.state));
        break;
      case "comm_msg":
        if (content.comm_id === control) states?.(content.data.states);
        else models.get(content.comm_id)?.receive(content.data, buffers);
        break;
      case "status":
        if (["dead", "restarting", "terminating"].includes(content.execution_state)) lost();
        break;
    }
  }

  const styled = new Set();
  async function show(model, place) {
    const name = model.get("_anywidget_id");
    if (model.get("_css") && !styled.has(name)) {
      styled.add(name);
      const style = document.createElement("style");
      style.textContent = model.get("_css");
      document.head.append(style);
    }
    const address = URL.createObjectURL(new Blob([model.get("_esm")], { type: "text/javascript" }));
    const module = await import(address);
    URL.revokeObjectURL(address);
    const widget = typeof module.default === "function" ? await module.default() : module.default;
    await widget.initialize?.({ model });
    await widget.render?.({ model, el: place });
  }

  function stepAside() {
    socket.onclose = null;
    socket.close();
    // It starts when the page has loaded, which is done already.
    const listen = window.addEventListener.bind(window);
    window.addEventListener = (type, listener, ...options) => {
      if (type === "load") setTimeout(listener);
      else listen(type, listener, ...options);
    };
    window.cellLoaded = true;
    window.voila_finish = () => document.body.classList.add("wb-ready");
    for (const name of ["voila-style.js", "voila.js"]) {
      const tag = document.createElement("script");
      tag.src = `${base}voila/static/${name}`;
      tag.async = false;
      document.body.append(tag);
    }
  }

  // Called as soon as the kernel has an identifier.
  window.workbench_connect = (address, identifier) => {
    base = address;
    kernel = identifier;
    const url = new URL(`${base}api/kernels/${kernel}/channels?session_id=${session}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    socket = new WebSocket(url, ["v1.kernel.websocket.jupyter.org"]);
    socket.binaryType = "arraybuffer";
    socket.onmessage = receive;
    socket.onclose = lost;
    ready = new Promise((resolve) => {
      socket.onopen = resolve;
    });
  };

  // Called when every cell has run.
  window.workbench_show = async () => {
    const outputs = [...document.querySelectorAll('script[type="application/vnd.voila.cell-output+json"]')];
    const places = outputs.map((script) => ({
      script,
      id: JSON.parse(script.textContent).data?.["application/vnd.jupyter.widget-view+json"]?.model_id,
    }));
    await ready;
    const answer = new Promise((resolve) => {
      states = resolve;
    });
    const ask = () => {
      control = crypto.randomUUID();
      transmit("comm_open", { comm_id: control, target_name: "jupyter.widget.control", data: {} }, { version: "1.0.0" });
      transmit("comm_msg", { comm_id: control, data: { method: "request_states" } });
    };
    ask();
    // A kernel that has just started may lose what it published first.
    const again = setInterval(ask, 5000);
    const known = await answer;
    clearInterval(again);
    for (const [id, model] of Object.entries(known)) {
      if (model.model_module === "anywidget") models.set(id, new Model(id, model.state));
    }
    if (!places.every(({ id }) => models.has(id))) {
      stepAside();
      return;
    }
    window.addEventListener("pagehide", () => {
      socket.onclose = null;
      const form = new FormData();
      form.append("_xsrf", document.cookie.match(/\b_xsrf=([^;]*)/)?.[1] ?? "");
      navigator.sendBeacon(`${base}voila/api/shutdown/${kernel}`, form);
    });
    for (const { script, id } of places) {
      const place = script.parentElement;
      script.remove();
      await show(models.get(id), place);
    }
    document.body.classList.add("wb-ready");
  };
})();

// A sheet of paper says by whose rights, and when: it is read far from here.
window.addEventListener("beforeprint", () => {
  const line = document.getElementById("printed");
  if (!line) return;
  const agent = line.dataset.agent;
  const when = new Date().toLocaleString("fr-FR", { dateStyle: "short", timeStyle: "short" }).replace(" ", " à ");
  const confidential = document.querySelector("[data-confidential]") ? "Document confidentiel. " : "";
  line.textContent = confidential + "Imprimé le " + when + (agent ? " par " + agent + ", selon ses droits." : ".");
});
