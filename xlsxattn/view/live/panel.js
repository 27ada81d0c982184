// The bar for the selected cell: the cells its formula reads, an entry and a slider for an input, and the inputs
// that affect it.
const MAX_RANKED = 8, STEP = 0.1, NOTHING = 1e-12, PAUSE = 100; // a pause after so many milliseconds
let chosen = null, sliding = null, trial = 0;

function choose(node) {
  const { range: name, row, col } = node.dataset, range = data.ranges[name];
  const place = placeIn(range, +row, +col), value = valueAt(range, +row, +col);
  document.querySelectorAll(".read, .chosen").forEach((other) => other.classList.remove("read", "chosen"));
  chosen = { name, range, row: +row, col: +col, place };
  trial += 1;
  node.classList.add("chosen");
  const formula = formulaAt(place);
  for (const area of formula?.reads ?? []) {
    calculation.cells(area, (r, c) => nodesAt({ sheet: area.sheet, row: r, col: c }).forEach(({ node: one }) => one.classList.add("read")));
  }
  followHead(name, +row);
  byId("edit").hidden = range.role !== "input";
  byId("moves").disabled = !formula || typeof value !== "number" || value <= NEVER;
  refreshEntry();
}

function formulaAt({ sheet, row, col }) { return calculation.owners.get(sheet)[row]?.[col]; }

function refreshEntry() {
  if (chosen?.range.role !== "input") return;
  const value = valueAt(chosen.range, chosen.row, chosen.col), slider = byId("slider");
  byId("entry").value = value ?? "";
  byId("entry").removeAttribute("aria-invalid");
  slider.hidden = chosen.range.text;
  if (typeof value === "number" && sliding === null) {
    const reach = Math.max(2, 2 * Math.abs(value));
    Object.assign(slider, { min: -reach, max: reach, step: reach / 200, value });
  }
}

function commit(typed) {
  try {
    const change = changeOf(chosen.name, chosen.row, chosen.col, typed);
    if (!Object.is(change.value, calculation.value(change.sheet, change.row, change.col))) type([change]);
    byId("entry").removeAttribute("aria-invalid");
  } catch (error) {
    byId("entry").setAttribute("aria-invalid", "true");
    tell(error.message);
  }
}

// All moves of the slider until it is released are undone in one step.
function slide() {
  const value = Number(byId("slider").value);
  if (sliding === done.length) {
    const [step] = done.at(-1);
    step.value = value;
    tell(say("cells changed: {n}", { n: apply([{ ...chosen.place, value }]) }));
  } else {
    commit(value);
    sliding = done.length;
  }
  byId("entry").value = value;
}

// The change of a number when 0.1 is added to each numeric input that it depends on, the largest change first.
// A long trial pauses, so that the page stays responsive; another cell or an edit ends it, without a result.
async function effects(place) {
  const target = formulaAt(place), cone = new Set([target]);
  for (const formula of cone) formula.needs.forEach((one) => cone.add(one));
  const ranked = [], start = calculation.value(place.sheet, place.row, place.col), asked = trial;
  let resumed = performance.now();
  for (const { name, row, col, place: cell } of inputs) {
    const value = calculation.value(cell.sheet, cell.row, cell.col);
    if (typeof value !== "number") continue;
    if (performance.now() - resumed > PAUSE) {
      tell(say("trying {n} inputs …", { n: inputs.length }));
      await new Promise((resume) => { setTimeout(resume); });
      if (asked !== trial) return undefined;
      resumed = performance.now();
    }
    const tried = calculation.set([{ ...cell, value: value + STEP }], cone);
    const after = calculation.value(place.sheet, place.row, place.col);
    tried.reverse().forEach((one) => calculation.put(one.sheet, one.row, one.col, one.before, []));
    const effect = typeof after === "number" ? after - start : 0;
    if (Math.abs(effect) > NOTHING) ranked.push({ name, row, col, cell, effect });
  }
  return ranked.sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
}

async function showMoves() {
  clearMoves();
  const ranked = await effects(chosen.place);
  if (!ranked) return;
  const top = Math.abs(ranked[0]?.effect ?? 1), list = byId("ranking");
  for (const { cell, effect } of ranked) {
    for (const { node } of nodesAt(cell)) {
      node.classList.add(effect > 0 ? "raises" : "lowers");
      node.style.setProperty("--effect", `${((100 * Math.abs(effect)) / top).toFixed(0)}%`);
    }
  }
  list.replaceChildren(...ranked.slice(0, MAX_RANKED).map(({ name, row, col, cell, effect }) => {
    const range = data.ranges[name], change = `${effect > 0 ? "+" : "−"}${Math.abs(effect).toPrecision(2)}`;
    const single = range.shape.join() === "1,1";
    const labels = [label(labelsOf(range, "rows"), row), label(labelsOf(range, "cols"), col)];
    const place = single ? range.label || name : [name, ...labels].join(" · ");
    const button = element("button", { type: "button" }, place, element("b", { class: effect > 0 ? "more" : "less" }, ` ${change}`));
    button.addEventListener("click", () => { const node = nodeAt(cell); if (node) reveal(node); });
    return element("li", {}, button);
  }));
  list.hidden = false;
  tell(!ranked.length ? say("no typed number affects it")
    : say("inputs that affect it: {n}; beside each, the change when 0.1 is added to it", { n: ranked.length }));
}

function clearMoves() {
  trial += 1;
  document.querySelectorAll(".raises, .lowers").forEach((node) => node.classList.remove("raises", "lowers"));
  byId("ranking").hidden = true;
}

function reveal(node) {
  node.scrollIntoView({ block: "center", inline: "nearest" });
  enter(node);
}

// The link also becomes the address of the page, for browsers that do not let a file copy.
async function copyLink() {
  try {
    await navigator.clipboard.writeText(byId("link").href);
    tell(say("the link was copied"));
  } catch {
    tell(say("the link is the address of this page now"));
  }
}

function wirePanel() {
  sheets.addEventListener("focusin", (event) => { if (event.target.dataset.range) { sliding = null; choose(event.target); } });
  sheets.addEventListener("keydown", (event) => {
    if (chosen?.range.role !== "input" || !event.target.dataset.range || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key !== "Enter" && event.key !== "F2" && event.key.length !== 1) return;
    event.preventDefault();
    byId("entry").focus();
    if (event.key.length === 1) byId("entry").value = event.key;
    else byId("entry").select();
  });
  byId("edit").addEventListener("submit", (event) => {
    event.preventDefault();
    commit(byId("entry").value.trim()); // keyboards of phones add a space
    const node = nodeAt(chosen.place);
    if (node && !byId("entry").hasAttribute("aria-invalid")) node.focus();
  });
  byId("slider").addEventListener("input", slide);
  byId("slider").addEventListener("change", () => { sliding = null; });
  byId("undo").addEventListener("click", () => travel(done, undone, "before"));
  byId("redo").addEventListener("click", () => travel(undone, done, "value"));
  byId("moves").addEventListener("click", showMoves);
  byId("download").addEventListener("click", download);
  byId("link").addEventListener("click", copyLink);
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    if (event.target.matches("input:not([type=range])")) return; // a text being typed has its own undo
    event.preventDefault();
    event.shiftKey ? travel(undone, done, "value") : travel(done, undone, "before");
  });
}
