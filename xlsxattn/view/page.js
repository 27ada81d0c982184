// Draws the sheets: tables, heat maps, and the details of the chosen cell.
const [data, words] = ["data", "words"].map((id) => JSON.parse(document.getElementById(id).textContent));
const NEVER = -1e299, LARGE = 1e5, MAX_DRAWN = 5000;

// translates a text and inserts its values; page.py extracts the texts from these calls
function say(text, values = {}) {
  return (words[text] ?? text).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function element(tag, options = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(options)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function shown(value, range) {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "TRUE" : "FALSE";
  if (typeof value !== "number") return value;
  if (value <= NEVER) return "−∞";
  const wide = Math.abs(value) >= LARGE || (range.scientific && value !== 0);
  return (wide ? exponential(value) : fixed(value, range.digits)).replace(/-/g, "−");
}

// rounded as in spreadsheets: half up, from 15 significant digits
function fixed(value, digits) {
  const whole = Math.round(Math.abs(value) * 10 ** digits * (1 + 1e-15));
  return (value < 0 && whole ? "-" : "") + (whole / 10 ** digits).toFixed(digits);
}

function exponential(value) {
  const [digits, power] = value.toExponential(1).split("e");
  return `${digits}E${power[0]}${power.slice(1).padStart(2, "0")}`;
}

// The value of a range at a place; the live page replaces it.
let valueAt = (range, row, col) => range.values[row][col];
let largest = (range) => range.largest;

function dress(cell, value, range) {
  cell.toggleAttribute("data-text", typeof value === "string");
  if (!range.heat) return;
  ["never", "full", "cold", "warm"].forEach((name) => cell.removeAttribute(`data-${name}`));
  if (typeof value !== "number") return;
  if (value <= NEVER) { cell.dataset.never = ""; return; }
  const strength = Math.max(-1, Math.min(1, value / largest(range)));
  const kind = range.heat === "weights" ? "full" : strength < 0 ? "cold" : "warm";
  cell.dataset[kind] = "";
  cell.style.setProperty("--heat", Math.abs(range.heat === "weights" ? Math.max(0, strength) : strength).toFixed(4));
}

function label(labels, index) { return labels[index] ?? String(index + 1); }

const rangeOf = (name) => data.ranges[name] ?? data.labels[name];

// A heading; it can be chosen if its words are typed in a range of the workbook.
function heading(scope, labels, index, source) {
  const made = element("th", { scope }, label(labels, index)), from = rangeOf(source);
  if (from) {
    const across = from.shape[0] === 1;
    Object.assign(made.dataset, { [data.ranges[source] ? "range" : "label"]: source, row: across ? 0 : index, col: across ? index : 0 });
    if (from.role === "input") made.dataset.input = "";
  }
  return made;
}

function size(range) {
  return say("{rows} × {cols}, {place}", { rows: range.shape[0], cols: range.shape[1], place: range.cell });
}

function numbers(count) { return Array.from({ length: count }, (_, index) => index); }

function table(figure, id) {
  const range = data.ranges[figure.main], names = [figure.main, ...figure.sides];
  const caption = element("caption", { id: `${id}-caption` });
  if (figure.lane) caption.append(element("span", { class: "lane", "data-lane": figure.lane }, data.lanes[figure.lane]));
  caption.append(element("b", {}, figure.main), " ");
  caption.append(element("span", { class: "place" }, size(range)));
  if (range.formula) caption.append(element("code", {}, range.formula));
  const heads = element("tr", {}, element("td"));
  names.forEach((name) => numbers(data.ranges[name].shape[1]).forEach((j) =>
    heads.append(heading("col", data.ranges[name].cols, j, data.ranges[name].colsFrom))));
  const body = element("tbody");
  numbers(range.shape[0]).forEach((i) => {
    const line = element("tr", {}, heading("row", range.rows, i, range.rowsFrom));
    names.forEach((name, n) => numbers(data.ranges[name].shape[1]).forEach((j) => {
      const value = valueAt(data.ranges[name], i, j);
      const cell = element("td", {}, shown(value, data.ranges[name]));
      Object.assign(cell.dataset, { range: name, row: i, col: j });
      if (data.ranges[name].role === "input") cell.dataset.input = "";
      else if (n) cell.dataset.side = "";
      dress(cell, value, data.ranges[name]);
      line.append(cell);
    }));
    body.append(line);
  });
  const made = element("table", {}, caption, element("thead", {}, heads), body);
  const first = body.querySelector("td");
  if (first) first.tabIndex = 0;
  return element("div", { class: "scroll", role: "group", "aria-labelledby": `${id}-caption` }, made);
}

function fact(name) {
  const range = data.ranges[name], text = shown(valueAt(range, 0, 0), range);
  const mark = text.startsWith("✓") ? "good" : text.startsWith("✗") ? "bad" : "";
  const label = range.label || (mark ? "" : name);
  const value = element("b", { class: mark, tabindex: 0, "data-range": name, "data-row": 0, "data-col": 0 }, text || `(${say("blank")})`);
  if (range.role === "input") value.dataset.input = "";
  return element("li", { title: name }, label && `${label} `, value);
}

function sheet(page) {
  const made = element("section", { id: page.id, "aria-labelledby": `${page.id}-title` },
    element("h2", { id: `${page.id}-title` }, page.title));
  page.lead.forEach((text) => made.append(element("p", {}, text)));
  const cells = page.steps.flatMap(({ figures }) => figures).reduce((sum, { main }) => sum + data.ranges[main].shape[0] * data.ranges[main].shape[1], 0);
  if (cells <= MAX_DRAWN) { fill(made, page); return made; }
  const details = element("details", {}, element("summary", {}, say("{n} numbers", { n: cells })));
  details.addEventListener("toggle", () => { fill(details, page); drawnLater(details); }, { once: true });
  made.append(details);
  return made;
}

// The live page registers the cells of a sheet that is drawn when it is opened.
let drawnLater = () => {};

function fill(made, page) {
  if (page.facts.length) made.append(element("ul", { class: "facts" }, ...page.facts.map(fact)));
  page.steps.forEach((step, i) => {
    made.append(element("h3", {}, step.title));
    step.notes.forEach((text) => made.append(element("p", { class: "note" }, text)));
    const lanes = new Map();
    step.figures.forEach((figure, j) => {
      if (!lanes.has(figure.lane)) lanes.set(figure.lane, element("div"));
      lanes.get(figure.lane).append(table(figure, `${page.id}-${i}-${j}`));
    });
    made.append(element("div", { class: "lanes" }, ...lanes.values()));
  });
  page.closing.forEach((text) => made.append(element("p", { class: "closing" }, text)));
}

function describe(cell) {
  const { range: name, row, col } = cell.dataset, range = data.ranges[name];
  const value = valueAt(range, +row, +col);
  const full = typeof value === "number" && value > NEVER ? String(value).replace("-", "−") : shown(value, range);
  const values = { name, row: label(range.rows, +row), column: label(range.cols, +col), value: full || say("blank") };
  byId("cell").textContent = range.formula
    ? say("{name}, row {row}, column {column}: {value} by {formula}", { ...values, formula: range.formula })
    : say("{name}, row {row}, column {column}: {value} ({role})", { ...values, role: say(range.role) });
}

function enter(cell) {
  cell.closest("table")?.querySelectorAll("[tabindex]").forEach((other) => other.removeAttribute("tabindex"));
  cell.tabIndex = 0;
  cell.focus();
}

function walk(event) {
  const cell = event.target.closest("td[data-range], th[data-range]");
  if (!cell || event.ctrlKey || event.altKey || event.metaKey) return;
  const line = cell.parentElement, lines = [...line.closest("table").rows], at = cell.cellIndex;
  const places = {
    ArrowLeft: [line, at - 1], ArrowRight: [line, at + 1], Home: [line, 1], End: [line, line.cells.length - 1],
    ArrowUp: [lines[lines.indexOf(line) - 1], at], ArrowDown: [lines[lines.indexOf(line) + 1], at],
  };
  const [row, column] = places[event.key] ?? [];
  if (!places[event.key]) return;
  event.preventDefault();
  const next = row?.cells[column];
  if (next?.dataset.range) enter(next);
}

const byId = (id) => document.getElementById(id);
const sheets = byId("sheets");

function draw() {
  const about = data.values === "saved" ? say("{file}, values as saved in the file", { file: data.file })
    : say("{file}, recalculated by {engine}", { file: data.file, engine: data.values });
  byId("about").textContent = data.why ? `${about}; ${say(data.why)}` : about;
  data.pages.forEach((page) => {
    byId("contents").append(element("li", {}, element("a", { href: `#${page.id}` }, page.title)));
    sheets.append(sheet(page));
  });
  sheets.addEventListener("keydown", walk);
  sheets.addEventListener("focusin", (event) => { if (event.target.dataset.range) describe(event.target); });
  sheets.addEventListener("click", (event) => { const cell = event.target.closest("[data-range]"); if (cell) enter(cell); });
  byId("theme").addEventListener("change", (event) => {
    if (event.target.value) document.documentElement.dataset.theme = event.target.value;
    else delete document.documentElement.dataset.theme;
  });
}
