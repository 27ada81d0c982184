// Reads the parts of an .xlsx file into a calculation, and writes changed cells back into them.
const CELL = /<c\s+r="([A-Z]+\d+)"([^>]*?)(?:\/>|>(.*?)<\/c>)/gs;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
function plainText(xml) {
  return xml.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (all, hex, number, name) =>
    (hex ? String.fromCodePoint(parseInt(hex, 16)) : number ? String.fromCodePoint(+number) : ENTITIES[name] ?? all));
}
function escaped(text) {
  return text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
}
// The text of a string item, without its phonetic hints.
function textIn(xml) {
  const runs = xml.replace(/<rPh\b.*?<\/rPh>/gs, "").matchAll(/<t(?:\s[^>]*)?>(.*?)<\/t>/gs);
  return [...runs].map(([, text]) => unescapeControls(plainText(text))).join("");
}
// What XML cannot hold is written like _x000B_, and the _ of a text that looks like this as _x005F_.
function escapeControls(text) {
  const code = (sign) => sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return text.replace(/[\0-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[\dA-F]{4}_)/gi, (sign) => `_x${code(sign)}_`);
}
function unescapeControls(text) {
  return text.replace(/_x([\dA-F]{4})_/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}
const attribute = (tag, name) => { const match = new RegExp(`\\s${name}="([^"]*)"`).exec(tag); return match && plainText(match[1]); };

// The cells and names of a workbook, and what is needed to write it: its parts, and the part of each sheet.
function readWorkbook(parts) {
  const main = parts.get("xl/workbook.xml"), files = new Map(), sheets = new Map();
  const targets = new Map(relationships(parts, "xl/workbook.xml").map(({ id, target }) => [id, target]));
  const items = (parts.get("xl/sharedStrings.xml") ?? "").matchAll(/<si>(.*?)<\/si>|<si\/>/gs);
  const strings = [...items].map(([, inner]) => textIn(inner ?? ""));
  for (const [tag] of main.matchAll(/<sheet\s[^>]*>/g)) {
    const name = attribute(tag, "name"), file = targets.get(attribute(tag, "r:id"));
    files.set(name, file);
    sheets.set(name, readSheet(parts.get(file), name, strings));
  }
  const defined = [...main.matchAll(/<definedName\s([^>]*)>(.*?)<\/definedName>/gs)].filter(([, tag, reference]) =>
    !/localSheetId=/.test(tag) && /^('([^']|'')+'|[^\s'!,()]+)!\$[A-Z]+\$\d+(:\$[A-Z]+\$\d+)?$/.test(plainText(reference)));
  const names = Object.fromEntries(defined.map(([, tag, reference]) => [attribute(` ${tag}`, "name"), plainText(reference)]));
  return { sheets, names, parts, files };
}

// What a part refers to: [{ id, type, target }], the targets as names of parts.
function relationships(parts, file) {
  const [, folder, name] = /^(.*)\/([^/]+)$/.exec(file);
  const tags = (parts.get(`${folder}/_rels/${name}.rels`) ?? "").matchAll(/<Relationship\s[^>]*>/g);
  return [...tags].map(([tag]) => {
    const target = attribute(tag, "Target");
    const part = target.startsWith("/") ? target.slice(1) : new URL(target, `file:///${folder}/`).pathname.slice(1);
    return { id: attribute(tag, "Id"), type: attribute(tag, "Type"), target: part };
  });
}

function readSheet(xml, sheet, strings) {
  const values = [], formulas = [];
  for (const [, place, tag, inner = ""] of xml.matchAll(CELL)) {
    const { row, col } = placeOf(place), kind = attribute(tag, "t");
    const raw = /<v(?:\s[^>]*)?>(.*?)<\/v>/s.exec(inner)?.[1];
    const formula = /<f([^>]*?)(?:\/>|>(.*?)<\/f>)/s.exec(inner);
    if (formula) {
      formulas.push({ text: plainText(formula[2] ?? "").replace(/^=/, ""), area: areaOf(attribute(formula[1], "ref") ?? place, sheet) });
    }
    const value = kind === "inlineStr" ? textIn(inner) : valueOf(kind, raw, strings);
    if (value !== null) (values[row] ??= [])[col] = value;
  }
  return { values, formulas };
}

function valueOf(kind, raw, strings) {
  if (raw === undefined) return kind === "str" ? "" : null;
  if (kind === "s") return strings[raw];
  if (kind === "str") return unescapeControls(plainText(raw));
  if (kind === "b") return raw === "1";
  if (kind === "e") return ERRORS[plainText(raw)] ?? NO_VALUE;
  return Number(raw);
}

// The file with changed cells: only their sheets are rewritten, and the properties name the live page as the program.
function writeWorkbook({ sheets, parts, files }, changes) {
  const written = new Map(parts);
  for (const [sheet, cells] of grouped(changes)) {
    const { values } = sheets.get(sheet), file = files.get(sheet);
    const changed = new Map(cells.map(({ row, col }) => [cellName(row, col), values[row]?.[col] ?? null]));
    written.set(file, writeSheet(parts.get(file), changed));
  }
  const properties = parts.get("docProps/app.xml"), main = parts.get("xl/workbook.xml");
  if (properties) {
    written.set("docProps/app.xml", properties.replace(/<Application>.*?<\/Application>/s, "<Application>the live page</Application>"));
  }
  if (!/fullCalcOnLoad="1"/.test(main)) { // written by another program
    const plain = main.replace(/<calcPr[^>]*?(\/>|>.*?<\/calcPr>)/s, "");
    written.set("xl/workbook.xml", plain.replace("</definedNames>", '</definedNames><calcPr fullCalcOnLoad="1"/>'));
  }
  return zip(written);
}

// A sheet with changed cells: address → value.
function writeSheet(xml, changed) {
  const places = new Map(changed);
  const written = xml.replace(CELL, (all, place, tag, inner = "") => {
    if (!places.has(place)) return all;
    const [kind, content] = cellXml(places.get(place)), formula = /<f[^>]*?(?:\/>|>.*?<\/f>)/s.exec(inner)?.[0] ?? "";
    places.delete(place);
    return `<c r="${place}"${tag.replace(/\st="[^"]*"/, "")}${kind}${formula || content ? `>${formula}${content}</c>` : "/>"}`;
  });
  if (places.size) throw new Unsupported([...places.keys()][0]);
  return written;
}

function cellXml(value) {
  if (value === null) return ["", ""];
  if (typeof value === "number") return ["", `<v>${value}</v>`];
  if (typeof value === "boolean") return [' t="b"', `<v>${Number(value)}</v>`];
  if (isError(value)) return [' t="e"', `<v>${escaped(value.code)}</v>`];
  return [' t="str"', `<v>${escaped(escapeControls(value))}</v>`];
}
