// The page: what is shown, and what mouse and keys do to it. Texts from the profile are only ever set as textContent.
"use strict";

let pending = 0, moving = null;

// Drawing, once a frame of the screen.

function redraw() {
  if (!pending) pending = requestAnimationFrame(paint);
}

function paint(now) {
  pending = 0;
  const started = performance.now();
  if (moving) step(now);
  const drawn = drawPicture($("canvas"), view, palette);
  const root = document.documentElement.dataset;
  root.drawn = drawn;
  root.drawMs = (performance.now() - started).toFixed(2);
  if (moving) redraw();
}

// Glides from the part in sight to the one wanted.
function step(now) {
  moving.started ??= now;
  const time = Math.min((now - moving.started) / 170, 1), eased = 1 - (1 - time) ** 3;
  view.x = moving.x + (moving.toX - moving.x) * eased;
  view.width = moving.width + (moving.toWidth - moving.width) * eased;
  if (time === 1) moving = null;
}

// On paper the whole picture is drawn, as wide as the page: PAPER is about A4's width in pixels of CSS, and no canvas can be much
// higher than CANVAS_MAX.
const PAPER = 1000, CANVAS_MAX = 16000;

function fit(isPrint) {
  const canvas = $("canvas"), scroller = $("scroller"), ratio = isPrint === true ? 2 : devicePixelRatio || 1;
  const width = isPrint === true ? PAPER : scroller.clientWidth;
  const rows = rowsOf(view), needed = rows * ROW + 6;
  const height = isPrint === true ? Math.min(needed, CANVAS_MAX) : scroller.clientHeight;
  view.contentHeight = isPrint === true ? needed : Math.max(needed, height);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = isPrint === true ? "100%" : `${width}px`;
  canvas.style.height = isPrint === true ? "auto" : `${height}px`;
  $("spacer").style.height = isPrint === true ? "0" : `${Math.max(view.contentHeight - height, 0)}px`;
  view.scroll = isPrint === true ? 0 : scroller.scrollTop;
  if (isPrint === true) drawPicture(canvas, { ...view, hover: -1, ratio }, palette);
  else redraw();
}

// Paper is light.
function dress(isPrint) {
  palette = isPrint ? makePalette(false) : makePalette();
  listKinds();
  fit(isPrint);
}

// Views: the whole profile, the callers or the callees of a function, the whole with recursion merged.

const trees = new Map();
let filters = noFilters(), collapse = "", group = "", base = whole; // the whole, or what the filters leave of it, by function, binary or file

const pickFilters = (of, picks) => Object.fromEntries(Object.entries(of).map(([how, list]) => [how, list.filter(picks)]));
const isFunctionLabel = (label) => label < functionCount;

// Functions are left out before they are put together, binaries and files after that.
function makeBase() {
  const before = pickFilters(filters, isFunctionLabel), after = pickFilters(filters, (label) => !isFunctionLabel(label));
  let tree = group ? groupTree(whole, groupings[group]) : whole;
  if (hasFilters(before)) tree = filterTree(tree, before);
  if (collapse) tree = collapseTree(tree, collapsed[collapse]);
  if (hasFilters(after)) tree = filterTree(tree, after);
  return tree === whole ? whole : Object.assign(tree, { kind: collapse ? "collapsed" : "filtered" });
}

function setBase(wantedFilters, wantedCollapse, wantedGroup = group) {
  if (JSON.stringify([wantedFilters, wantedCollapse, wantedGroup]) === JSON.stringify([filters, collapse, group])) return;
  trees.clear();
  [filters, collapse, group] = [wantedFilters, wantedCollapse, wantedGroup];
  $("group").value = group;
  $("collapse").value = collapse;
  base = makeBase();
}

// Another event's data take the place of those shown.
function openEvent(at) {
  loadEvent(at);
  trees.clear();
  labelHashes.clear();
  [filters, collapse, group, base] = [noFilters(), "", "", whole];
  Object.assign(view, { labels, tree: whole, zoom: 0, selected: -1, hover: -1, isMatch: null });
  $("events").value = at;
  $("title").textContent = document.title = data.title;
  listGroups();
  listFacts();
}

// Functions and paths mean the same in all events, so that the address of one is one of the others.
function showEvent(at) {
  if (at === eventAt || !events[at]) return;
  const words = new URLSearchParams(addressOf());
  words.set("event", events[at]);
  window.history.pushState({ viewDepth: ++viewDepth }, "");
  restore(words);
}

function listEvents() {
  $("events").hidden = events.length < 2;
  $("events").replaceChildren(...events.map((name, i) => Object.assign(document.createElement("option"), { value: i, textContent: name })));
  $("events").onchange = () => showEvent(Number($("events").value));
}

