// A text field that proposes as one types, after the ARIA pattern "combobox with a listbox popup".
// What was picked stays in the field, unless `kept` is false: a list beside it then shows what was picked.

function combobox({ label, hint, search, choose, empty = "Aucune collectivité ne répond à cette recherche.", kept = true }) {
  const id = unique("combobox");
  const input = element("input", {
    id,
    class: "wb-input",
    type: "text",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": `${id}-list`,
    "aria-describedby": `${id}-hint`,
  });
  const list = element("ul", { id: `${id}-list`, class: "wb-listbox", role: "listbox", "aria-label": label, hidden: true });
  const status = element("p", { class: "wb-sr", role: "status" });
  const node = element(
    "div",
    { class: "wb-field wb-combobox" },
    element("label", { for: id }, label),
    element("p", { id: `${id}-hint`, class: "wb-hint" }, hint),
    element("div", { class: "wb-combobox-body" }, input, list),
    status,
  );

  let options = [];
  let active = -1;
  let chosen = "";
  let question = 0;
  let timer = null;
  let typed = false;

  const isOpen = () => !list.hidden;
  function close() {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
  // The output of a cell hides what goes beyond it: near its end, proposals open upwards where there is more room.
  function place() {
    list.classList.remove("wb-up");
    const frame = node.closest(".wb-lab, .wb-editor")?.getBoundingClientRect();
    const field = input.getBoundingClientRect();
    const below = frame ? frame.bottom - field.bottom : Infinity;
    list.classList.toggle("wb-up", list.offsetHeight + 4 > below && field.top - frame.top > below);
  }
  function activate(index) {
    active = index;
    [...list.children].forEach((item, position) => {
      item.setAttribute("aria-selected", String(position === index));
      if (position === index) {
        input.setAttribute("aria-activedescendant", item.id);
        item.scrollIntoView({ block: "nearest" });
      }
    });
  }
  function pick(index) {
    const option = options[index];
    if (!option) return;
    // An answer that is still on its way would open the list again.
    clearTimeout(timer);
    question += 1;
    typed = false;
    chosen = input.value = kept ? option.label : "";
    close();
    choose(option.value);
  }
  function ask() {
    clearTimeout(timer);
    question += 1;
    search(input.value, question);
  }
  function show(found, answered) {
    if (answered !== question || document.activeElement !== input) return;
    options = found;
    list.replaceChildren(
      ...found.map((option, index) =>
        element(
          "li",
          {
            id: `${id}-${index}`,
            role: "option",
            "aria-selected": "false",
            // At the press, not at the release: other proposals may come between the two. The focus stays in the field.
            onmousedown: (event) => {
              event.preventDefault();
              if (event.button === 0) pick(index);
            },
            // What a screen reader sends.
            onclick: () => pick(index),
          },
          element("span", { class: "wb-option-label" }, option.label),
          element("span", { class: "wb-option-detail" }, option.detail),
        ),
      ),
    );
    active = -1;
    input.removeAttribute("aria-activedescendant");
    if (!found.length) {
      list.append(element("li", { class: "wb-empty", role: "option", "aria-disabled": "true" }, empty));
    }
    list.hidden = false;
    place();
    input.setAttribute("aria-expanded", "true");
    const count = found.length;
    status.textContent = count
      ? `${count} proposition${count > 1 ? "s" : ""} ; flèches pour parcourir, Entrée pour choisir.`
      : "Aucune proposition.";
  }

  input.addEventListener("input", () => {
    typed = true;
    clearTimeout(timer);
    timer = setTimeout(ask, 120);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen()) return ask();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (options.length) activate((active + step + options.length + (active < 0 && step < 0 ? 1 : 0)) % options.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (isOpen()) pick(active < 0 && options.length === 1 ? 0 : active);
      else ask();
    } else if (event.key === "Escape" && isOpen()) {
      event.preventDefault();
      close();
    }
    return undefined;
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => {
    if (!isOpen()) ask();
  });
  input.addEventListener("blur", () => {
    clearTimeout(timer);
    typed = false;
    close();
    input.value = chosen;
  });

  return {
    node,
    input,
    show,
    setValue(text) {
      chosen = text;
      // What is being typed stays, though the page changes meanwhile.
      if (document.activeElement !== input || (!isOpen() && !typed)) input.value = text;
    },
  };
}
