// Opens the workbook in the page, recalculates it, and makes it available to scripts as `xlsxattn`.
const ALIKE = 1e-9;

function differs({ before, value }) {
  return typeof before === "number" && typeof value === "number"
    ? Math.abs(value - before) > ALIKE * Math.max(1, Math.abs(before)) : !Object.is(before ?? "", value);
}

function prove() {
  const different = calculation.recalculate().filter(differs).length, formulas = calculation.formulas.length;
  const cells = calculation.formulas.reduce((sum, { area }) => sum + area.rows * area.cols, 0);
  const proof = byId("proof");
  proof.hidden = false;
  proof.textContent = data.values !== "saved" ? say("{n} formulas were recalculated in this page", { n: formulas })
    : different ? say("✗ {n} formulas recalculated in this page: {different} of {cells} cells differ from the file's",
      { n: formulas, different, cells })
      : say("✓ {n} formulas recalculated in this page: all {cells} cells equal the file's", { n: formulas, cells });
  proof.className = different && data.values === "saved" ? "bad" : "good";
}

// The object for scripts; rows and columns count from 0.
function offer() {
  window.xlsxattn = Object.freeze({
    names: () => Object.keys(data.ranges),
    read: (name) => rowsOf(rangeNamed(name)),
    formula: (name) => rangeNamed(name).formula,
    set: (name, row, column, value) => { type([changeOf(name, row, column, value)]); },
  });
}

async function open() {
  const [text, packed, numbers] = ["data", "workbook", "numbers"].map((id) => byId(id).textContent);
  data = JSON.parse(utf8.read(await unpacked(text)));
  opened = readWorkbook(await unpackedParts(packed, numbers));
  locateRanges();
  try {
    calculation = new Calculation(opened.sheets, opened.names);
    prove();
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    data.why = say("a still page: this page cannot compute {what}", { what: error.message });
  }
  draw();
  if (!data.why) enliven();
  document.documentElement.dataset.ready = "";
}

// The first cell of each range, and its formula from the table on the last sheet: name, how it is entered, formula.
function locateRanges() {
  for (const range of Object.values(data.ranges)) {
    const [sheet, row, col] = range.area;
    Object.assign(range, { cell: `${sheet}!${cellName(row, col)}`, formula: "" });
  }
  const { sheet, row, rows, col } = areaOf(opened.names[data.formulas]);
  for (const line of opened.sheets.get(sheet).values.slice(row, row + rows)) {
    const [name, , formula] = line.slice(col);
    if (Object.hasOwn(data.ranges, name)) data.ranges[name].formula = `{${formula}}`;
  }
}

function enliven() {
  register();
  readCharts();
  placeCharts();
  wirePanel();
  wireSight();
  offer();
  byId("tools").hidden = false;
  follow(location.hash);
  window.addEventListener("hashchange", () => { if (location.hash !== byId("link").hash) follow(location.hash); });
}

open();