// Threads and processes that are too many for the page stand in the list all the same.
function listGroups() {
  const others = ["pid", "tid", "none"].filter((other) => other !== data.roots);
  $("group").replaceChildren(...["", ...others].map((other) => {
    const isThere = !other || !!groupings[other], words = wordGroup(other || data.roots);
    return Object.assign(document.createElement("option"), { value: other, disabled: !isThere,
      textContent: isThere ? words : `${words}: report --group-by ${other}` });
  }));
  $("group").value = group;
}

function groupBy(what) {
  setBase(filters, collapse, what);
  goTo(base, 0, false);
}

function nextGroup() {
  const there = ["", ...Object.keys(groupings)];
  groupBy(there[(there.indexOf(group) + 1) % there.length]);
}

function collapseBy(what) {
  setBase(pickFilters(filters, isFunctionLabel), what);
  goTo(base, 0, false);
}

// Leaves out by the function of a node.
function addFilter(how, node) {
  const label = node >= 0 ? view.tree.label[node] : -1;
  if (label < 0 || !isFunction(view.tree, node) || filters[how].includes(label)) return;
  setBase({ ...filters, [how]: [...filters[how], label] }, collapse);
  goTo(base, 0, false);
}

function wordFilters() {
  const words = { only: "Only stacks with", without: "Without stacks of", hide: "Without frames of" };
  const said = Object.keys(words).filter((how) => filters[how].length)
    .map((how) => `${words[how]} ${filters[how].map((label) => labels.name[label]).join(", ")}.`);
  return said.length ? `${said.join(" ")} ${whole.sides ? "" : `${share(base.total[0], whole.total[0])} of all. `}Reset shows everything. ` : "";
}

function treeOf(kind, label) {
  const key = `${kind} ${label}`;
  if (!trees.has(key)) {
    trees.clear(); // one besides the whole: each may be as large
    const make = { sandwich: sandwichOf, callers: callersOf, callees: calleesOf, merged: mergeRecursion }[kind];
    trees.set(key, Object.assign(make(base, label), { kind }));
  }
  return trees.get(key);
}

function wordMode(tree) {
  const name = labels.name[tree.label[0]], drawn = data.cut ? " Frames too light to be drawn are missing." : "";
  const together = { "": "", binary: "Functions put together by binary. ", file: "Functions put together by source file. " }[collapse];
  const roots = { "": "", pid: "A root for each process. ", tid: "A root for each thread. ", none: "One root for all. " }[group];
  return wordFilters() + roots + together + { whole: "", filtered: "", collapsed: "", merged: `Recursion merged: what a function calls in its own recursion stands below its first call.`,
    sandwich: `${name}: who calls it above, what it calls below; Back returns.${drawn}`,
    callers: `Callers of ${name}, by the weight of it and of all it calls; Back returns.${drawn}`,
    callees: `What ${name} calls, wherever it was called from; Back returns.${drawn}` }[tree.kind];
}

function show(tree, zoom, glide) {
  const { tree: before } = view;
  Object.assign(view, { tree, zoom, hover: -1, selected: zoom || tree !== whole ? zoom : view.selected });
  if (tree !== before) view.selected = zoom;
  setTones(tree);
  const toX = tree.x[zoom], toWidth = tree.total[zoom] || 1;
  if (glide && tree === before && !matchMedia("(prefers-reduced-motion: reduce)").matches)
    moving = { x: view.x, width: view.width, toX, toWidth };
  else Object.assign(view, { x: toX, width: toWidth }), (moving = null);
  $("reset").disabled = zoom === 0 && tree === base && !hasFilters(filters);
  $("merge").setAttribute("aria-pressed", tree.kind === "merged");
  allowFunction(view.selected);
  $("mode").hidden = tree === whole;
  $("mode").textContent = wordMode(tree);
  fit();
  reveal(zoom, true);
  countMatches();
  fillPanel();
  tell(view.selected);
}

// To another view, which the browser's Back returns from.
function goTo(tree, zoom, glide) {
  show(tree, zoom, glide);
  remember(true);
}

function zoomTo(node) {
  if (node < 0 || (node === view.zoom && node === view.selected && view.tree !== whole)) return;
  if (node === view.zoom) show(view.tree, node, true);
  else goTo(view.tree, node, true);
}

function back() {
  if (viewDepth) window.history.back();
}

function reset() {
  setBase(noFilters(), collapse);
  if (view.zoom !== 0 || view.tree !== base) goTo(base, 0, true);
}

// The function of a node, with all that calls it or all that it calls.
function showFunction(kind, node) {
  const label = node >= 0 ? view.tree.label[node] : -1;
  if (label >= 0 && isFunction(view.tree, node)) goTo(treeOf(kind, label), 0, false);
}

