// The open workbook: its values, typed changes, undo and redo, the link with the changes, the file to take home.
let opened, calculation, fingerprint = "";
const done = [], undone = [], changedCells = new Map(), inputs = new Map(), MAX_TEXT = 1000;
const nodes = new Map(), largestOf = new Map();

const keyOf = ({ sheet, row, col }) => `${sheet}!${row},${col}`;
function placeIn(range, row, col) { return { sheet: range.area[0], row: range.area[1] + row, col: range.area[2] + col }; }

valueAt = (range, row, col) => {
  const place = placeIn(range, row, col), value = opened.sheets.get(place.sheet).values[place.row]?.[place.col] ?? null;
  return isError(value) ? value.code : value;
};

function rowsOf(range) { return numbers(range.shape[0]).map((i) => numbers(range.shape[1]).map((j) => valueAt(range, i, j))); }

largest = (range) => {
  if (range.heat === "weights") return 1;
  if (!largestOf.has(range)) {
    const sizes = rowsOf(range).flat().filter((value) => typeof value === "number").map(Math.abs).filter((size) => size < -NEVER);
    largestOf.set(range, sizes.reduce((a, b) => Math.max(a, b), 0) || 1);
  }
  return largestOf.get(range);
};

function relabel() {
  for (const range of Object.values(data.ranges)) {
    for (const side of ["rows", "cols"]) {
      const from = rangeOf(range[`${side}From`]);
      if (from) range[side] = rowsOf(from).flat().map((value) => (typeof value === "number" ? String(value) : shown(value, from)));
    }
  }
  for (const [context, { sentence }] of Object.entries(data.contexts)) if (sentence) data.lanes[context] = shown(valueAt(data.ranges[sentence], 0, 0), {});
}

function register() {
  for (const [name, range] of Object.entries(data.ranges)) {
    if (range.role !== "input") continue;
    rowsOf(range).forEach((line, row) => line.forEach((_, col) => {
      const place = placeIn(range, row, col), key = keyOf(place);
      if (!inputs.has(key)) inputs.set(key, { name, range, row, col, place });
    }));
  }
  registerNodes(sheets);
}

function registerNodes(within) {
  for (const node of within.querySelectorAll("[data-range], [data-label]")) {
    const key = keyOf(placeIn(rangeOf(node.dataset.range ?? node.dataset.label), +node.dataset.row, +node.dataset.col));
    nodes.has(key) ? nodes.get(key).push(node) : nodes.set(key, [node]);
  }
}

// Shows a cell's value; returns whether its text is another one.
function redrawNode(node) {
  const { range: name = node.dataset.label, row, col } = node.dataset, range = rangeOf(name), value = valueAt(range, +row, +col);
  const fact = node.tagName === "B", text = shown(value, range) || (fact ? `(${say("blank")})` : "");
  if (node.tagName === "TD") dress(node, value, range);
  if (node.textContent === text) return false;
  node.textContent = text;
  if (fact) node.className = text.startsWith("✓") ? "good" : text.startsWith("✗") ? "bad" : "";
  return true;
}

function redraw(changed) {
  document.querySelectorAll(".changed").forEach((node) => node.classList.remove("changed"));
  const touched = new Set();
  for (const cell of changed) {
    for (const node of nodes.get(keyOf(cell)) ?? []) {
      if (redrawNode(node)) node.classList.add("changed");
      if (node.dataset.range) touched.add(data.ranges[node.dataset.range]);
    }
  }
  for (const range of touched) { // a new largest number changes all colours of a range
    const before = largestOf.get(range);
    largestOf.delete(range);
    if (before === undefined || before === largest(range)) continue;
    rowsOf(range).forEach((line, i) => line.forEach((_, j) => (nodes.get(keyOf(placeIn(range, i, j))) ?? []).forEach(redrawNode)));
  }
  relabel();
  document.querySelectorAll("[data-lane]").forEach((node) => { node.textContent = data.lanes[node.dataset.lane]; });
  drawSight();
  drawCharts();
}

// Sets typed cells, recalculates and redraws.
function apply(cells) {
  const changed = calculation.set(cells);
  clearMoves();
  for (const cell of changed) {
    const key = keyOf(cell), first = changedCells.get(key) ?? cell;
    Object.is(first.before, cell.value) ? changedCells.delete(key) : changedCells.set(key, { ...cell, before: first.before });
  }
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

// A typed text as a value of a range; an Error says why it cannot be one.
function valueFor(name, row, col, typed) {
  const range = data.ranges[name];
  if (!range || range.role !== "input") throw new Error(say("{name} is not an input", { name }));
  const [rows, cols] = range.shape;
  if (!(Number.isInteger(row) && Number.isInteger(col) && row >= 0 && row < rows && col >= 0 && col < cols)) {
    throw new Error(say("{name} has {rows} × {cols} cells: there is no row {row}, column {column}", { name, rows, cols, row, column: col }));
  }
  if (typed === null || typed === "") return null;
  if (range.text) {
    if (typeof typed !== "string" || typed.length > MAX_TEXT || /[\u0000-\u001f\u007f]/.test(typed)) {
      throw new Error(say("{name} needs a text on one line, of at most {most} characters", { name, most: MAX_TEXT }));
    }
    return typed;
  }
  const number = typeof typed === "number" ? typed : typeof typed === "string" && NUMERIC.test(typed.replace("−", "-")) ? Number(typed.replace("−", "-")) : NaN;
  if (!Number.isFinite(number)) throw new Error(say("{typed} is not a number: write it like 2.5", { typed: String(typed) }));
  return number;
}

// The inputs that differ from the file: [range, row, column, value].
function named() {
  return [...inputs].filter(([key]) => changedCells.has(key)).map(([key, { name, row, col }]) => [name, row, col, changedCells.get(key).value]);
}

function linkWith() {
  const changes = named();
  return changes.length ? `#changes=${encodeURIComponent(JSON.stringify([fingerprint, changes]))}` : "#";
}

// Applies the changes of a link: only numbers and texts for inputs of this very workbook, all of them or none.
function follow(hash) {
  if (!hash.startsWith("#changes=")) return;
  try {
    const [mark, changes] = JSON.parse(decodeURIComponent(hash.slice("#changes=".length)));
    if (mark !== fingerprint) throw new Error(say("the link belongs to another workbook: nothing was changed"));
    const cells = changes.map(([name, row, col, value]) => ({ ...placeIn(data.ranges[name] ?? { area: [] }, row, col), value: valueFor(name, row, col, value) }));
    type(cells);
  } catch (error) {
    const known = !(error instanceof SyntaxError || error instanceof TypeError || error instanceof URIError);
    tell(known ? error.message : say("the link is damaged: nothing was changed"));
  }
}

async function download() {
  const file = await writeWorkbook(opened, [...changedCells.values()]);
  const link = element("a", { href: URL.createObjectURL(file), download: data.file });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function tell(text) { byId("said").textContent = text; }
