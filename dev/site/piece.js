// Added to the live pages of the site: opens a page at the ranges in its address, as in #attn_cat_Scores,attn_cat_Exp.
// In a frame of another page, only the steps of these ranges are shown, and the height of the frame is fitted to them.
(() => {
"use strict";
const root = document.documentElement, framed = window.parent !== window;
const MARGIN = 4; // pixels, so that no scroll bar appears

function cells() {
  const names = location.hash.slice(1).split(",");
  return names.map((name) => document.querySelector(`[data-range="${CSS.escape(name)}"]`)).filter(Boolean);
}

// The heading, notes and tables of the step with a cell, and the heading of its sheet.
function step(cell) {
  const tables = cell.closest(".lanes, .facts"), parts = [tables, cell.closest("section").querySelector("h2")];
  for (let part = tables.previousElementSibling; part?.matches("h3, .note"); part = part.previousElementSibling) {
    parts.push(part);
    if (part.matches("h3")) break;
  }
  return parts;
}

// Selects, in the bar above, the head that a range belongs to, or the first one of its sheet.
function chooseHead({ dataset: { range } }, section) {
  const select = document.getElementById("head"), title = section.querySelector("h2").textContent;
  const place = [...range.matchAll(/_[lh](\d+)/g)].map(([, number]) => number).join(); // of the layer and the head
  const options = [...(select?.options ?? [])].filter(({ text }) => text === title || text.startsWith(`${title} · `));
  const chosen = options.find(({ dataset }) => dataset.place === place) ?? options[0];
  if (!chosen) return;
  select.value = chosen.value;
  select.dispatchEvent(new Event("change"));
}

// Scrolls to a node, again while the sheets above it are being laid out.
function reach(node, times = 5) {
  node.scrollIntoView({ block: "center" });
  if (times) requestAnimationFrame(() => reach(node, times - 1));
}

function fit() {
  try {
    window.frameElement.style.height = `${document.body.offsetHeight + MARGIN}px`;
  } catch { /* a frame of another site keeps its height */ }
}

function show() {
  const targets = cells();
  if (!targets.length) return;
  chooseHead(targets[0], targets[0].closest("section"));
  if (!framed) { reach(targets[0].closest("table, li")); return; }
  document.querySelectorAll(".kept").forEach((part) => part.classList.remove("kept"));
  targets.flatMap(step).forEach((part) => part.classList.add("kept"));
  root.classList.add("piece");
  new ResizeObserver(fit).observe(document.body);
}

new MutationObserver(show).observe(root, { attributeFilter: ["data-ready"] });
window.addEventListener("hashchange", show);
})();
