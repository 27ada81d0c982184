// The open workbook: its values, typed changes, undo and redo, the link with the changes, and the download.
let opened, calculation;
const done = [], undone = [], inputs = [], MAX_TEXT = 1000;
const first = new Map(), nodes = new Map(), largestOf = new Map(); // sheet → row → column → value when opened, or elements
let outlined = [];

const nodesAt = ({ sheet, row, col }) => nodes.get(sheet)?.[row]?.[col] ?? [];
const nodeAt = (place) => nodesAt(place)[0]?.node;
function placeIn(range, row, col) { return { sheet: range.area[0], row: range.area[1] + row, col: range.area[2] + col }; }

valueAt = (range, row, col) => {
  const place = placeIn(range, row, col), value = opened.sheets.get(place.sheet).values[place.row]?.[place.col] ?? null;
  return isError(value) ? value.code : value;
};

const areaIn = ({ area: [sheet, row, col], shape: [rows, cols] }) => ({ sheet, row, col, rows, cols });
function rowsOf(range) { return indices(range.shape[0]).map((i) => indices(range.shape[1]).map((j) => valueAt(range, i, j))); }

largest = (range) => {
  if (range.heat !== "diverging") return 1;
  if (!largestOf.has(range)) {
    const sizes = rowsOf(range).flat().filter((value) => typeof value === "number" && Math.abs(value) < -NEVER).map(Math.abs);
    largestOf.set(range, sizes.reduce((a, b) => Math.max(a, b), 0) || 1);
  }
  return largestOf.get(range);
};

labelsOf = (range, side) => {
  const from = rangeOf(range[`${side}From`]);
  if (!from) return range[side];
  return rowsOf(from).flat().map((value) => around(typeof value === "number" ? String(value) : plain(value, from), from));
};
laneOf = (context) => {
  const range = data.ranges[data.contexts[context]?.sentence];
  return range ? shown(valueAt(range, 0, 0), range) : data.lanes[context];
};

function register() {
  for (const [sheet, { values }] of opened.sheets) first.set(sheet, values.map((line) => [...line]));
  for (const [name, range] of Object.entries(data.ranges)) {
    if (range.role !== "input") continue;
    for (const row of indices(range.shape[0])) {
      for (const col of indices(range.shape[1])) inputs.push({ name, range, row, col, place: placeIn(range, row, col) });
    }
  }
}

// Registers the element that shows a cell.
keep = (node, name, row, col) => {
  const range = rangeOf(name), place = placeIn(range, row, col), kept = { node, range, row, col, text: node.textContent };
  const line = (nodes.get(place.sheet) ?? nodes.set(place.sheet, []).get(place.sheet))[place.row] ??= [];
  (line[place.col] ??= []).push(kept);
};

// Updates the text of a cell, and outlines the cell if the text changed.
function redrawCell(kept) {
  const { node, range, row, col } = kept, value = valueAt(range, row, col);
  const fact = node.tagName === "B", text = shown(value, range) || (fact ? `(${say("blank")})` : "");
  if (node.tagName === "TD") dress(node, value, range);
  if (kept.text === text) return;
  kept.text = node.textContent = text;
  if (fact) node.className = markOf(text);
  node.classList.add("changed");
  outlined.push(node);
}

function redraw(changed) {
  outlined.forEach((node) => node.classList.remove("changed"));
  outlined = [];
  const touched = new Set();
  for (const cell of changed) {
    for (const kept of nodesAt(cell)) {
      redrawCell(kept);
      touched.add(kept.range);
    }
  }
  for (const range of touched) { // a different largest number changes all colours of a range
    const before = largestOf.get(range);
    largestOf.delete(range);
    if (before === undefined || before === largest(range)) continue;
    calculation.cells(areaIn(range), (row, col) => nodesAt({ sheet: range.area[0], row, col }).forEach(redrawCell));
  }
  document.querySelectorAll("[data-lane]").forEach((node) => { node.textContent = laneOf(node.dataset.lane); });
  drawSight();
  drawCharts();
}

// The cells whose values have changed since the workbook was opened.
function changedCells() {
  return [...opened.sheets].flatMap(([sheet, { values }]) => values.flatMap((line, row) => line.flatMap((value, col) =>
    (Object.is(value ?? null, first.get(sheet)[row]?.[col] ?? null) ? [] : [{ sheet, row, col }]))));
}

