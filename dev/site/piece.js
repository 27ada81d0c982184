// Added to the live pages of the site: opens a page at the ranges in its address, as in #attn_cat_Scores,attn_cat_Exp.
// In a frame of another page, only the steps of these ranges are shown, and the frame becomes as high as they are.
(() => {
"use strict";
const root = document.documentElement, framed = window.parent !== window;
const MARGIN = 4; // pixels, so that no scroll bar appears

function cells() {
  const names = decodeURIComponent(location.hash.slice(1)).split(",");
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

// Lets the bar above show the attention of the sheet with a cell.
function chooseHead(cell) {
  const id = cell.closest("section").id, select = document.getElementById("head");
  const { tab } = JSON.parse(document.getElementById("data").textContent).pages.find((page) => page.id === id);
  const option = [...(select?.options ?? [])].find(({ text }) => text === tab || text.startsWith(`${tab} · `));
  if (!option) return;
  select.value = option.value;
  select.dispatchEvent(new Event("change"));
}

function fit() {
  try {
    window.frameElement.style.height = `${document.body.offsetHeight + MARGIN}px`;
  } catch { /* a frame of another site keeps its height */ }
}

function show() {
  const found = cells();
  if (!found.length) return;
  chooseHead(found[0]);
  if (!framed) { found[0].closest("table, li").scrollIntoView({ block: "center" }); return; }
  document.querySelectorAll(".kept").forEach((part) => part.classList.remove("kept"));
  found.flatMap(step).forEach((part) => part.classList.add("kept"));
  root.classList.add("piece");
  new ResizeObserver(fit).observe(document.body);
}

new MutationObserver(show).observe(root, { attributeFilter: ["data-ready"] });
window.addEventListener("hashchange", show);
})();
