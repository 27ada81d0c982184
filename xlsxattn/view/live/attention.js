// The part that stays visible: the sentences with the attention of the selected word, lines between words,
// and a grid of all heads.
const SVG = "http://www.w3.org/2000/svg", LINE_HEIGHT = 24, LINES_WIDTH = 240;
let shownHead = 0, shownRows = {};

const places = () => [...new Map(data.heads.map((head) => [headKey(head), head])).values()];
const headKey = ({ tab, sheet, side, layer, head }) => [tab, sheet, side, layer, head].join("/");
const headsOf = (place) => data.heads.filter((head) => headKey(head) === headKey(place));
function headName({ tab, side, layer, head }) {
  const inLayer = layer && say("layer {n}", { n: layer }), named = inLayer && tab.endsWith(inLayer); // the tab may say it
  const parts = [tab, side && say("cross-attention"), !named && inLayer, head && say("head {n}", { n: head })];
  return parts.filter(Boolean).join(" · ");
}

function drawn(tag, options = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(options)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// The selected row: the one that was clicked, or that of the focus word; the first row if the sentence lacks it.
function rowOf(head) {
  const range = data.ranges[head.name], focus = data.ranges[data.contexts[head.context]?.focus];
  const row = shownRows[head.context] ?? (focus ? Number(valueAt(focus, 0, 0)) - 1 : 0);
  return row >= 0 && row < range.shape[0] ? row : 0;
}

function strength(value) { return typeof value === "number" ? Math.max(0, Math.min(1, value)) : 0; }

function drawSight() {
  const place = places()[shownHead];
  if (!place) return;
  byId("lanes-in-sight").replaceChildren(...headsOf(place).map(sentenceOf));
  if (byId("lines").open) {
    byId("drawn").replaceChildren(...headsOf(place).map(strandsOf));
    byId("grid").replaceChildren(...places().map(gridButton));
  }
}

function sentenceOf(head) {
  const range = data.ranges[head.name], row = rowOf(head), list = element("ol", { class: "sentence" });
  labelsOf(range, "cols").forEach((word, j) => {
    const weight = valueAt(range, row, j);
    const button = element("button", { type: "button", "aria-pressed": String(j === row) }, word || "–",
      element("small", {}, typeof weight === "number" ? fixed(weight, 2) : String(weight ?? "")));
    button.style.setProperty("--heat", strength(weight).toFixed(3));
    button.addEventListener("click", () => chooseWord(head, j));
    list.append(element("li", {}, button));
  });
  return list;
}

// Selects the row of a word, and its cell so that another word can be typed.
function chooseWord(head, index) {
  if (index < data.ranges[head.name].shape[0]) shownRows[head.context] = index;
  const name = data.contexts[head.context]?.tokens, range = data.ranges[name];
  drawSight();
  byId("lanes-in-sight").children[headsOf(head).indexOf(head)]?.querySelectorAll("button")[index]?.focus();
  if (range?.role !== "input" || index >= range.shape[0] * range.shape[1]) return;
  const [row, col] = range.shape[0] > 1 ? [index, 0] : [0, index];
  const node = nodeAt(placeIn(range, row, col));
  if (node) { choose(node); describe(node); }
}

function strandsOf(head) {
  const range = data.ranges[head.name], row = rowOf(head), [rows, cols] = range.shape;
  const height = LINE_HEIGHT * Math.max(rows, cols), y = (index) => LINE_HEIGHT * (index + 0.6);
  const name = say("attention of {head}, from the words on the left to those on the right", { head: head.name });
  const picture = drawn("svg", { viewBox: `0 0 ${LINES_WIDTH} ${height}`, role: "img", "aria-label": name, width: LINES_WIDTH });
  indices(rows).forEach((i) => indices(cols).forEach((j) => {
    const weight = strength(valueAt(range, i, j));
    if (weight < 0.005) return;
    picture.append(drawn("line", { x1: 80, x2: LINES_WIDTH - 80, y1: y(i) - 4, y2: y(j) - 4, "stroke-width": 0.5 + 4 * weight,
      "stroke-opacity": 0.15 + 0.85 * weight, class: i === row ? "followed" : "" }));
  }));
  const [left, right] = ["rows", "cols"].map((side) => labelsOf(range, side));
  const word = (x, index, text, options) => drawn("text", { x, y: y(index), ...options }, text);
  picture.append(
    ...indices(rows).map((i) => word(76, i, label(left, i), { "text-anchor": "end", class: i === row ? "followed" : "" })),
    ...indices(cols).map((j) => word(LINES_WIDTH - 76, j, label(right, j))),
  );
  return picture;
}

function gridButton(place, index) {
  const button = element("button", { type: "button", "aria-pressed": String(index === shownHead), title: headName(place) });
  for (const head of headsOf(place)) {
    const range = data.ranges[head.name], [rows, cols] = range.shape;
    const size = { viewBox: `0 0 ${cols} ${rows}`, width: 44, height: 44, preserveAspectRatio: "none" };
    const map = drawn("svg", { ...size, "aria-hidden": "true" });
    indices(rows).forEach((i) => indices(cols).forEach((j) =>
      map.append(drawn("rect", { x: j, y: i, width: 1, height: 1, "fill-opacity": strength(valueAt(range, i, j)).toFixed(3) }))));
    button.append(map);
  }
  button.append(element("span", {}, headName(place)));
  button.addEventListener("click", () => { showHead(index); byId("grid").children[index].focus(); });
  return button;
}

function showHead(index) {
  shownHead = index;
  byId("head").value = index;
  drawSight();
}

// Shows the head and the row of the selected cell of an attention matrix.
function followHead(name, row) {
  const head = data.heads.find((one) => one.name === name);
  if (!head) return;
  shownRows[head.context] = row;
  showHead(places().findIndex((place) => headKey(place) === headKey(head)));
}

function wireSight() {
  if (!data.heads.length) return;
  const select = element("select", { id: "head" }, ...places().map((place, index) =>
    element("option", { value: index, "data-place": [place.layer, place.head].filter(Boolean).join() }, headName(place))));
  const details = element("details", { id: "lines" }, element("summary", {}, say("lines and all heads")),
    element("div", { id: "drawn" }), element("div", { id: "grid" }));
  const sentences = element("div", { id: "lanes-in-sight", lang: byId("sheets").lang });
  byId("sight").append(element("label", { for: "head" }, say("attention in")), " ", select, sentences, details);
  byId("sight").hidden = false;
  select.addEventListener("change", () => showHead(Number(select.value)));
  details.addEventListener("toggle", drawSight);
  const below = () => { document.documentElement.style.scrollPaddingTop = `${byId("sight").offsetHeight}px`; };
  new ResizeObserver(below).observe(byId("sight")); // links lead to headings below this part
  drawSight();
}
