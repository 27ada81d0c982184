// The functions of the workbooks' formulas, on values; those that need the formula itself are in evaluate.js.
const numeric = (apply) => lift((a, b, c) => {
  if (typeof a === "number" && c === undefined && (b === undefined || typeof b === "number")) return apply(a, b);
  const numbers = [a, b, c].filter((value) => value !== undefined).map(toNumber);
  return numbers.find(isError) ?? apply(...numbers);
});
const textual = (apply) => lift((a, b, c) => (isError(a) ? a : isError(b) ? b : isError(c) ? c : apply(a, b, c)));
const compared = (holds) => textual((a, b) => holds(compare(a, b)));

const OPERATORS = {
  "+": numeric((a, b) => finite(a + b)),
  "-": numeric((a, b) => finite(a - b)),
  "*": numeric((a, b) => finite(a * b)),
  "/": numeric((a, b) => (b === 0 ? ERRORS["#DIV/0!"] : finite(a / b))),
  "^": numeric((a, b) => (a === 0 && b === 0 ? NO_NUMBER : a === 0 && b < 0 ? ERRORS["#DIV/0!"] : finite(a ** b))),
  "&": textual((a, b) => toText(a) + toText(b)),
  "=": compared((order) => order === 0),
  "<>": compared((order) => order !== 0),
  "<": compared((order) => order < 0),
  ">": compared((order) => order > 0),
  "<=": compared((order) => order <= 0),
  ">=": compared((order) => order >= 0),
};

// Reduces the numbers of all arguments; texts, blanks and logical values within ranges are skipped.
const reduced = (reduce) => (...args) => {
  const numbers = [];
  for (const arg of args) {
    for (const value of isMatrix(arg) ? arg.values : [toNumber(arg)]) {
      if (isError(value)) return value;
      if (typeof value === "number") numbers.push(value);
    }
  }
  return reduce(numbers);
};
const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
const mean = (numbers) => (numbers.length ? finite(total(numbers) / numbers.length) : ERRORS["#DIV/0!"]);

function variance(numbers) {
  const middle = mean(numbers);
  return isError(middle) ? middle : finite(total(numbers.map((number) => (number - middle) ** 2)) / numbers.length);
}

// The k-th number of a sorted list.
const ranked = (order) => (range, k) => {
  const numbers = matrix(range).values, error = numbers.find(isError);
  if (error) return error;
  const sorted = numbers.filter((value) => typeof value === "number").sort(order);
  return numeric((place) => sorted[Math.ceil(place) - 1] ?? NO_NUMBER)(k);
};

function product(left, right) {
  [left, right] = [matrix(left), matrix(right)];
  const n = left.cols, a = left.values, b = right.values;
  if (n !== right.rows) return NO_VALUE;
  const isNumber = (value) => typeof value === "number";
  if (!a.every(isNumber) || !b.every(isNumber)) return a.find(isError) ?? b.find(isError) ?? NO_VALUE;
  return Matrix.of(left.rows, right.cols, (i, j) => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += a[i * n + k] * b[k * right.cols + j];
    return finite(sum);
  });
}

function sumOfProducts(...args) {
  const grids = args.map(matrix), [{ rows, cols }] = grids;
  if (grids.some((grid) => grid.rows !== rows || grid.cols !== cols)) return NO_VALUE;
  let sum = 0;
  for (let k = 0; k < rows * cols; k++) {
    const values = grids.map((grid) => grid.values[k]), error = values.find(isError);
    if (error) return error;
    sum += values.reduce((all, value) => all * (typeof value === "number" ? value : 0), 1);
  }
  return finite(sum);
}

function indexed(range, first, second) {
  const grid = matrix(range);
  let [row, col] = [first, second ?? null].map((value) => toNumber(single(value)));
  if (isError(row) || isError(col)) return isError(row) ? row : col;
  if (second === undefined && grid.rows === 1) [row, col] = [1, row];
  else if (second === undefined && grid.cols === 1) col = 1;
  [row, col] = [Math.trunc(row), Math.trunc(col)];
  if (row < 0 || col < 0) return NO_VALUE;
  if (row > grid.rows || col > grid.cols) return NO_CELL;
  const rows = row ? 1 : grid.rows, cols = col ? 1 : grid.cols;
  return Matrix.of(rows, cols, (i, j) => grid.at(row ? row - 1 : i, col ? col - 1 : j));
}

// The place of a value; only the exact search, MATCH(value, range, 0).
function matched(wanted, range, kind) {
  if (toNumber(single(kind ?? 1)) !== 0) throw new Unsupported("MATCH");
  const { values } = matrix(range);
  return lift((value) => {
    if (isError(value)) return value;
    const like = value ?? 0;
    const place = values.findIndex((one) => typeof one === typeof like && compare(one, like) === 0);
    return place < 0 ? NOT_FOUND : place + 1;
  })(wanted);
}

