// Computes each formula of `calculation` with Univer from the values that the page has for all other cells.
// The values are on sheets of their own, so that a difference does not spread, and the order of the formulas is of no matter.
const { LocaleType, Univer, UniverInstanceType } = require("@univerjs/core");
const { FUniver } = require("@univerjs/core/facade");
const { UniverFormulaEnginePlugin } = require("@univerjs/engine-formula");
const { UniverSheetsPlugin } = require("@univerjs/sheets");
const { CalculationMode, UniverSheetsFormulaPlugin } = require("@univerjs/sheets-formula");
["sheets", "engine-formula", "sheets-formula"].forEach((name) => require(`@univerjs/${name}/facade`));
const SPARE = 50; // rows and columns for results that are larger than the range of their formula

const referenceTo = ({ sheet, row, col, rows, cols }) =>
  `${tabs.get(sheet)}!${cellName(row, col)}:${cellName(row + rows - 1, col + cols - 1)}`;
const tabs = new Map([...calculation.sheets.keys()].map((name, n) => [name, `values${n}`])); // names without quotation marks

// A formula for another sheet: its references name their sheet.
function moved({ text, sheet }) {
  return `=${tokens(text).map((token) => (token.kind === "cells" ? referenceTo(areaOf(token.text, sheet)) : token.text)).join("")}`;
}

function workbook() {
  const sheets = {}, names = {};
  const add = (name, cellData, rows, cols) => {
    const id = `s${Object.keys(sheets).length}`;
    sheets[id] = { id, name, cellData, rowCount: rows + SPARE, columnCount: cols + SPARE };
  };
  for (const [sheet, { values }] of calculation.sheets) {
    const width = Math.max(1, ...values.map((line) => line.length)), typed = {}, formulas = {};
    values.forEach((line, row) => line.forEach((value, col) => { if (value !== null) (typed[row] ??= {})[col] = cell(value); }));
    calculation.formulas.filter((formula) => formula.sheet === sheet).forEach((formula) => {
      (formulas[formula.area.row] ??= {})[formula.area.col] = { f: moved(formula) };
    });
    add(tabs.get(sheet), typed, values.length, width);
    add(`formulas_${tabs.get(sheet)}`, formulas, values.length, width);
  }
  for (const [name, area] of calculation.names) {
    names[name] = { id: name, name, formulaOrRefString: referenceTo(area) };
  }
  const resources = [{ name: "SHEET_DEFINED_NAME_PLUGIN", data: JSON.stringify(names) }];
  return { id: "workbook", sheetOrder: Object.keys(sheets), sheets, resources };
}

// An error is a formula that has this error: Univer takes a typed one for a text.
const FAILING = { "#N/A": "=NA()", "#DIV/0!": "=1/0", "#NUM!": "=SQRT(-1)", "#VALUE!": '=1+"x"' };
function cell(value) {
  return isError(value) ? { f: FAILING[value.code] } : { v: value, t: { string: 1, number: 2, boolean: 3 }[typeof value] };
}

async function computedByUniver() {
  const univer = new Univer({ locale: LocaleType.EN_US, locales: { [LocaleType.EN_US]: {} } });
  [UniverFormulaEnginePlugin, UniverSheetsPlugin].forEach((plugin) => univer.registerPlugin(plugin));
  univer.registerPlugin(UniverSheetsFormulaPlugin, { initialFormulaComputing: CalculationMode.FORCED });
  univer.createUnit(UniverInstanceType.UNIVER_SHEET, workbook());
  const api = FUniver.newAPI(univer);
  await api.getFormula().onCalculationEnd();
  const results = calculation.formulas.map(({ sheet, area: { row, col, rows, cols } }) =>
    api.getActiveWorkbook().getSheetByName(`formulas_${tabs.get(sheet)}`).getRange(row, col, rows, cols).getValues());
  univer.dispose();
  return results;
}

// The formulas compared, and the cells that differ: [formula, row, column, the page's value, Univer's].
// Formulas with errors are left out, as Univer shows one error for a range; so are comparisons with -1E6, which it misreads.
async function compare(limit) {
  const results = await computedByUniver(), far = [];
  let compared = 0;
  calculation.formulas.forEach(({ text, area }, n) => {
    const { values } = calculation.matrix(area), theirs = results[n].flat();
    if (values.some(isError) || text.includes("<-1E6")) return;
    compared += 1;
    values.forEach((value, k) => { if (!alike(value, theirs[k], limit)) far.push([text, Math.floor(k / area.cols), k % area.cols, value, theirs[k]]); });
  });
  return { compared, of: calculation.formulas.length, far };
}

function alike(ours, other, limit) {
  if (typeof ours === "string" || typeof other === "string") return (ours || "") === (other || "");
  return Math.abs(Number(ours) - Number(other)) <= limit * Math.max(1, Math.abs(ours));
}
