// Compiles formulas to closures, and recalculates those that depend on a change, in the order of their dependencies.

// Functions that do not evaluate all arguments, or that need the position of a range: closures → closure.
const FORMS = {
  IF: ([condition, then, otherwise = () => false]) => () => {
    const tested = condition();
    if (!isMatrix(tested) || tested.values.length === 1) {
      const holds = toLogical(single(tested));
      return isError(holds) ? holds : holds ? then() : otherwise();
    }
    return lift((value, yes, no) => {
      const holds = toLogical(value);
      return isError(holds) ? holds : holds ? yes : no;
    })(tested, then(), otherwise());
  },
  IFERROR: ([value, instead]) => () => {
    const tried = value();
    if (!isMatrix(tried)) return isError(tried) ? instead() : tried;
    return tried.values.some(isError) ? lift((one, other) => (isError(one) ? other : one))(tried, instead()) : tried;
  },
  CHOOSE: ([which, ...choices]) => () => {
    const number = toNumber(single(which()));
    return isError(number) ? number : choices[Math.trunc(number) - 1]?.() ?? NO_VALUE;
  },
  ROW: (_, [area]) => { const numbers = Matrix.of(area.rows, 1, (i) => area.row + i + 1); return () => numbers; },
  COLUMN: (_, [area]) => { const numbers = Matrix.of(1, area.cols, (_i, j) => area.col + j + 1); return () => numbers; },
  ROWS: ([range], [area]) => () => area?.rows ?? matrix(range()).rows,
  COLUMNS: ([range], [area]) => () => area?.cols ?? matrix(range()).cols,
};

// A formula's tree as a closure without arguments; `reads` collects the areas it refers to.
function compile(tree, sheet, book, reads) {
  const area = ({ kind, text }) => (kind === "cells" ? areaOf(text, sheet) : kind === "name" ? book.area(text) : undefined);
  if (tree.kind === "constant") return () => tree.value;
  if (tree.kind === "cells" || tree.kind === "name") {
    const place = area(tree);
    reads.push(place);
    return () => book.matrix(place);
  }
  const parts = tree.parts.map((part) => compile(part, sheet, book, reads));
  if (tree.kind === "signed") return tree.sign === "+" ? parts[0] : () => numeric((x) => -x || 0)(parts[0]());
  if (tree.kind === "call" && Object.hasOwn(FORMS, tree.name)) return FORMS[tree.name](parts, tree.parts.map(area));
  const table = tree.kind === "call" ? FUNCTIONS : OPERATORS, name = tree.name ?? tree.sign;
  if (!Object.hasOwn(table, name)) throw new Unsupported(name);
  const apply = table[name];
  if (parts.length === 1) return () => apply(parts[0]());
  if (parts.length === 2) return () => apply(parts[0](), parts[1]());
  return () => apply(...parts.map((part) => part()));
}

// A workbook's cells, names and formulas. `sheets`: name → { values: rows of values, formulas: [{ text, area }] }.
class Calculation {
  constructor(sheets, names) {
    this.sheets = sheets;
    this.names = new Map(Object.entries(names).map(([name, reference]) => [name.toLowerCase(), areaOf(reference)]));
    this.owners = new Map([...sheets.keys()].map((name) => [name, []])); // which formula fills a cell
    this.formulas = [...sheets].flatMap(([sheet, { formulas }]) => formulas.map((formula) => ({ sheet, ...formula })));
    this.formulas.forEach((formula) => this.cells(formula.area, (row, col) => {
      const owners = (this.owners.get(formula.sheet)[row] ??= []);
      if (owners[col]) throw new Unsupported(`${formula.sheet}!${cellName(row, col)}`);
      owners[col] = formula;
    }));
    const trees = new Map();
    this.formulas.forEach((formula) => {
      if (!trees.has(formula.text)) trees.set(formula.text, parse(formula.text));
      formula.reads = [];
      formula.dependents = [];
      formula.compute = compile(trees.get(formula.text), formula.sheet, this, formula.reads);
    });
    this.order = this.sorted();
    const readers = this.formulas.flatMap((formula) => formula.reads.map((area) => ({ sheet: area.sheet, area, formula })));
    this.readers = grouped(readers);
  }