function isFunction(tree, node) {
  return (node > 0 || (node === 0 && !["whole", "merged", "filtered", "collapsed"].includes(tree.kind))) && labels.kind[tree.label[node]] !== "r";
}

function allowFunction(node) {
  for (const id of ["sandwich", "callers", "callees"]) $(id).disabled = !isFunction(view.tree, node);
}

function toggleMerged() {
  goTo(view.tree.kind === "merged" ? base : treeOf("merged", 0), 0, false);
}

function select(node) {
  if (node < 0) return;
  view.selected = node;
  allowFunction(node);
  if (!isInSight(view, node)) {
    let up = view.zoom;
    while (up && !(up <= node && node < view.tree.end[up])) up = view.tree.parent[up];
    zoomTo(up);
    view.selected = node;
  }
  reveal(node, false);
  tell(node);
  redraw();
}

// Scrolls so that the node's row is in sight; at the near end, with some of its callers, where a view begins.
function reveal(node, isStart) {
  const scroller = $("scroller"), height = scroller.clientHeight, depth = view.tree.depth[node];
  const top = view.isFlame ? view.contentHeight - (depth + 1) * ROW : depth * ROW;
  if (isStart && view.tree.middle && node === 0) scroller.scrollTop = top - height / 2;
  else if (isStart) scroller.scrollTop = view.isFlame ? top - height + 4 * ROW : top - 3 * ROW;
  else if (top < scroller.scrollTop) scroller.scrollTop = top - ROW;
  else if (top + ROW > scroller.scrollTop + height) scroller.scrollTop = top - height + 2 * ROW;
  view.scroll = scroller.scrollTop;
}

function flip(isFlame) {
  view.isFlame = isFlame;
  $("flip").textContent = isFlame ? "Icicle" : "Flame";
  fit();
  reveal(view.zoom, true);
  remember(false);
  redraw();
}

function colourBy(what) {
  view.colours = $("colours").value = what;
  listKinds();
  remember(false);
  redraw();
}

function tell(node) {
  if (node < 0) {
    $("status").textContent = "";
    return;
  }
  $("status").textContent = describeShortly(node);
}

// Search.

// Characters beyond 16 bits need the flag u, which refuses needless escapes such as `\\:`; other tools take these.
function patternOf(text, ignoresCase) {
  try {
    return new RegExp(text, ignoresCase ? "iu" : "u");
  } catch (_) {
    return new RegExp(text, ignoresCase ? "i" : "");
  }
}

function search(text, isRegex) {
  query = { text, isRegex };
  $("regex").setAttribute("aria-pressed", isRegex);
  let matches = null, bad = false;
  const low = text.toLowerCase();
  try {
    const pattern = isRegex && text ? patternOf(text, text === low) : null;
    matches = pattern ? (name) => pattern.test(name)
      : text === low ? (name) => name.toLowerCase().includes(low) : (name) => name.includes(text);
  } catch (_) {
    bad = true;
  }
  $("search").classList.toggle("bad", bad);
  view.isMatch = text && !bad ? Uint8Array.from(labels.name, (name) => matches(name)) : null;
  countMatches();
  fillPanel();
  remember(false);
  redraw();
}

function countMatches() {
  const root = document.documentElement.dataset;
  if (!view.isMatch) {
    $("matched").textContent = "";
    delete root.matched;
    return;
  }
  const { sum, frames, isLeast } = weighMatches();
  root.matched = sum;
  $("matched").textContent = [`matched ${isLeast ? "at least " : ""}${share(sum, view.tree.total[view.zoom])}`, view.tree.sides ? "" : amount(sum),
    `${frames.toLocaleString("en")} frames`].filter(Boolean).join(" \u00b7 ");
}

// Of a page without its lightest frames only one function's weight in all is known; what else is found is the least there is.
function weighMatches() {
  const found = view.tree.middle && view.zoom === 0 ? matchedInHalves(view.tree, view.isMatch) : matchedIn(view.tree, view.zoom, view.isMatch);
  if (!data.cut) return found;
  const ofFunctions = view.isMatch.subarray(0, functionCount), first = ofFunctions.indexOf(1), isOne = first >= 0 && ofFunctions.indexOf(1, first + 1) < 0;
  if (isOne && view.tree === whole && view.zoom === 0 && !whole.sides) return { ...found, sum: sums[0].total[first] };
  return { ...found, isLeast: true };
}

function nextMatch(direction) {
  const { tree, zoom, isMatch } = view, count = tree.end[zoom] - zoom;
  if (!isMatch) return;
  const from = view.selected >= zoom && view.selected < tree.end[zoom] ? view.selected : zoom;
  for (let i = 1; i <= count; i++) {
    const node = zoom + ((((from - zoom + i * direction) % count) + count) % count);
    if (isMatch[tree.label[node]]) return select(node);
  }
}

