"use strict";
// Draws the charts of a report, and fits them to the paper when it is printed.
(() => {
  Plotly.register({
    moduleType: "locale",
    name: "fr",
    dictionary: {
      "Autoscale": "Échelle automatique",
      "Box Select": "Sélection rectangulaire",
      "Compare data on hover": "Comparer les valeurs",
      "Double-click to zoom back out": "Double-cliquez pour revenir",
      "Download plot": "Enregistrer l’image",
      "Download plot as a PNG": "Enregistrer l’image (PNG)",
      "Lasso Select": "Sélection au lasso",
      "Pan": "Déplacer",
      "Reset": "Rétablir",
      "Reset axes": "Rétablir les axes",
      "Show closest data on hover": "Valeur la plus proche",
      "Snapshot succeeded": "Image enregistrée",
      "Sorry, there was a problem downloading your snapshot!": "L’image n’a pas pu être enregistrée.",
      "Taking snapshot - this may take a few seconds": "Enregistrement de l’image…",
      "Toggle Spike Lines": "Lignes de repère",
      "Zoom": "Agrandir",
      "Zoom in": "Agrandir",
      "Zoom out": "Réduire",
    },
    format: { decimal: ",", thousands: "\u202f", grouping: [3], currency: ["", "\u00a0€"] },
  });
  const SHEET = { width: 500, height: 300, autosize: false }; // half the width of an A4 sheet, landscape
  const paper = location.hash === "#impression";
  const drawn = [];
  for (const figure of document.querySelectorAll("figure.wb-graphique")) {
    const chart = JSON.parse(figure.querySelector("script").textContent);
    const target = figure.querySelector(".wb-trace");
    const config = { ...chart.config, plotlyServerURL: "", topojsonURL: "", responsive: !paper, displayModeBar: paper ? false : "hover" };
    Plotly.newPlot(target, chart.data, paper ? { ...chart.layout, ...SHEET } : chart.layout, config);
    drawn.push([target, chart.layout.height]);
  }
  if (!paper) {
    window.addEventListener("beforeprint", () => drawn.forEach(([target]) => Plotly.relayout(target, SHEET)));
    window.addEventListener("afterprint", () =>
      drawn.forEach(([target, height]) => Plotly.relayout(target, { width: null, height, autosize: true })));
  }
  // Explanations unfold on paper, and take back their state on the screen.
  const unfold = () => {
    for (const details of document.querySelectorAll("details:not([open])")) {
      details.dataset.folded = "";
      // Two levels of an explanation: the comptes below would fill pages.
      details.open = details.matches(".workbench-explication > details, .workbench-explication > details > details");
    }
  };
  if (paper) unfold();
  window.addEventListener("beforeprint", unfold);
  window.addEventListener("afterprint", () => {
    for (const details of document.querySelectorAll("details[data-folded]")) {
      delete details.dataset.folded;
      details.open = false;
    }
  });
})();
