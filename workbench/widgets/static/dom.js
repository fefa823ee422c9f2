// Shared by the components: elements without innerHTML, and questions to the kernel that notice when it is gone.

let serial = 0;

function unique(prefix) {
  serial += 1;
  return `wb-${prefix}-${Date.now().toString(36)}-${serial}`;
}

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// A dead kernel answers nothing and says nothing: without this the page would look alive.
const PATIENCE = 20000;

const LOST = "Le serveur ne répond plus. Rechargez la page pour continuer.";

function channel(model, el, lost = LOST) {
  let waiting = null;
  const answered = () => {
    clearTimeout(waiting);
    waiting = null;
    el.removeAttribute("aria-busy");
    el.querySelector(":scope > .wb-lost")?.remove();
  };
  model.on("msg:custom", answered);
  return function ask(message) {
    model.send(message);
    el.setAttribute("aria-busy", "true");
    waiting ??= setTimeout(() => {
      el.removeAttribute("aria-busy");
      el.prepend(element("p", { class: "wb-notice wb-lost", "data-kind": "erreur", role: "alert" }, lost));
    }, PATIENCE);
  };
}

// A file that the kernel gives, saved as any download is.
function saveFile(message, buffers) {
  const address = URL.createObjectURL(new Blob([buffers[0]], { type: message.type }));
  const link = element("a", { href: address, download: message.name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}
