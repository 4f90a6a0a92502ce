// The page: what is shown, and what mouse and keys do to it. Texts from the profile are only ever set as textContent.
"use strict";

const trail = []; // views before: {tree, zoom}
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

function fit() {
  const canvas = $("canvas"), scroller = $("scroller"), ratio = devicePixelRatio || 1;
  const width = scroller.clientWidth, height = scroller.clientHeight;
  const rows = deepestIn(view.tree, view.zoom) + 1;
  view.contentHeight = Math.max(rows * ROW + 6, height);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  $("spacer").style.height = `${Math.max(view.contentHeight - height, 0)}px`;
  view.scroll = scroller.scrollTop;
  redraw();
}

// Views.

function show(tree, zoom, glide) {
  const { tree: before } = view;
  Object.assign(view, { tree, zoom, hover: -1, selected: zoom || tree !== whole ? zoom : view.selected });
  if (tree !== before) view.selected = zoom;
  setTones(tree);
  const toX = tree.x[zoom], toWidth = tree.total[zoom] || 1;
  if (glide && tree === before && !matchMedia("(prefers-reduced-motion: reduce)").matches)
    moving = { x: view.x, width: view.width, toX, toWidth };
  else Object.assign(view, { x: toX, width: toWidth }), (moving = null);
  $("back").disabled = !trail.length;
  $("reset").disabled = zoom === 0 && tree === whole;
  $("callers").disabled = view.selected <= 0 && tree === whole;
  $("mode").hidden = tree === whole;
  $("mode").textContent = tree === whole ? "" : `Callers of ${labels.name[tree.label[0]]}, by the weight of it and of ` +
    "all it calls; Back returns.";
  fit();
  reveal(zoom, true);
  countMatches();
  fillPanel();
  tell(view.selected);
  remember();
}

function zoomTo(node) {
  if (node < 0 || (node === view.zoom && node === view.selected && view.tree !== whole)) return;
  if (node !== view.zoom) trail.push({ tree: view.tree, zoom: view.zoom });
  show(view.tree, node, true);
}

function back() {
  const last = trail.pop();
  if (last) show(last.tree, last.zoom, true);
}

function reset() {
  if (view.zoom === 0 && view.tree === whole) return;
  trail.push({ tree: view.tree, zoom: view.zoom });
  show(whole, 0, true);
}

function showCallers(node) {
  if (node <= 0 && view.tree === whole) return;
  const tree = callersOf(whole, view.tree.label[node]);
  trail.push({ tree: view.tree, zoom: view.zoom });
  show(tree, 0, false);
}

