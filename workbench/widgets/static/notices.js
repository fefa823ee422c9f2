// Messages to the analyst: what was done, what was refused, and what to do.

function notes(given) {
  return given.map((each) =>
    element(
      "div",
      { class: "wb-notice", "data-kind": each.kind },
      each.message.split("\n").map((line) => element("p", {}, line)),
      each.hint ? element("p", { class: "wb-soft" }, each.hint) : null,
    ),
  );
}
