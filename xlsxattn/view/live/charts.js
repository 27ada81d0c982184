// The workbook's charts as SVG: bars, lines and points, drawn from the values of the page.
const CHART = { width: 480, height: 240, left: 44, right: 12, top: 12, bottom: 44 };
const COLOURS = ["#4f7cac", "#c77d3a", "#6b8f4e", "#8f6bb3", "#b35c6b", "#5f8f8f", "#8a8a3c", "#6b7785"];
const charts = [];

// The charts on each sheet: { sheet, kind, title, axes, series: [{ name, x, y, colour }] }; x and y are areas.
function readCharts() {
  for (const [sheet, file] of opened.files) charts.push(...chartsOn(sheet, file));
}

function chartsOn(sheet, file) {
  const files = related(file, "drawing").flatMap((drawing) => related(drawing, "chart"));
  return files.map((chart) => chartOf(sheet, opened.parts.get(chart))).filter(({ kind }) => kind);
}

function related(file, kind) {
  return relationships(opened.parts, file).filter(({ type }) => type.endsWith(`/${kind}`)).map(({ target }) => target);
}

function chartOf(sheet, xml) {
  const kind = /<c:(bar|line|scatter)Chart>/.exec(xml)?.[1], texts = allInside("c:title", xml).map(titleOf);
  return { sheet, kind, title: texts[0] ?? "", axes: texts.slice(1), series: allInside("c:ser", xml).map(seriesOf) };
}

function allInside(tag, xml) { return [...xml.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, "gs"))].map(([, inner]) => inner); }
function titleOf(xml) { return plainText(allInside("a:t", xml).join("")); }

function seriesOf(xml) {
  const inside = (tag, text) => allInside(`c:${tag}`, text)[0] ?? "";
  const reference = (tag) => { const text = inside("f", inside(tag, xml)); return text ? areaOf(plainText(text)) : null; };
  return {
    name: reference("tx"), typed: plainText(inside("v", inside("tx", xml))),
    x: reference("cat") ?? reference("xVal"), y: reference("val") ?? reference("yVal"),
    arrow: xml.includes("<a:tailEnd"), labelled: xml.includes("<c:dLbls>"),
  };
}

function drawCharts() { charts.forEach((chart) => chart.node?.replaceChildren(...pictureOf(chart))); }

function placeCharts() {
  for (const chart of charts) {
    const page = data.pages.find((one) => one.tab === chart.sheet), section = page && byId(page.id);
    if (!section) continue;
    chart.node = element("figure", { class: "chart" });
    section.append(chart.node);
  }
  drawCharts();
}

function pictureOf({ kind, title, axes, series }) {
  const lists = series.map(valuesOf);
  paintBySentence(lists);
  const scale = scaleOf(kind, lists);
  const picture = drawn("svg", { viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: "img", "aria-label": title || say("chart") });
  picture.append(...axesOf(scale, kind === "scatter" ? [] : lists[0]?.x ?? [], axes[0] ?? ""));
  lists.forEach((list, n) => picture.append(...marksOf(kind, list, n, lists.length, scale)));
  const legend = element("ul", { class: "legend" });
  if (lists.length > 1) legend.append(...lists.filter(({ labelled }) => !labelled).map(legendOf));
  return [element("figcaption", {}, title), picture, legend];
}

// A series with its present values and name, and a colour.
function valuesOf(series, n) {
  const values = (area) => (area ? calculation.matrix(area).values : []);
  const name = series.name ? toText(values(series.name)[0]) : series.typed;
  return { ...series, name, x: values(series.x), y: values(series.y), colour: COLOURS[n % COLOURS.length] };
}

// Where values are in the picture: x of a value or of the j-th category, y of a value; and the lowest and highest number.
function scaleOf(kind, lists) {
  const numbersOf = (key) => lists.flatMap((list) => list[key]).filter((value) => typeof value === "number");
  const [heights, widths] = [numbersOf("y"), kind === "scatter" ? numbersOf("x") : []];
  const low = Math.min(0, ...heights), high = Math.max(kind === "bar" ? 1 : 0, ...heights) || 1;
  const least = Math.min(0, ...widths), most = Math.max(0, ...widths) || 1;
  const across = CHART.width - CHART.left - CHART.right, down = CHART.height - CHART.top - CHART.bottom;
  const count = Math.max(1, ...lists.map((list) => list.y.length));
  return {
    low, high, width: across / count,
    x: (value) => CHART.left + (across * (value - least)) / (most - least),
    middle: (j) => CHART.left + (across * (j + 0.5)) / count,
    y: (value) => CHART.height - CHART.bottom - (down * (value - low)) / (high - low),
  };
}

function axesOf({ low, high, middle, y }, categories, title) {
  const every = Math.ceil(categories.length / 12), centred = { "text-anchor": "middle" };
  const number = (value) => drawn("text", { x: CHART.left - 6, y: y(value) + 4, "text-anchor": "end" }, fixed(value, 2).replace("-", "−"));
  const category = (word, j) => drawn("text", { x: middle(j), y: CHART.height - 26, ...centred }, toText(word));
  return [
    drawn("line", { x1: CHART.left, x2: CHART.width - CHART.right, y1: y(0), y2: y(0), class: "axis" }),
    number(low), number(high), ...categories.map(category).filter((_, j) => j % every === 0),
    drawn("text", { x: (CHART.left + CHART.width - CHART.right) / 2, y: CHART.height - 6, ...centred }, title),
  ];
}

function legendOf({ name, colour }) {
  const item = element("li", {}, name);
  item.style.setProperty("--series", colour);
  return item;
}

// The labelled points of a sentence follow its arrow, and have its colour.
function paintBySentence(lists) {
  let arrow = null;
  for (const list of lists) {
    if (list.arrow) arrow = list;
    else if (list.labelled && arrow) list.colour = arrow.colour;
  }
}

function marksOf(kind, list, n, n_series, scale) {
  const points = list.y.map((value, j) => [value, j]).filter(([value]) => typeof value === "number");
  if (kind === "bar") return points.map(([value, j]) => bar(value, j, list.colour, n - n_series / 2, (0.7 * scale.width) / n_series, scale));
  if (kind === "line") return [stroke(points.map(([value, j]) => [scale.middle(j), scale.y(value)]), list.colour)];
  const places = points.filter(([, j]) => typeof list.x[j] === "number").map(([value, j]) => [scale.x(list.x[j]), scale.y(value)]);
  if (list.arrow) return [stroke(places, list.colour)];
  const dots = places.map(([cx, cy]) => drawn("circle", { cx, cy, r: 5, fill: list.colour }));
  return list.labelled ? [...dots, ...places.map((place) => pointLabel(place, list.name, n))] : dots;
}

// A bar of a group; `shift` counts bars from the middle of the group.
function bar(value, j, fill, shift, width, { y, middle }) {
  const height = Math.abs(y(value) - y(0));
  return drawn("rect", { x: middle(j) + shift * width, y: Math.min(y(0), y(value)), width, height, fill });
}

function stroke(places, colour) {
  return drawn("polyline", { points: places.join(" "), stroke: colour, fill: "none", "stroke-width": 2 });
}

// The label of a point: towards the middle, alternately below and above it.
function pointLabel([x, y], name, n) {
  const right = x < CHART.width / 2;
  return drawn("text", { x: x + (right ? 9 : -9), y: y + (n % 2 ? -5 : 13), "text-anchor": right ? "start" : "end" }, name);
}
