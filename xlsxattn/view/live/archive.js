// The parts of the workbook: restores them from the page (view/pack.py), and writes them as a ZIP archive.
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~"; // of base 85
const utf8 = {
  read: (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
  write: (text) => new TextEncoder().encode(text),
};

async function through(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

// The bytes of a text in base 85, decompressed: five digits are four bytes.
async function unpacked(text) {
  const values = new Map([...DIGITS].map((digit, value) => [digit, value]));
  const digits = text.padEnd(Math.ceil(text.length / 5) * 5, DIGITS.at(-1));
  const bytes = new DataView(new ArrayBuffer((digits.length / 5) * 4));
  for (let k = 0; k < digits.length; k += 5) {
    let word = 0;
    for (let j = k; j < k + 5; j++) word = word * 85 + values.get(digits[j]);
    bytes.setUint32((k / 5) * 4, word);
  }
  const length = Math.floor((text.length * 4) / 5);
  return through(new Uint8Array(bytes.buffer, 0, length), new DecompressionStream("deflate"));
}

// The parts of a file: name → text, or bytes if it is no text.
async function unpackedParts(packed, packedNumbers) {
  const stream = await unpacked(packed), restored = restorer(utf8.read(await unpacked(packedNumbers)).split(" "));
  const start = stream.indexOf(10) + 1, parts = new Map();
  let at = start;
  for (const [name, size] of JSON.parse(utf8.read(stream.subarray(0, start)))) {
    const part = textOrBytes(stream.subarray(at, at + size));
    parts.set(name, name.startsWith("xl/worksheets/") && typeof part === "string" ? restored(part) : part);
    at += size;
  }
  return parts;
}

function textOrBytes(bytes) {
  try {
    return utf8.read(bytes);
  } catch {
    return bytes;
  }
}

// Restores sheets in order. Rows and cells without an address follow the one before; an address may lack its row.
// <n> is the next number of the list, <n3> the third from the end of those before.
function restorer(numbers) {
  let used = 0;
  return (xml) => {
    let row = 0, col = -1;
    return xml.replace(SHORTENED, (tag, number, letters, digits, back) => {
      if (tag.startsWith("<n")) return `<v>${back ? numbers[used - back] : numbers[used++]}</v>`;
      if (tag.startsWith("<row")) {
        [row, col] = [number ? Number(number) : row + 1, -1];
        return `<row r="${row}"`;
      }
      if (digits) return tag;
      col = letters ? placeOf(letters + row).col : col + 1;
      return `<c r="${cellName(row - 1, col)}"`;
    });
  };
}
const SHORTENED = /<row(?: r="(\d+)")?(?=[ >/])|<c(?: r="([A-Z]+)(\d*)")?(?=[ >/])|<n(\d*)>/g;

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

async function zip(parts) {
  const local = [], central = [];
  let at = 0;
  for (const [name, part] of parts) {
    const title = utf8.write(name), bytes = typeof part === "string" ? utf8.write(part) : part;
    const compressed = await through(bytes, new CompressionStream("deflate-raw"));
    // version, flags (names in UTF-8), method (deflate), time and date (1 January 1980), checksum, sizes, length of the name
    const shared = record([2, 20], [2, 0x800], [2, 8], [2, 0], [2, 0x21],
      [4, checksum(bytes)], [4, compressed.length], [4, bytes.length], [2, title.length], [2, 0]);
    local.push(record([4, 0x04034b50]), shared, title, compressed);
    central.push(record([4, 0x02014b50], [2, 20]), shared, record([2, 0], [2, 0], [2, 0], [4, 0], [4, at]), title);
    at += 30 + title.length + compressed.length;
  }
  const size = central.reduce((sum, piece) => sum + piece.length, 0);
  return new Blob([...local, ...central, record([4, 0x06054b50], [4, 0], [2, parts.size], [2, parts.size], [4, size], [4, at], [2, 0])]);
}

function record(...fields) {
  const bytes = fields.flatMap(([length, value]) => Array.from({ length }, (_, k) => (value >>> (8 * k)) & 255));
  return Uint8Array.from(bytes);
}