function select(node) {
  if (node < 0) return;
  view.selected = node;
  $("callers").disabled = node === 0 && view.tree === whole;
  if (view.tree.x[node] < view.x - 1e-9 || view.tree.x[node] >= view.x + view.width) {
    let up = view.zoom;
    while (up && !(up <= node && node < view.tree.end[up])) up = view.tree.parent[up];
    if (view.tree.depth[node] >= view.tree.depth[up]) zoomTo(up);
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
  if (isStart) scroller.scrollTop = view.isFlame ? top - height + 4 * ROW : top - 3 * ROW;
  else if (top < scroller.scrollTop) scroller.scrollTop = top - ROW;
  else if (top + ROW > scroller.scrollTop + height) scroller.scrollTop = top - height + 2 * ROW;
  view.scroll = scroller.scrollTop;
}

function flip(isFlame) {
  view.isFlame = isFlame;
  $("flip").textContent = isFlame ? "Icicle" : "Flame";
  fit();
  reveal(view.zoom, true);
  remember();
  redraw();
}

function tell(node) {
  if (node < 0) {
    $("status").textContent = "";
    return;
  }
  const { name, what, weight } = describe(node);
  $("status").textContent = [name, ...what, ...weight].join("  \u00b7  ");
}

// The address keeps what is shown, so that it can be passed on.
function remember() {
  const words = new URLSearchParams();
  if (view.tree === whole && view.zoom) words.set("zoom", view.zoom);
  if (query.text) words.set(query.isRegex ? "regex" : "search", query.text);
  if (view.isFlame) words.set("flame", "1");
  try {
    window.history.replaceState(null, "", words.toString() ? `#${words}` : location.pathname + location.search);
  } catch (_) {
    // A page without an address of its own cannot keep it.
  }
}

// Search.

function search(text, isRegex) {
  query = { text, isRegex };
  $("regex").setAttribute("aria-pressed", isRegex);
  let matches = null, bad = false;
  const low = text.toLowerCase();
  try {
    const pattern = isRegex && text ? new RegExp(text, text === low ? "iu" : "u") : null;
    matches = pattern ? (name) => pattern.test(name)
      : text === low ? (name) => name.toLowerCase().includes(low) : (name) => name.includes(text);
  } catch (_) {
    bad = true;
  }
  $("search").classList.toggle("bad", bad);
  view.isMatch = text && !bad ? Uint8Array.from(labels.name, (name) => matches(name)) : null;
  countMatches();
  fillPanel();
  remember();
  redraw();
}

function countMatches() {
  const root = document.documentElement.dataset;
  if (!view.isMatch) {
    $("matched").textContent = "";
    delete root.matched;
    return;
  }
  const { sum, frames } = matchedIn(view.tree, view.zoom, view.isMatch);
  root.matched = sum;
  $("matched").textContent = [`matched ${share(sum, view.tree.total[view.zoom])}`, view.tree.sides ? "" : amount(sum),
    `${frames.toLocaleString("en")} frames`].filter(Boolean).join(" \u00b7 ");
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

// Mouse.

function nodeUnder(event) {
  const box = $("canvas").getBoundingClientRect(), y = event.clientY - box.top + view.scroll;
  const d = Math.floor((view.isFlame ? view.contentHeight - y : y) / ROW);
  if (d >= 0 && d < view.tree.depth[view.zoom]) {
    let node = view.zoom;
    while (view.tree.depth[node] > d) node = view.tree.parent[node];
    return node;
  }
  return nodeAt(view.tree, d, view.x + ((event.clientX - box.left) / box.width) * view.width);
}

function hover(event) {
  const node = event ? nodeUnder(event) : -1, tip = $("tip");
  if (node !== view.hover) {
    view.hover = node;
    redraw();
  }
  tip.hidden = node < 0;
  tell(node >= 0 ? node : view.selected);
  if (node < 0) return;
  const { name, what, weight } = describe(node), bold = document.createElement("b");
  bold.textContent = name;
  tip.replaceChildren(bold, ...[...what, ...weight].map((line, i) => {
    const span = document.createElement("span");
    span.textContent = line;
    span.className = i < what.length ? "faint" : "";
    return span;
  }));
  const right = event.clientX + 14 + tip.offsetWidth > innerWidth, below = event.clientY + 18 + tip.offsetHeight > innerHeight;
  tip.style.left = `${Math.max(right ? event.clientX - tip.offsetWidth - 10 : event.clientX + 14, 4)}px`;
  tip.style.top = `${Math.max(below ? event.clientY - tip.offsetHeight - 10 : event.clientY + 18, 4)}px`;
}

// Keys.

function move(direction) {
  const { tree } = view, at = view.selected < 0 ? view.zoom : view.selected;
  if (direction === "up") return select(tree.parent[at]);
  if (direction === "down") return select(heaviestChild(tree, at));
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
  c: () => showCallers(view.selected),
  f: togglePanel,
  i: () => flip(!view.isFlame),
  "?": () => $("keys").showModal(),
};

function onKey(event) {
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
  if (event.target.closest("button, tr") && event.key === "Enter") return;
  const action = keys[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

// Start.

function listen() {
  const canvas = $("canvas");
  $("scroller").onscroll = () => ((view.scroll = $("scroller").scrollTop), redraw());
  canvas.onfocus = () => view.selected < 0 && select(view.zoom);
  canvas.onmousemove = hover;
  canvas.onmouseleave = () => hover(null);
  canvas.onclick = (event) => {
    const node = nodeUnder(event);
    if (node < 0) return;
    view.selected = node;
    zoomTo(node);
  };
  canvas.oncontextmenu = (event) => {
    const node = nodeUnder(event);
    if (node > 0) event.preventDefault(), showCallers(node);
  };
  $("back").onclick = back;
  $("reset").onclick = reset;
  $("flip").onclick = () => flip(!view.isFlame);
  $("callers").onclick = () => showCallers(view.selected);
  $("table").onclick = $("panel-close").onclick = togglePanel;
  $("help").onclick = () => $("keys").showModal();
  $("search").oninput = () => search($("search").value, query.isRegex);
  $("regex").onclick = () => search($("search").value, !query.isRegex);
  for (const button of $("panel").querySelectorAll("[data-sort]"))
    button.onclick = () => ((sortBy = button.dataset.sort), fillPanel());
  addEventListener("keydown", onKey);
  addEventListener("resize", fit);
  darkTheme.onchange = () => ((palette = makePalette()), listKinds(), fillPanel(), redraw());
}

function start() {
  const words = new URLSearchParams(location.hash.slice(1)), zoom = Number(words.get("zoom")) || 0;
  listFacts();
  listKinds();
  listen();
  view.isFlame = words.has("flame");
  $("flip").textContent = view.isFlame ? "Icicle" : "Flame";
  $("search").value = words.get("regex") || words.get("search") || "";
  query = { text: $("search").value, isRegex: words.has("regex") };
  show(whole, Number.isInteger(zoom) && zoom > 0 && zoom < whole.count ? zoom : 0, false);
  search(query.text, query.isRegex);
  if (words.has("panel")) togglePanel();
  document.documentElement.dataset.frames = whole.count;
  document.documentElement.dataset.total = whole.total[0];
}

start();