  area(name) {
    const area = this.names.get(name.toLowerCase());
    if (!area) throw new Unsupported(name);
    return area;
  }

  cells(area, visit) {
    for (let row = area.row; row < area.row + area.rows; row++) {
      for (let col = area.col; col < area.col + area.cols; col++) visit(row, col);
    }
  }

  value(sheet, row, col) { return this.sheets.get(sheet).values[row]?.[col] ?? null; }

  matrix(area) {
    const { values } = this.sheets.get(area.sheet), list = new Array(area.rows * area.cols);
    let k = 0;
    this.cells(area, (row, col) => { list[k++] = values[row]?.[col] ?? null; });
    return new Matrix(area.rows, area.cols, list);
  }

  // The formulas in topological order: each one after those that it reads.
  sorted() {
    const sources = new Map(); // area → the formulas that fill it
    const order = [];
    const before = (area) => {
      const key = `${area.sheet}!${area.row},${area.col},${area.rows},${area.cols}`;
      if (!sources.has(key)) {
        const formulas = new Set();
        const owners = this.owners.get(area.sheet);
        if (!owners) throw new Unsupported(area.sheet);
        this.cells(area, (row, col) => { if (owners[row]?.[col]) formulas.add(owners[row][col]); });
        sources.set(key, formulas);
      }
      return sources.get(key);
    };
    for (const formula of this.formulas) {
      formula.needs = new Set(formula.reads.flatMap((area) => [...before(area)]));
      formula.needs.forEach((source) => source.dependents.push(formula));
    }
    const waiting = new Map(this.formulas.map((formula) => [formula, formula.needs.size]));
    const ready = this.formulas.filter((formula) => !formula.needs.size);
    while (ready.length) {
      const formula = ready.pop();
      order.push(formula);
      for (const dependent of formula.dependents) {
        waiting.set(dependent, waiting.get(dependent) - 1);
        if (waiting.get(dependent) === 0) ready.push(dependent);
      }
    }
    if (order.length < this.formulas.length) throw new Unsupported("a circular reference");
    return order;
  }

  // Sets typed cells and recalculates all formulas that depend on them, or those in `within`; returns all changed cells
  // with their previous values.
  set(changes, within) {
    const changed = [], dirty = new Set();
    for (const { sheet, row, col, value } of changes) {
      this.put(sheet, row, col, value, changed);
      for (const { area, formula } of this.readers.get(sheet) ?? []) if (covers(area, row, col)) dirty.add(formula);
    }
    return this.recalculate(dirty, changed, within);
  }

  // Recalculates the given formulas, by default all, and those that depend on changed results.
  recalculate(dirty = new Set(this.formulas), changed = [], within = undefined) {
    for (const formula of this.order) {
      if (!dirty.has(formula) || (within && !within.has(formula))) continue;
      const count = changed.length, result = matrix(formula.compute());
      this.cells(formula.area, (row, col) => {
        const value = result.at(row - formula.area.row, col - formula.area.col) ?? 0; // a blank result is 0
        this.put(formula.sheet, row, col, value, changed);
      });
      if (changed.length > count) formula.dependents.forEach((dependent) => dirty.add(dependent));
    }
    return changed;
  }

  put(sheet, row, col, value, changed) {
    const line = (this.sheets.get(sheet).values[row] ??= []), before = line[col] ?? null;
    if (Object.is(before, value)) return;
    line[col] = value;
    changed.push({ sheet, row, col, before, value });
  }
}

function covers(area, row, col) {
  return area.row <= row && row < area.row + area.rows && area.col <= col && col < area.col + area.cols;
}

// Groups things by their sheet.
function grouped(things) {
  const groups = new Map();
  for (const thing of things) {
    if (!groups.has(thing.sheet)) groups.set(thing.sheet, []);
    groups.get(thing.sheet).push(thing);
  }
  return groups;
}
