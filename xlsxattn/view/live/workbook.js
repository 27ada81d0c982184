// Reads an .xlsx file into a calculation, and writes changed cells back into the same file.
const CELL = /<c\s+r="([A-Z]+\d+)"([^>]*?)(?:\/>|>(.*?)<\/c>)/gs;
const utf8 = { read: (bytes) => new TextDecoder().decode(bytes), write: (text) => new TextEncoder().encode(text) };

async function through(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

// The parts of a ZIP archive, still compressed: name → { header, bytes, method, crc, size }.
function unzip(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), parts = new Map();
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new Unsupported("ZIP");
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left; left--) {
    const [method, crc, packed, size] = [view.getUint16(at + 10, true), ...[16, 20, 24].map((k) => view.getUint32(at + k, true))];
    const [name, extra, comment] = [28, 30, 32].map((k) => view.getUint16(at + k, true));
    const local = view.getUint32(at + 42, true);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    parts.set(utf8.read(bytes.subarray(at + 46, at + 46 + name)), { method, crc, size, bytes: bytes.subarray(start, start + packed) });
    at += 46 + name + extra + comment;
  }
  return parts;
}

async function textOf(part) {
  return utf8.read(part.method ? await through(part.bytes, new DecompressionStream("deflate-raw")) : part.bytes);
}

async function packed(text) {
  const plain = utf8.write(text);
  return { method: 8, crc: checksum(plain), size: plain.length, bytes: await through(plain, new CompressionStream("deflate-raw")) };
}

const CRC = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 && 0xedb88320);
  return crc;
});
function checksum(bytes) {
  let crc = -1;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC[(crc ^ byte) & 255];
  return ~crc >>> 0;
}

function zip(parts) {
  const local = [], central = [];
  let at = 0;
  for (const [name, { method, crc, size, bytes }] of parts) {
    const title = utf8.write(name);
    // version, flags (names in UTF-8), method, time and date (1 January 1980), checksum, sizes, length of the name
    const shared = record([2, 20], [2, 0x800], [2, method], [2, 0], [2, 0x21], [4, crc], [4, bytes.length], [4, size], [2, title.length], [2, 0]);
    local.push(record([4, 0x04034b50]), shared, title, bytes);
    central.push(record([4, 0x02014b50], [2, 20]), shared, record([2, 0], [2, 0], [2, 0], [4, 0], [4, at]), title);
    at += 30 + title.length + bytes.length;
  }
  const size = central.reduce((sum, piece) => sum + piece.length, 0);
  return new Blob([...local, ...central, record([4, 0x06054b50], [4, 0], [2, parts.size], [2, parts.size], [4, size], [4, at], [2, 0])]);
}

function record(...fields) {
  const bytes = fields.flatMap(([length, value]) => Array.from({ length }, (_, k) => (value >>> (8 * k)) & 255));
  return Uint8Array.from(bytes);
}

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
function unescapeControls(text) {
  return text.replace(/_x([\dA-F]{4})_/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}
const attribute = (tag, name) => { const match = new RegExp(`\\s${name}="([^"]*)"`).exec(tag); return match && plainText(match[1]); };

// The cells and names of a file, and what is needed to write it: its parts, their texts, and the file of each sheet.
async function readWorkbook(bytes) {
  const parts = unzip(bytes), texts = new Map(), files = new Map();
  const text = async (name) => {
    if (!texts.has(name)) texts.set(name, parts.has(name) ? await textOf(parts.get(name)) : "");
    return texts.get(name);
  };
  const main = await text("xl/workbook.xml"), relations = await text("xl/_rels/workbook.xml.rels");
  const targets = new Map([...relations.matchAll(/<Relationship\s[^>]*>/g)].map(([tag]) => [attribute(tag, "Id"), attribute(tag, "Target")]));
  const strings = [...(await text("xl/sharedStrings.xml")).matchAll(/<si>(.*?)<\/si>|<si\/>/gs)].map(([, inner]) => textIn(inner ?? ""));
  const sheets = new Map();
  for (const [tag] of main.matchAll(/<sheet\s[^>]*>/g)) {
    const name = attribute(tag, "name"), target = targets.get(attribute(tag, "r:id"));
    files.set(name, target.startsWith("/") ? target.slice(1) : `xl/${target}`);
  }
  await Promise.all([...files.values()].map(text));
  for (const [name, file] of files) sheets.set(name, readSheet(texts.get(file), name, strings));
  const defined = [...main.matchAll(/<definedName\s([^>]*)>(.*?)<\/definedName>/gs)].filter(([, tag, reference]) =>
    !/localSheetId=/.test(tag) && /^('([^']|'')+'|[^\s'!,()]+)!\$[A-Z]+\$\d+(:\$[A-Z]+\$\d+)?$/.test(plainText(reference)));
  const names = Object.fromEntries(defined.map(([, tag, reference]) => [attribute(` ${tag}`, "name"), plainText(reference)]));
  return { sheets, names, parts, texts, files };
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
async function writeWorkbook({ sheets, parts, texts, files }, changes) {
  const written = new Map(parts), touched = grouped(changes);
  for (const [sheet, cells] of touched) {
    const places = new Map(cells.map(({ row, col }) => [cellName(row, col), sheets.get(sheet).values[row]?.[col] ?? null]));
    const xml = texts.get(files.get(sheet)).replace(CELL, (all, place, tag, inner = "") => {
      if (!places.has(place)) return all;
      const [kind, content] = cellXml(places.get(place));
      places.delete(place);
      const formula = /<f[^>]*?(?:\/>|>.*?<\/f>)/s.exec(inner)?.[0] ?? "";
      return `<c r="${place}"${tag.replace(/\st="[^"]*"/, "")}${kind}${formula || content ? `>${formula}${content}</c>` : "/>"}`;
    });
    if (places.size) throw new Unsupported([...places.keys()][0]);
    written.set(files.get(sheet), await packed(xml));
  }
  const properties = "docProps/app.xml", main = texts.get("xl/workbook.xml");
  if (parts.has(properties)) {
    const named = (await textOf(parts.get(properties))).replace(/<Application>.*?<\/Application>/s, "<Application>the live page</Application>");
    written.set(properties, await packed(named));
  }
  if (!/fullCalcOnLoad="1"/.test(main)) { // written by another program
    const plain = main.replace(/<calcPr[^>]*?(\/>|>.*?<\/calcPr>)/s, ""), mark = '<calcPr fullCalcOnLoad="1"/>';
    written.set("xl/workbook.xml", await packed(plain.replace(/<\/definedNames>/, `</definedNames>${mark}`)));
  }
  return zip(written);
}

function cellXml(value) {
  if (value === null) return ["", ""];
  if (typeof value === "number") return ["", `<v>${value}</v>`];
  if (typeof value === "boolean") return [' t="b"', `<v>${Number(value)}</v>`];
  if (isError(value)) return [' t="e"', `<v>${escaped(value.code)}</v>`];
  return [' t="str"', `<v>${escaped(value)}</v>`];
}
