"use strict";
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const text = document.getElementById("text");
  const kernel = document.getElementById("kernel");
  const boxes = all("input[name=verdict]");
  const rows = all("#matrix tbody tr");
  const programs = all("details.program");

  // What is shown: rows with all words of the text and a wanted verdict, on the chosen kernel or on any.
  function filter() {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const shown = new Set();
    let count = 0;
    for (const row of rows) {
      const verdicts = row.dataset.verdicts.split(" ");
      const asked = kernel.value === "" ? verdicts : [verdicts[Number(kernel.value)]];
      const keep = words.every((word) => row.dataset.text.includes(word)) && asked.some((verdict) => wanted.has(verdict));
      row.hidden = !keep;
      if (keep) {
        count += 1;
        shown.add(row.dataset.program);
      }
    }
    for (const program of programs) program.hidden = !shown.has(program.id);
    for (const cell of all("#matrix [data-kernel]")) cell.hidden = kernel.value !== "" && cell.dataset.kernel !== kernel.value;
    document.getElementById("none").hidden = count > 0;
    document.getElementById("count").textContent = count + " of " + rows.length + " rows";
    settle();
  }

  // The matrix is one stop for Tab; arrow keys move within it (ARIA Authoring Practices, "Grid").
  const links = () => rows.filter((row) => !row.hidden).map((row) => all("a", row).filter((link) => !link.parentElement.hidden));
  let current = null;
  function settle() {
    const grid = links();
    if (!grid.flat().includes(current)) choose(grid.length ? grid[0][0] : null);
  }
  function choose(link) {
    if (current) current.tabIndex = -1;
    current = link;
    if (link) link.tabIndex = 0;
  }
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  document.getElementById("matrix").addEventListener("keydown", (event) => {
    const grid = links();
    const y = grid.findIndex((row) => row.includes(document.activeElement));
    if (y < 0) return;
    const x = grid[y].indexOf(document.activeElement);
    let next = null;
    if (event.key in STEPS) {
      const row = grid[y + STEPS[event.key][0]];
      next = row && row[Math.min(x, row.length - 1) + STEPS[event.key][1]];
    } else if (event.key === "Home") next = grid[y][0];
    else if (event.key === "End") next = grid[y][grid[y].length - 1];
    else return;
    event.preventDefault();
    if (next) {
      choose(next);
      next.focus();
    }
  });
  document.getElementById("matrix").addEventListener("focusin", (event) => {
    if (event.target.matches("a")) choose(event.target);
  });

  // Where a link leads is opened, and gets the focus.
  function open() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.matches("details")) return;
    target.open = true;
    target.querySelector("summary").focus();
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", open);
  document.getElementById("matrix").addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link && link.hash === location.hash) open();
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input[type=search], select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      text.focus();
      text.select();
    } else if (event.key === "Escape" && event.target === text) {
      text.value = "";
      filter();
    }
  });
  document.getElementById("filter").addEventListener("input", filter);
  document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());
  const openAll = (state) => programs.forEach((program) => { program.open = state; });
  document.getElementById("expand").addEventListener("click", () => openAll(true));
  document.getElementById("collapse").addEventListener("click", () => openAll(false));

  // A print shows everything; afterwards it is as before.
  let before = [];
  window.addEventListener("beforeprint", () => {
    before = programs.map((program) => program.open);
    openAll(true);
  });
  window.addEventListener("afterprint", () => programs.forEach((program, index) => { program.open = before[index]; }));

  filter();
  open();
})();
