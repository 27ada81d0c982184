// Splits a formula into tokens: numbers, texts, names, references to cells, and signs.
const SYNTAX = {
  space: String.raw`(\s+)`,
  number: String.raw`((?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?)`,
  text: String.raw`("(?:[^"]|"")*")`,
  cells: String.raw`((?:(?:'(?:[^']|'')+'|[\p{L}_][\p{L}\d_.]*)!)?\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?(?![\p{L}\d_.(]))`,
  name: String.raw`([\p{L}_][\p{L}\d_.]*)`,
  sign: String.raw`(<>|<=|>=|[-+*/^&=<>(),])`,
};
const KINDS = Object.keys(SYNTAX), TOKEN = new RegExp(Object.values(SYNTAX).join("|"), "uy");

function tokens(formula) {
  const list = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < formula.length) {
    const match = TOKEN.exec(formula);
    if (!match) throw new Unsupported(formula);
    const kind = KINDS[match.findIndex((text, n) => n && text !== undefined) - 1];
    if (kind !== "space") list.push({ kind, text: match[0] });
  }
  return list;
}

// A formula, function or name that this page cannot compute.
class Unsupported extends Error {}

// The area of "B2:C3" or "'My sheet'!$B$2", with rows and columns from 0; the sheet is the given one by default.
function areaOf(reference, sheet) {
  const cut = reference.lastIndexOf("!");
  const tab = cut < 0 ? sheet : reference.slice(0, cut).replace(/^'|'$/g, "").replaceAll("''", "'");
  const [first, last = first] = reference.slice(cut + 1).replaceAll("$", "").split(":").map(placeOf);
  return { sheet: tab, row: first.row, col: first.col, rows: last.row - first.row + 1, cols: last.col - first.col + 1 };
}

function placeOf(cell) {
  const [, letters, digits] = /^([A-Z]+)(\d+)$/.exec(cell);
  let col = 0;
  for (const letter of letters) col = 26 * col + letter.charCodeAt(0) - 64;
  return { row: digits - 1, col: col - 1 };
}

function cellName(row, col) {
  let letters = "";
  for (let rest = col + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters;
  }
  return letters + (row + 1);
}