// Keys.

function move(direction) {
  const { tree } = view, at = view.selected < 0 ? view.zoom : view.selected;
  if (direction === "up" || direction === "down") return select(neighbourOf(tree, at, direction === "down"));
  const d = tree.depth[at], row = firstRightOf(tree, d, tree.x[at]) + (direction === "right" ? 1 : -1);
  if (row >= tree.rowStart[d] && row < tree.rowStart[d + 1]) select(tree.rowNode[row]);
}

const keys = {
  ArrowUp: () => move(view.isFlame ? "down" : "up"),
  ArrowDown: () => move(view.isFlame ? "up" : "down"),
  ArrowLeft: () => move("left"),
  ArrowRight: () => move("right"),
  Enter: () => zoomTo(view.selected),
  Backspace: back,
  Home: reset,
  Escape: () => (query.text ? (($("search").value = ""), search("", query.isRegex)) : reset()),
  "/": () => ($("search").focus(), $("search").select()),
  n: () => nextMatch(1),
  N: () => nextMatch(-1),
  s: () => showFunction("sandwich", view.selected),
  ContextMenu: showMenuOfSelected,
  c: () => showFunction("callers", view.selected),
  e: () => showFunction("callees", view.selected),
  o: () => addFilter("only", view.selected),
  x: () => addFilter("without", view.selected),
  h: () => addFilter("hide", view.selected),
  m: toggleMerged,
  v: () => showEvent((eventAt + 1) % events.length),
  g: nextGroup,
  b: () => collapseBy({ "": "binary", binary: "file", file: "" }[collapse]),
  k: () => whole.sides || colourBy({ kind: "binary", binary: "self", self: "kind" }[view.colours]),
  f: togglePanel,
  i: () => flip(!view.isFlame),
  "?": () => $("keys").showModal(),
};

function onKey(event) {
  if (!$("menu").hidden) return onMenuKey(event);
  if ($("keys").open || event.ctrlKey || event.metaKey) return;
  if (event.altKey) {
    if (event.key === "r") $("regex").click();
    return;
  }
  if (event.target === $("search")) {
    if (event.key === "Escape") $("search").value ? (($("search").value = ""), search("", query.isRegex)) : $("canvas").focus();
    if (event.key === "Enter") $("canvas").focus(), nextMatch(1);
    return;
  }
  if (event.target.closest("button, select") && (event.key === "Enter" || event.key === " ")) return;
  const action = keys[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

// Start.

function listen() {
  $("scroller").onscroll = () => ((view.scroll = $("scroller").scrollTop), redraw());
  $("canvas").onfocus = () => view.selected < 0 && select(view.zoom);
  listenToPointer();
  $("back").onclick = back;
  $("reset").onclick = reset;
  $("flip").onclick = () => flip(!view.isFlame);
  $("sandwich").onclick = () => showFunction("sandwich", view.selected);
  $("callers").onclick = () => showFunction("callers", view.selected);
  $("callees").onclick = () => showFunction("callees", view.selected);
  $("merge").onclick = toggleMerged;
  $("group").onchange = () => groupBy($("group").value);
  $("collapse").onchange = () => collapseBy($("collapse").value);
  $("colours").hidden = !!whole.sides; // a difference has its own
  $("colours").onchange = () => colourBy($("colours").value);
  $("table").onclick = $("panel-close").onclick = togglePanel;
  $("panel-rows").onkeydown = movePanelRow;
  $("panel-scroller").onscroll = drawRows;
  $("panel-csv").onclick = copyCsv;
  $("help").onclick = () => $("keys").showModal();
  $("search").oninput = () => search($("search").value, query.isRegex);
  $("regex").onclick = () => search($("search").value, !query.isRegex);
  $("early").onclick = () => (($("search").value = "^\\[(truncated|unwind: .*)\\]$"), search($("search").value, true));
  for (const button of $("panel").querySelectorAll("[data-sort]")) button.onclick = () => sortPanel(button.dataset.sort);
  addEventListener("keydown", onKey);
  addEventListener("resize", fit);
  addEventListener("popstate", onAddress);
  addEventListener("hashchange", onAddress);
  addEventListener("beforeprint", () => dress(true));
  addEventListener("afterprint", () => dress(false));
  darkTheme.onchange = () => ((palette = makePalette()), listKinds(), fillPanel(), redraw());
}

function start() {
  viewDepth = (window.history.state && window.history.state.viewDepth) || 0;
  listFacts();
  listEvents();
  listGroups();
  listKinds();
  listen();
  restore(new URLSearchParams(location.hash.slice(1)));
  $("back").disabled = !viewDepth;
}

start();
