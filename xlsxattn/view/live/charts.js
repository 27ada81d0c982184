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
  return files.map((chart) => opened.parts.get(chart)).map((xml) => ({ sheet, kind: /<c:(bar|line|scatter)Chart>/.exec(xml)?.[1], ...textsOf(xml),
    series: [...xml.matchAll(/<c:ser>(.*?)<\/c:ser>/gs)].map(([, inner]) => seriesOf(inner)) })).filter(({ kind }) => kind);
}

function related(file, kind) {
  return relationships(opened.parts, file).filter(({ type }) => type.endsWith(`/${kind}`)).map(({ target }) => target);
}

function textsOf(xml) {
  const texts = [...xml.matchAll(/<c:title>(.*?)<\/c:title>/gs)].map(([, inner]) => [...inner.matchAll(/<a:t>(.*?)<\/a:t>/gs)].map(([, text]) => plainText(text)).join(""));
  return { title: texts[0] ?? "", axes: texts.slice(1) };
}

function seriesOf(xml) {
  const inside = (tag, text) => new RegExp(`<c:${tag}>(.*?)</c:${tag}>`, "s").exec(text)?.[1] ?? "";
  const reference = (tag) => { const text = inside("f", inside(tag, xml)); return text ? areaOf(plainText(text)) : null; };
  const typed = inside("v", inside("tx", xml));
  const kept = { arrow: xml.includes("<a:tailEnd"), labelled: xml.includes("<c:dLbls>") };
  return { ...kept, name: reference("tx"), typed: plainText(typed), x: reference("cat") ?? reference("xVal"), y: reference("val") ?? reference("yVal") };
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
  const valuesOf = (area) => (area ? calculation.matrix(area).values : []);
  const lists = series.map((one, n) => ({ ...one, colour: COLOURS[n % COLOURS.length], name: one.name ? toText(single(calculation.matrix(one.name))) : one.typed, x: valuesOf(one.x), y: valuesOf(one.y) }));
  paintBySentence(lists);
  const heights = lists.flatMap(({ y }) => y).filter((value) => typeof value === "number");
  const scattered = kind === "scatter", categories = lists[0]?.x ?? [];
  const widths = scattered ? lists.flatMap(({ x }) => x).filter((value) => typeof value === "number") : [];
  const [low, high] = [Math.min(0, ...heights), Math.max(kind === "bar" ? 1 : 0, ...heights) || 1];
  const [least, most] = [Math.min(0, ...widths), Math.max(0, ...widths) || 1];
  const y = (value) => CHART.height - CHART.bottom - ((value - low) / (high - low)) * (CHART.height - CHART.top - CHART.bottom);
  const room = CHART.width - CHART.left - CHART.right, count = Math.max(1, ...lists.map((list) => list.y.length));
  const x = (value, j) => CHART.left + room * (scattered ? (value - least) / (most - least) : (j + 0.5) / count);
  const picture = drawn("svg", { viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: "img", "aria-label": title || say("chart") });
  picture.append(drawn("line", { x1: CHART.left, x2: CHART.width - CHART.right, y1: y(0), y2: y(0), class: "axis" }));
  for (const value of [low, high]) picture.append(drawn("text", { x: CHART.left - 6, y: y(value) + 4, "text-anchor": "end" }, fixed(value, 2).replace("-", "−")));
  const every = Math.ceil(categories.length / 12);
  if (!scattered) categories.forEach((word, j) => { if (j % every === 0) picture.append(drawn("text", { x: x(0, j), y: CHART.height - 26, "text-anchor": "middle" }, toText(word))); });
  picture.append(drawn("text", { x: CHART.left + room / 2, y: CHART.height - 6, "text-anchor": "middle" }, axes[0] ?? ""));
  lists.forEach((list, n) => marksOf(kind, list, n, lists.length, { x, y, room, count }).forEach((mark) => picture.append(mark)));
  const names = lists.filter(({ labelled }) => !labelled)
    .map(({ name, colour }) => { const item = element("li", {}, name); item.style.setProperty("--series", colour); return item; });
  return [element("figcaption", {}, title), picture, element("ul", { class: "legend" }, ...(lists.length > 1 ? names : []))];
}

// The labelled points of a sentence follow its arrow, and have its colour.
function paintBySentence(lists) {
  let arrow = null;
  for (const list of lists) {
    if (list.arrow) arrow = list;
    else if (list.labelled && arrow) list.colour = arrow.colour;
  }
}

function marksOf(kind, list, n, n_series, { x, y, room, count }) {
  const { colour } = list, points = list.y.map((value, j) => [value, j]).filter(([value]) => typeof value === "number");
  if (kind === "bar") {
    const width = (0.7 * room) / count / n_series;
    return points.map(([value, j]) => drawn("rect", { x: x(0, j) - (width * n_series) / 2 + n * width, width,
      y: Math.min(y(0), y(value)), height: Math.abs(y(value) - y(0)), fill: colour }));
  }
  if (kind === "line") return [drawn("polyline", { points: points.map(([value, j]) => `${x(0, j)},${y(value)}`).join(" "), stroke: colour, fill: "none", "stroke-width": 2 })];
  const places = points.filter(([, j]) => typeof list.x[j] === "number").map(([value, j]) => [x(list.x[j], j), y(value)]);
  if (list.arrow) return [drawn("polyline", { points: places.join(" "), stroke: colour, fill: "none", "stroke-width": 2 })];
  const labels = places.map(([across, down]) => { // towards the middle, alternately below and above the point
    const right = across < CHART.width / 2;
    return drawn("text", { x: across + (right ? 9 : -9), y: down + (n % 2 ? -5 : 13), "text-anchor": right ? "start" : "end" }, list.name);
  });
  return [...places.map(([across, down]) => drawn("circle", { cx: across, cy: down, r: 5, fill: colour })), ...(list.labelled ? labels : [])];
}
