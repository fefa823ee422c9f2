// Shared by the screens of companies: pictograms with a text, dialogs of choices, chips.

const SHAPES = {
  eleve: "M12 2.6 23 21.5H1Zm-1.1 6.9.4 6h1.4l.4-6Zm1.1 7.4a1.25 1.25 0 1 0 0 2.5 1.25 1.25 0 0 0 0-2.5Z",
  modere: "M12 1.5a10.5 10.5 0 1 0 0 21 10.5 10.5 0 0 0 0-21Zm-.1 4.8c2.2 0 3.8 1.3 3.8 3.2 0 1.5-.8 2.2-1.7 2.9-.8.6-1 .9-1 1.9h-2c0-1.9.6-2.6 1.6-3.4.7-.5 1-.8 1-1.3 0-.8-.7-1.3-1.7-1.3-.9 0-1.6.5-1.9 1.5l-1.9-.6c.5-1.9 1.9-2.9 3.8-2.9Zm0 9.3a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6Z",
  aucun: "M12 1.5a10.5 10.5 0 1 0 0 21 10.5 10.5 0 0 0 0-21Zm5.3 7.3-6.6 8.1-4.2-4 1.4-1.5 2.6 2.5 5.2-6.4Z",
  interdit: "M12 1.8a5.2 5.2 0 0 0-5.2 5.2v3H5v12h14V10h-1.8V7A5.2 5.2 0 0 0 12 1.8Zm0 2.2a3 3 0 0 1 3 3v3H9V7a3 3 0 0 1 3-3Zm0 9.5a1.7 1.7 0 0 1 .9 3.1v2.4h-1.8v-2.4a1.7 1.7 0 0 1 .9-3.1Z",
  perimetre: "M12 1.5a10.5 10.5 0 1 0 0 21 10.5 10.5 0 0 0 0-21Zm0 2a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17Zm0 3.2c2 0 3.5 1.2 3.5 3 0 1.3-.7 2-1.5 2.6-.8.6-1 .9-1 1.7h-1.9c0-1.7.6-2.4 1.5-3 .6-.5.9-.8.9-1.2 0-.7-.6-1.2-1.5-1.2s-1.5.5-1.7 1.4l-1.8-.6c.4-1.7 1.7-2.7 3.5-2.7Zm0 8.5a1.2 1.2 0 1 1 0 2.4 1.2 1.2 0 0 1 0-2.4Z",
  defaillance: "M11 2h2v2h6v2h-1.6l3.6 8a4 4 0 0 1-8 0l3.5-8H13v13h4v2H7v-2h4V6H7.5l3.5 8a4 4 0 0 1-8 0l3.6-8H5V4h6Zm-4 6.3L4.8 13.5h4.4Zm10 0-2.2 5.2h4.4Z",
  hausse: "M12 3 21 13h-6v8H9v-8H3Z",
  baisse: "M12 21 3 11h6V3h6v8h6Z",
  stable: "M3 8h18v3H3Zm0 5.5h18v3H3Z",
  oui: "M12 1.5a10.5 10.5 0 1 0 0 21 10.5 10.5 0 0 0 0-21Zm1 4.5v6.3l4.2 2.5-1 1.7-5.2-3.1V6Z",
  non: "M12 1.5a10.5 10.5 0 1 0 0 21 10.5 10.5 0 0 0 0-21Zm0 2a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17ZM7 11h10v2H7Z",
  inconnu: "M5 10a2 2 0 1 1 0 4 2 2 0 0 1 0-4Zm7 0a2 2 0 1 1 0 4 2 2 0 0 1 0-4Zm7 0a2 2 0 1 1 0 4 2 2 0 0 1 0-4Z",
  etoile: "m12 2 3 6.7 7.3.7-5.5 4.9 1.6 7.2L12 17.7l-6.4 3.8 1.6-7.2L1.7 9.4 9 8.7Z",
};

// A shape says nothing by itself: a text beside it, or `label`, does.
function icon(name, label = "", extra = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `wb-icon ${extra}`);
  svg.setAttribute("data-shape", name);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = label;
    svg.append(title);
  } else svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SHAPES[name]);
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}

function option(choice) {
  return element("option", { value: choice.value }, choice.label);
}