function allOf(...args) {
  const counts = (value) => value !== null && typeof value !== "string";
  const logical = args.flatMap((arg) => (isMatrix(arg) ? arg.values.filter(counts) : [arg])).map(toLogical);
  return logical.find(isError) ?? (logical.length ? logical.every(Boolean) : NO_VALUE);
}

function fixedText(value, digits, noCommas) {
  const scale = 10 ** digits;
  const whole = Math.round(Number((Math.abs(value) * scale).toPrecision(15)));
  const text = (whole / scale).toFixed(Math.max(0, digits));
  return (value < 0 && whole ? "-" : "") + (noCommas ? text : text.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ","));
}

// Φ, by Cody's rational approximations of erfc, exact to the last digits (Mathematics of Computation 23, 1969).
function normal(x) {
  const ratio = (tops, lows, y) => tops.reduce((a, b) => a * y + b, 0) / lows.reduce((a, b) => a * y + b, 1);
  const z = Math.abs(x) / Math.SQRT2;
  if (z <= 0.46875) {
    return 0.5 + 0.5 * Math.sign(x) * z * ratio(
      [1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3],
      [2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3], z * z);
  }
  let tail;
  if (z <= 4) {
    tail = Math.exp(-z * z) * ratio(
      [2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
        8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3],
      [1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3, 3.29079923573345963e3,
        4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3], z);
  } else {
    const y = 1 / (z * z), rest = y * ratio(
      [1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
        1.60837851487422766e-2, 6.58749161529837803e-4],
      [2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3], y);
    tail = (Math.exp(-z * z) / z) * (1 / Math.sqrt(Math.PI) - rest);
  }
  return x > 0 ? 1 - tail / 2 : tail / 2;
}

const FUNCTIONS = {
  "_xlfn.ISFORMULA": () => ERRORS["#NAME?"], // cells are typed here: marks compare only the value
  ABS: numeric(Math.abs),
  AND: allOf,
  AVERAGE: reduced(mean),
  COS: numeric(Math.cos),
  COUNT: (...args) => args.flatMap((arg) => matrix(arg).values).filter((value) => typeof value === "number").length,
  COUNTA: (...args) => args.flatMap((arg) => matrix(arg).values).filter((value) => value !== null).length,
  DEVSQ: reduced((numbers) => { const v = variance(numbers); return isError(v) ? v : finite(v * numbers.length); }),
  EXACT: textual((a, b) => toText(a) === toText(b)),
  EXP: numeric((x) => finite(Math.exp(x))),
  FIXED: numeric((value, digits = 2, noCommas = 0) => fixedText(value, Math.trunc(digits), noCommas)),
  INDEX: indexed,
  INT: numeric(Math.floor),
  ISBLANK: lift((value) => value === null),
  ISERROR: lift(isError),
  ISNUMBER: lift((value) => typeof value === "number"),
  ISTEXT: lift((value) => typeof value === "string"),
  LARGE: ranked((a, b) => b - a),
  LEFT: textual((text, count = 1) => toText(text).slice(0, toNumber(count))),
  LEN: textual((text) => toText(text).length),
  LN: numeric((x) => (x > 0 ? Math.log(x) : NO_NUMBER)),
  MATCH: matched,
  MAX: reduced((numbers) => numbers.reduce((a, b) => Math.max(a, b), numbers.length ? -Infinity : 0)),
  MIN: reduced((numbers) => numbers.reduce((a, b) => Math.min(a, b), numbers.length ? Infinity : 0)),
  MMULT: product,
  MOD: numeric((a, b) => (b === 0 ? ERRORS["#DIV/0!"] : a - b * Math.floor(a / b))),
  NORMSDIST: numeric(normal),
  NOT: lift((value) => { const logical = toLogical(value); return isError(logical) ? logical : !logical; }),
  OR: (...args) => { const all = allOf(...args.map((arg) => FUNCTIONS.NOT(arg))); return isError(all) ? all : !all; },
  PI: () => Math.PI,
  ROUNDUP: numeric((x, digits = 0) => {
    const scale = 10 ** digits;
    return (Math.sign(x) * Math.ceil(Number((Math.abs(x) * scale).toPrecision(15)))) / scale;
  }),
  SIGN: numeric((x) => Math.sign(x) || 0),
  SIN: numeric(Math.sin),
  SMALL: ranked((a, b) => a - b),
  SQRT: numeric((x) => (x < 0 ? NO_NUMBER : Math.sqrt(x))),
  SUBSTITUTE: textual((text, old, by) => toText(text).replaceAll(toText(old), toText(by))),
  SUM: reduced((numbers) => finite(total(numbers))),
  SUMPRODUCT: sumOfProducts,
  SUMSQ: reduced((numbers) => finite(total(numbers.map((number) => number * number)))),
  TANH: numeric(Math.tanh),
  TRANSPOSE: (range) => { const grid = matrix(range); return Matrix.of(grid.cols, grid.rows, (i, j) => grid.at(j, i)); },
  TRIM: textual((text) => toText(text).replace(/ +/g, " ").replace(/^ | $/g, "")),
  VARP: reduced(variance),
};
