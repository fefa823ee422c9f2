// The blocks of a sheet: facts, sentences, tables, charts, a map. What is shown was decided and written before.

function render({ model, el }) {
  el.classList.add("wb", "wb-sheet");
  const ask = channel(model, el);
  const NUMBER = /^[−+]?\d/;
  const shown = new Map();
  const paper = onPaper(model, el, { boxes: () => [...el.querySelectorAll(".wb-chart")].filter((box) => box.figure) });

  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        seen.unobserve(entry.target);
        draw(entry.target);
      }
    },
    { rootMargin: "300px" },
  );
  async function draw(box) {
    try {
      const library = await plotly(model);
      const { data, layout, config } = box.figure;
      if (box.isConnected && !box.data) await library.newPlot(box, data, { ...layout }, { ...config, ...CONFIG });
    } catch {
      forget();
      box.replaceChildren(element("p", { class: "wb-hint" }, "Le graphique n'a pas pu être chargé ; le tableau donne les mêmes chiffres."));
    }
  }

  function cellOf(cell, tag = "td") {
    const { text, tone, address } = typeof cell === "string" ? { text: cell } : cell;
    const attributes = { "data-tone": tone || null, class: tag === "td" && NUMBER.test(text) && !address ? "wb-number" : null };
    if (tag === "th") attributes.scope = "row";
    return element(tag, attributes, address ? element("a", { href: address }, text) : text);
  }
  function tableOf({ caption, heads, rows }) {
    // A column of numbers is set to the right, its heading too.
    const right = heads.map((_, place) => place > 0 && rows.some((row) => NUMBER.test(typeof row[place] === "string" ? row[place] : (row[place]?.text ?? "")) && !row[place]?.address));
    return element(
      "div",
      { class: "wb-scroll", tabindex: "0", role: "region", "aria-label": caption || "Tableau" },
      element(
        "table",
        { class: "wb-sheet-table" },
        caption ? element("caption", {}, caption) : null,
        heads.some(Boolean)
          ? element("thead", {}, element("tr", {}, heads.map((head, place) => (head ? element("th", { scope: "col", class: right[place] ? "wb-number" : null }, head) : element("td", {})))))
          : null,
        element("tbody", {}, rows.map(([first, ...rest]) => element("tr", {}, cellOf(first, "th"), rest.map((each) => cellOf(each))))),
      ),
    );
  }
  function chartOf(item) {
    const box = element("div", { class: "wb-chart", role: "figure", "aria-label": item.alternative });
    box.style.minHeight = `${item.layout.height ?? 320}px`;
    box.figure = item;
    seen.observe(box);
    if (!item.rows) return box;
    const { head, body } = item.rows;
    return element(
      "div",
      { class: "wb-chart-figures" },
      box,
      element("details", { class: "wb-chart-rows" }, element("summary", {}, "Les chiffres du graphique"), tableOf({ caption: "", heads: head, rows: body })),
    );
  }
  function mapOf(item) {
    const { svg, show } = departementMap(model.get("outlines"), () => {});
    show({ places: [], description: item.description });
    for (const code of item.areas) for (const area of svg.querySelectorAll(`[data-code="${code}"]`)) area.classList.add("wb-area-here");
    for (const point of item.points) {
      svg.append(shape("circle", { cx: point.x, cy: point.y, r: point.main ? 9 : 6, class: point.main ? "wb-place wb-place-main" : "wb-place" }, shape("title", {}, point.name)));
    }
    return element("figure", { class: "wb-sheet-map" }, svg, element("figcaption", { class: "wb-hint" }, item.description));
  }
  function itemOf(item) {
    switch (item.kind) {
      case "facts":
        return element("dl", { class: "wb-sheet-facts" }, item.pairs.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
      case "table":
        return tableOf(item);
      case "chart":
        return chartOf(item);
      case "map":
        return mapOf(item);
      default:
        return element("p", { class: "wb-said-of", "data-tone": item.tone }, item.text);
    }
  }
  function ordersOf(block) {
    if (!block.orders) return null;
    const id = unique("order");
    return element(
      "div",
      { class: "wb-sheet-order" },
      element("label", { for: id }, "Trier par"),
      element("select", { id, class: "wb-input", onchange: (event) => ask({ kind: "sort", value: event.target.value }) }, block.orders.map((each) => element("option", { value: each.value, selected: each.value === block.order }, each.label))),
    );
  }
  function blockOf(block) {
    const id = unique(block.name);
    return element(
      "section",
      { class: block.wide ? "wb-block wb-block-wide" : "wb-block", "aria-labelledby": id, "data-name": block.name },
      element("h2", { class: "wb-title", id }, block.title),
      block.about
        ? element("details", { class: "wb-help" }, element("summary", { "aria-label": `Aide : ${block.title}` }, "?"), element("p", {}, block.about))
        : null,
      ordersOf(block),
      block.items.map(itemOf),
    );
  }

  // Only the blocks that changed are made again: what is open, or drawn, stays.
  function update() {
    const focused = document.activeElement?.closest?.("[data-name]")?.dataset.name;
    const inside = el.contains(document.activeElement) ? document.activeElement.tagName : "";
    const kept = model.get("blocks").map((block) => {
      const words = JSON.stringify(block);
      if (shown.get(block.name)?.words !== words) shown.set(block.name, { words, node: blockOf(block) });
      return shown.get(block.name).node;
    });
    const gone = [...el.children].filter((each) => !kept.includes(each));
    for (const box of gone.flatMap((each) => [...each.querySelectorAll(".wb-chart")])) {
      seen.unobserve(box);
      if (box.data) window.Plotly?.purge(box);
    }
    gone.forEach((each) => each.remove());
    kept.forEach((node, place) => {
      if (el.children[place] !== node) el.insertBefore(node, el.children[place] ?? null);
    });
    paper.changed();
    if (focused && inside === "SELECT" && !el.contains(document.activeElement)) el.querySelector(`[data-name="${focused}"] select`)?.focus();
  }
  model.on("change:blocks", update);
  update();
  return () => {
    seen.disconnect();
    paper.leave();
  };
}

export default { render };
