"use strict";
// Sorting and folding. The page is whole without this; nothing here makes text into markup.
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const fold = (open) => () => all(".group, .case").forEach((one) => { one.open = open; });
  document.getElementById("open-all")?.addEventListener("click", fold(true));
  document.getElementById("close-all")?.addEventListener("click", fold(false));

  // A leading number counts as one: "96.7% → 51.7%" sorts by 96.7.
  const key = (row, column) => {
    const text = row.cells[column].textContent.trim();
    const number = parseFloat(text.replace(/[−]/g, "-").replace(/[$,+≈ ]/g, ""));
    return Number.isNaN(number) ? text : number;
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  for (const table of all("table.sortable")) {
    all("thead th", table).forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        all("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows].map((row) => [key(row, column), row]);
        rows.sort((a, b) => direction * compare(a[0], b[0]));
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    });
  }

  // Browsers that cannot unfold by style for paper get it done by hand.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    folded.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((one) => { one.open = false; }));
})();