// The options of a select, in groups when they have some; what is chosen stays.
function fillSelect(node, choices, value) {
  const parts = [];
  for (const choice of choices) {
    if (!choice.group) parts.push(option(choice));
    else if (parts.at(-1)?.label === choice.group) parts.at(-1).append(option(choice));
    else parts.push(element("optgroup", { label: choice.group }, option(choice)));
  }
  node.replaceChildren(...parts);
  node.value = value;
}

function selectField(label, choose) {
  const id = unique("select");
  const node = element("select", { id, class: "wb-input", onchange: () => choose(node.value) });
  return { node, field: element("div", { class: "wb-field" }, element("label", { for: id }, label), node) };
}

function checkField(label, choose) {
  const node = element("input", { type: "checkbox", onchange: () => choose(node.checked) });
  return { node, field: element("label", { class: "wb-radio" }, node, element("span", {}, label)) };
}

// Several among many, in a dialog: nothing changes until « Appliquer ».
function severalField(label, { apply, all = "Tout sélectionner", none = "Tout désélectionner" }) {
  const id = unique("several");
  let choices = [];
  const boxes = element("div", { class: "wb-boxes" });
  const inputs = () => [...boxes.querySelectorAll("input")];
  const set = (checked) => inputs().forEach((each) => { each.checked = checked; });
  const dialog = element(
    "dialog",
    { class: "wb-dialog", "aria-labelledby": `${id}-title` },
    element(
      "form",
      {
        method: "dialog",
        onsubmit: () => apply(inputs().filter((each) => each.checked).map((each) => each.value)),
      },
      element("h3", { id: `${id}-title` }, label),
      element(
        "div",
        { class: "wb-bar" },
        element("button", { type: "button", class: "wb-link", onclick: () => set(true) }, all),
        element("button", { type: "button", class: "wb-link", onclick: () => set(false) }, none),
      ),
      boxes,
      element(
        "div",
        { class: "wb-bar wb-dialog-end" },
        element("button", { type: "button", class: "wb-button", onclick: () => dialog.close() }, "Annuler"),
        element("button", { type: "submit", class: "wb-button wb-primary" }, "Appliquer"),
      ),
    ),
  );
  const said = element("span", { class: "wb-said-choice" });
  const button = element(
    "button",
    {
      type: "button",
      class: "wb-input wb-opener",
      "aria-haspopup": "dialog",
      "aria-labelledby": `${id}-label ${id}-said`,
      onclick: () => {
        const chosen = choices.chosen ?? choices.map((each) => each.value);
        boxes.replaceChildren(
          ...choices.map((each) =>
            element(
              "label",
              { class: "wb-radio" },
              element("input", { type: "checkbox", value: each.value, checked: chosen.includes(each.value) }),
              element("span", {}, each.label),
            ),
          ),
        );
        dialog.showModal();
      },
    },
    said,
  );
  said.id = `${id}-said`;
  return {
    field: element("div", { class: "wb-field" }, element("span", { class: "wb-like-label", id: `${id}-label` }, label), button, dialog),
    // `chosen` null is all of them.
    update(known, chosen, text) {
      choices = [...known];
      choices.chosen = chosen;
      said.textContent = text;
    },
  };
}

function noticeList(notices) {
  return notices.map((notice) =>
    element(
      "div",
      { class: "wb-notice", "data-kind": notice.kind, role: notice.kind === "erreur" ? "alert" : null },
      element("p", {}, notice.message),
      notice.hint ? element("p", { class: "wb-hint" }, notice.hint) : null,
    ),
  );
}

function pagerOf(turn) {
  const before = element("button", { type: "button", class: "wb-button", onclick: () => turn(-1) }, "Page précédente");
  const after = element("button", { type: "button", class: "wb-button", onclick: () => turn(1) }, "Page suivante");
  const where = element("span", { role: "status" });
  const node = element("nav", { class: "wb-pager", "aria-label": "Pages" }, before, where, after);
  return {
    node,
    update(page, pages, more) {
      node.hidden = page === 0 && !more;
      // A button that is disabled loses the focus: they stay.
      before.setAttribute("aria-disabled", String(page === 0));
      after.setAttribute("aria-disabled", String(!more));
      where.textContent = pages ? `Page ${page + 1} sur ${pages}` : `Page ${page + 1}`;
    },
    allows: (step) => (step < 0 ? before : after).getAttribute("aria-disabled") !== "true",
  };
}
