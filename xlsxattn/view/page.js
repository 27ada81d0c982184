// Draws the sheets: tables, heat maps, and the details of the chosen cell.
const byId = (id) => document.getElementById(id);
const parsed = (id) => JSON.parse(byId(id).textContent);
const words = parsed("words"), sheets = byId("sheets");
let data; // as described in page.py
const NEVER = -1e299, LARGE = 1e5, MAX_DRAWN = 5000;

// translates a text and inserts its values; page.py extracts the texts from these calls
function say(text, values = {}) {
  return (words[text] ?? text).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function element(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(options)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function shown(value, range) {
  return around(plain(value, range), range);
}

function around(text, { pattern }) { return pattern && text ? pattern.replace("@", () => text) : text; }

function plain(value, range) {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "TRUE" : "FALSE";
  if (typeof value !== "number") return value;
  if (value <= NEVER) return "−∞";
  const wide = Math.abs(value) >= LARGE || (range.scientific && value !== 0);
  const inUnits = range.pattern === "@%" ? 100 * value : value;
  return (wide ? exponential(value) : fixed(inUnits, range.digits)).replace(/-/g, "−");
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

// Functions that the live page replaces: a cell's value, the number with the full colour, labels, sentences, registration.
let valueAt = (range, row, col) => range.values[row][col];
let largest = (range) => range.largest;
let labelsOf = (range, side) => range[side];
let laneOf = (context) => data.lanes[context];
let keep = () => {};

// The colour of a number: its kind, and its strength from 0 to 1.
function colourOf(value, range) {
  if (typeof value === "string") return ["text", 0];
  if (!range.heat || typeof value !== "number") return ["", 0];
  if (value <= NEVER) return ["never", 0];
  const strength = Math.max(range.heat === "diverging" ? -1 : 0, Math.min(1, value / largest(range)));
  const full = { weights: "full", chances: "chance" }[range.heat];
  return [full ?? (strength < 0 ? "below" : "above"), Math.abs(strength)];
}

function dress(cell, value, range) {
  const [kind, strength] = colourOf(value, range), heat = strength.toFixed(3);
  if (cell.heat === heat && cell.kind === kind) return;
  if (cell.kind !== kind) cell.dataset.look = kind;
  if (cell.heat !== heat) cell.style.setProperty("--heat", heat);
  Object.assign(cell, { heat, kind });
}

function label(labels, index) { return labels[index] ?? String(index + 1); }

const rangeOf = (name) => data.ranges[name] ?? data.labels[name];

// A heading; it can be chosen if its words are typed in a range of the workbook.
function heading(scope, labels, index, source) {
  const node = element("th", { scope }, label(labels, index)), from = rangeOf(source);
  if (from) {
    const across = from.shape[0] === 1, [row, col] = across ? [0, index] : [index, 0];
    Object.assign(node.dataset, { [data.ranges[source] ? "range" : "label"]: source, row, col });
    if (from.role === "input") node.dataset.input = "";
    keep(node, source, row, col);
  }
  return node;
}

function size(range) {
  return say("{rows} × {cols}, {place}", { rows: range.shape[0], cols: range.shape[1], place: range.cell });
}

function indices(count) { return Array.from({ length: count }, (_, index) => index); }

// The sentence of a figure, and the name, place and formula of its range.
function captionOf(tag, figure, id) {
  const range = data.ranges[figure.main], caption = element(tag, { id: `${id}-caption` });
  if (figure.lane) caption.append(element("span", { class: "lane", "data-lane": figure.lane }, laneOf(figure.lane)));
  caption.append(element("b", {}, figure.main), " ", element("span", { class: "place" }, size(range)));
  if (range.formula) caption.append(element("code", {}, range.formula));
  return caption;
}

function table(figure, id) {
  if (data.ranges[figure.main].large) return element("div", {}, captionOf("p", figure, id), say("too large to be shown here"));
  const heads = element("tr", {}, element("td")), body = element("tbody");
  for (const name of [figure.main, ...figure.sides]) {
    const range = data.ranges[name], labels = labelsOf(range, "cols");
    indices(range.shape[1]).forEach((j) => heads.append(heading("col", labels, j, range.colsFrom)));
  }
  [figure, ...figure.below].forEach((part) => body.append(...linesOf(part)));
  const node = element("table", {}, captionOf("caption", figure, id), element("thead", {}, heads), body);
  const first = body.querySelector("td");
  if (first) first.tabIndex = 0;
  return element("div", { class: "scroll", role: "group", "aria-labelledby": `${id}-caption` }, node);
}

// The rows of a figure, with a heading each.
function linesOf(figure) {
  const main = data.ranges[figure.main], labels = labelsOf(main, "rows");
  return indices(main.shape[0]).map((i) => {
    const head = figure.label ? element("th", { scope: "row" }, figure.label) : heading("row", labels, i, main.rowsFrom);
    const cells = [figure.main, ...figure.sides].flatMap((name, n) =>
      indices(data.ranges[name].shape[1]).map((j) => cellOf(name, i, j, n > 0)));
    return element("tr", {}, head, ...cells);
  });
}

function cellOf(name, row, col, beside) {
  const range = data.ranges[name], value = valueAt(range, row, col), cell = element("td", {}, shown(value, range));
  Object.assign(cell.dataset, { range: name, row, col });
  if (range.role === "input") cell.dataset.input = "";
  else if (beside && !range.heat) cell.dataset.side = "";
  dress(cell, value, range);
  keep(cell, name, row, col);
  return cell;
}

const markOf = (text) => (text.startsWith("✓") ? "good" : text.startsWith("✗") ? "bad" : "");

// A single value with its label; a text without a label is shown alone.
function fact(tag, name) {
  const range = data.ranges[name], text = shown(valueAt(range, 0, 0), range), said = typeof valueAt(range, 0, 0) === "string";
  const value = element("b", { class: markOf(text), tabindex: 0, "data-range": name, "data-row": 0, "data-col": 0 }, text || `(${say("blank")})`);
  if (range.role === "input") value.dataset.input = "";
  keep(value, name, 0, 0);
  const label = range.label || (said && range.role !== "input" ? "" : name);
  return element(tag, { title: name }, label && `${label} `, value);
}

function sheet(page) {
  const node = element("section", { id: page.id, "aria-labelledby": `${page.id}-title` },
    element("h2", { id: `${page.id}-title` }, page.title));
  page.lead.forEach((text) => node.append(element("p", {}, text)));
  const tables = page.steps.flatMap(({ figures }) => figures.map(({ main }) => data.ranges[main])).filter(({ large }) => !large);
  const cells = tables.reduce((sum, { shape: [rows, cols] }) => sum + rows * cols, 0);
  if (cells <= MAX_DRAWN) { fill(node, page); return node; }
  const details = element("details", {}, element("summary", {}, say("{n} numbers", { n: cells })));
  details.addEventListener("toggle", () => fill(details, page), { once: true });
  node.append(details);
  return node;
}

function fill(node, page) {
  const listed = (names) => (names.length ? [element("ul", { class: "facts" }, ...names.map((name) => fact("li", name)))] : []);
  node.append(...listed(page.facts));
  page.steps.forEach((step, i) => {
    if (step.title) node.append(element("h3", {}, step.title));
    step.notes.forEach((text) => node.append(element("p", { class: "note" }, text)));
    const lanes = new Map();
    step.figures.forEach((figure, j) => {
      if (!lanes.has(figure.lane)) lanes.set(figure.lane, element("div"));
      const single = data.ranges[figure.main].shape.join() === "1,1";
      lanes.get(figure.lane).append(single ? fact("p", figure.main) : table(figure, `${page.id}-${i}-${j}`));
    });
    const row = element("div", { class: "lanes" }, ...lanes.values());
    row.classList.toggle("first", !step.title && page.id === "sheet1");
    node.append(...listed(step.facts), row);
  });
  page.closing.forEach((text) => node.append(element("p", { class: "closing" }, text)));
  if (page.triesTitle) node.append(element("h3", {}, page.triesTitle));
  page.tries.forEach(({ question, answer }) => {
    node.append(element("p", { class: "closing" }, question));
    if (answer) node.append(element("details", {}, element("summary", {}, say("answer")), answer)); // folded, as on the sheet
  });
}

function describe(cell) {
  const { range: name, row, col } = cell.dataset, range = data.ranges[name];
  const value = valueAt(range, +row, +col);
  const full = typeof value === "number" && value > NEVER ? String(value).replace("-", "−") : shown(value, range);
  const values = { name, row: label(labelsOf(range, "rows"), +row), column: label(labelsOf(range, "cols"), +col), value: full || say("blank") };
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
