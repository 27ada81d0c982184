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
    : different ? say("✗ {n} formulas recalculated in this page: {different} of {cells} cells differ from the file's", { n: formulas, different, cells })
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

function bytesOf(id) {
  const text = atob(byId(id).textContent), bytes = new Uint8Array(text.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = text.charCodeAt(k);
  return bytes;
}

async function open() {
  data = JSON.parse(utf8.read(await through(bytesOf("data"), new DecompressionStream("deflate"))));
  const bytes = bytesOf("workbook");
  opened = await readWorkbook(bytes);
  fingerprint = checksum(bytes).toString(16);
  try {
    calculation = new Calculation(opened.sheets, opened.names);
    prove();
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    data.why = say("a still page: this page cannot compute {what}", { what: error.message });
  }
  draw();
  if (!data.why) await enliven();
  document.documentElement.dataset.ready = "";
}

async function enliven() {
  register();
  await readCharts();
  placeCharts();
  wirePanel();
  wireSight();
  offer();
  byId("tools").hidden = false;
  follow(location.hash);
  window.addEventListener("hashchange", () => { if (location.hash !== byId("link").hash) follow(location.hash); });
}

open();
