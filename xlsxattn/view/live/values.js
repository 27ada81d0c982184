// Values of cells: numbers, texts, true and false, null for a blank cell, errors, and matrices of these.
class CellError {
  constructor(code) { this.code = code; }
  toString() { return this.code; }
}
const ERRORS = Object.fromEntries(
  ["#N/A", "#VALUE!", "#DIV/0!", "#NUM!", "#REF!", "#NAME?", "#NULL!"].map((code) => [code, new CellError(code)]));
const NOT_FOUND = ERRORS["#N/A"], NO_VALUE = ERRORS["#VALUE!"], NO_NUMBER = ERRORS["#NUM!"], NO_CELL = ERRORS["#REF!"];

class Matrix {
  constructor(rows, cols, values) { Object.assign(this, { rows, cols, values }); }
  static of(rows, cols, value) {
    const values = new Array(rows * cols);
    for (let i = 0, k = 0; i < rows; i++) for (let j = 0; j < cols; j++) values[k++] = value(i, j);
    return new Matrix(rows, cols, values);
  }
  // The value at a place; a single row, column or value is repeated.
  at(i, j) {
    if (this.rows === 1) i = 0;
    if (this.cols === 1) j = 0;
    return i < this.rows && j < this.cols ? this.values[i * this.cols + j] : NOT_FOUND;
  }
}

const isMatrix = (value) => value instanceof Matrix;
const isError = (value) => value instanceof CellError;
const matrix = (value) => (isMatrix(value) ? value : new Matrix(1, 1, [value]));
const single = (value) => (isMatrix(value) ? value.values[0] : value);
const finite = (number) => (Number.isFinite(number) ? number : NO_NUMBER);

// Applies a function of single values to every place of its arguments.
function lift(apply) {
  return (...args) => {
    if (!args.some(isMatrix)) return apply(...args);
    const grids = args.map(matrix), [a, b] = grids;
    if (args.length === 1) return new Matrix(a.rows, a.cols, a.values.map((value) => apply(value)));
    const rows = Math.max(...grids.map((grid) => grid.rows)), cols = Math.max(...grids.map((grid) => grid.cols));
    if (args.length === 2) return Matrix.of(rows, cols, (i, j) => apply(a.at(i, j), b.at(i, j)));
    return Matrix.of(rows, cols, (i, j) => apply(...grids.map((grid) => grid.at(i, j))));
  };
}

function toNumber(value) {
  if (typeof value === "number" || isError(value)) return value;
  if (value === null) return 0;
  if (typeof value === "boolean") return Number(value);
  return NUMERIC.test(value) ? Number(value) : NO_VALUE;
}
const NUMERIC = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i;

function toText(value) {
  if (typeof value === "string" || isError(value)) return value;
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "TRUE" : "FALSE";
  const size = Math.abs(value), plain = Number(value.toPrecision(15));
  if (size !== 0 && (size >= 1e21 || size < 1e-9)) return plain.toExponential().toUpperCase().replace(/E([+-])(\d)$/, "E$10$2");
  return String(plain).toUpperCase();
}

function toLogical(value) {
  if (typeof value === "boolean" || isError(value)) return value;
  if (value === null) return false;
  if (typeof value === "number") return value !== 0;
  return /^(true|false)$/i.test(value) ? value.toLowerCase() === "true" : NO_VALUE;
}

// Orders numbers before texts before logical values; a blank is 0, "" or FALSE.
function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (a === null) a = blankLike(b);
  if (b === null) b = blankLike(a);
  const rank = (value) => ["number", "string", "boolean"].indexOf(typeof value);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (typeof a === "string") [a, b] = [a.toLowerCase(), b.toLowerCase()];
  return a < b ? -1 : a > b ? 1 : 0;
}
function blankLike(value) { return typeof value === "string" ? "" : typeof value === "boolean" ? false : 0; }