// Sets typed cells, recalculates and redraws.
function apply(cells) {
  const changed = calculation.set(cells);
  clearMoves();
  redraw(changed);
  byId("undo").disabled = !done.length;
  byId("redo").disabled = !undone.length;
  byId("link").href = linkWith();
  return changed.length;
}

function type(cells) {
  const step = cells.map((cell) => ({ ...cell, before: calculation.value(cell.sheet, cell.row, cell.col) }));
  done.push(step);
  undone.length = 0;
  tell(say("cells changed: {n}", { n: apply(cells) }));
}

function travel(from, to, side) {
  const step = from.pop();
  if (!step) return;
  to.push(step);
  tell(say("cells changed: {n}", { n: apply(step.map((cell) => ({ ...cell, value: cell[side] }))) }));
  refreshEntry();
}

// The range of a name; throws an Error if the workbook has none.
function rangeNamed(name) {
  if (typeof name === "string" && Object.hasOwn(data.ranges, name)) return data.ranges[name];
  throw new RangeError(say("there is no range {name}", { name: spelled(name) }));
}

// A wrong argument as a message shows it: a text or number itself, of other values the type.
function spelled(value) { return typeof value === "object" || typeof value === "symbol" ? typeof value : String(value); }

// A change of one cell of an input; throws an Error if the range, the place or the value is invalid.
function changeOf(name, row, col, typed) {
  const range = rangeNamed(name), [rows, cols] = range.shape;
  if (range.role !== "input") throw new Error(say("{name} is not an input", { name }));
  const within = (index, count) => Number.isInteger(index) && index >= 0 && index < count;
  if (!within(row, rows) || !within(col, cols)) {
    const places = { row: spelled(row), column: spelled(col) };
    throw new Error(say("{name} has {rows} × {cols} cells: there is no row {row}, column {column}", { name, rows, cols, ...places }));
  }
  const place = placeIn(range, row, col);
  if (typed === null || typed === "") return { ...place, value: null };
  return { ...place, value: range.text ? textFrom(typed, name) : numberFrom(typed) };
}

// Control characters, line breaks, and what XML cannot hold: half a surrogate pair and noncharacters.
const UNFIT = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\uFFFE\uFFFF]/u;
const ESCAPE = /_x[\dA-F]{4}_/i; // programs read it in different ways
function textFrom(typed, name) {
  if (typeof typed !== "string" || typed.length > MAX_TEXT || UNFIT.test(typed)) {
    throw new Error(say("{name} needs a text on one line, of at most {most} characters", { name, most: MAX_TEXT }));
  }
  if (ESCAPE.test(typed)) throw new Error(say("a workbook cannot store {text}", { text: ESCAPE.exec(typed)[0] }));
  return typed.normalize("NFC");
}

function numberFrom(typed) {
  const text = typeof typed === "string" ? typed.replace("−", "-") : typed;
  const number = typeof text === "string" && NUMERIC.test(text) ? Number(text) : text;
  if (!Number.isFinite(number)) throw new Error(say("{typed} is not a number: write it like 2.5", { typed: spelled(typed) }));
  return number + 0; // −0 becomes 0
}

// The inputs that differ from the file: [range, row, column, value].
function named() {
  const changes = [];
  for (const { name, row, col, place } of inputs) {
    const value = calculation.value(place.sheet, place.row, place.col);
    if (!Object.is(value, first.get(place.sheet)[place.row]?.[place.col] ?? null)) changes.push([name, row, col, value]);
  }
  return changes;
}

function linkWith() {
  const changes = named();
  return changes.length ? `#changes=${encodeURIComponent(JSON.stringify([data.fingerprint, changes]))}` : "#";
}

// Applies the changes of a link, all or none: only numbers and texts for inputs of this workbook are accepted.
function follow(hash) {
  if (!hash.startsWith("#changes=")) return;
  try {
    const [mark, changes] = JSON.parse(decodeURIComponent(hash.slice("#changes=".length)));
    if (mark !== data.fingerprint) throw new Error(say("the link belongs to another workbook: nothing was changed"));
    type(changes.map(([name, row, col, value]) => changeOf(name, row, col, value)));
  } catch (error) {
    const known = !(error instanceof SyntaxError || error instanceof TypeError || error instanceof URIError);
    tell(known ? error.message : say("the link is damaged: nothing was changed"));
  }
}

async function download() {
  const file = await writeWorkbook(opened, changedCells());
  const link = element("a", { href: URL.createObjectURL(file), download: data.file });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function tell(text) { byId("said").textContent = text; }
