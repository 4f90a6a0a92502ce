// The page of `hearth serve`. The window is the part of time that is shown; a selection is the part whose flame graph stands
// below. Both are in the address, by absolute times, so that it can be passed on:
//
//   /?event=cpu&by=unit&since=1795262400&until=1795266000&a=1795262700..1795262760&only=unit:nginx.service#zoom=...
//
// The part behind the # is the flame graph's own address. Texts from the server are only ever set as textContent.
"use strict";

const $ = (id) => document.getElementById(id);
const SPANS = [[900, "15 min"], [3600, "1 h"], [6 * 3600, "6 h"], [86400, "24 h"], [7 * 86400, "7 d"]];
const FILTERS = { comm: "comm", unit: "unit", container: "container", user: "uid", pod: "pod" }; // options by group
const POLL_MS = 10000;

let store = null; // the answer of /api/events
let chart = { kind: "timeline", data: null, since: 0, until: 1, a: null, b: null, cursor: null, isDark: darkTheme.matches };
let state = { event: "", by: "comm", since: 0, until: 0, a: null, b: null, only: null, isFollowing: false };
let pending = null, frame = null, shownTag = null;

const tell = (words) => ($("told").textContent = words);
const event = () => (store && store.events.find((e) => e.name === state.event && e.histogram === state.isHistogram)) || null;

// --- Address

const wordMoment = (seconds) => String(Math.round(seconds * 1000) / 1000);
const wordPair = (range) => `${wordMoment(range[0])}..${wordMoment(range[1])}`;

function readPair(text) {
  const pair = (text || "").split("..").map(Number);
  return pair.length === 2 && pair.every(Number.isFinite) && pair[0] < pair[1] ? pair : null;
}

function addressOf() {
  const words = new URLSearchParams();
  words.set("event", state.event);
  if (state.isHistogram) words.set("histogram", "1");
  else words.set("by", state.by);
  if (!state.isFollowing) words.set("since", wordMoment(state.since)), words.set("until", wordMoment(state.until));
  else words.set("last", String(Math.round(state.until - state.since)));
  if (state.a) words.set("a", wordPair(state.a));
  if (state.b) words.set("b", wordPair(state.b));
  if (state.only) words.set("only", state.only.join(":"));
  return `?${words}`;
}

function remember(keepsFrame, isStart) {
  const url = addressOf() + (keepsFrame ? location.hash : "");
  if (url === location.search + location.hash) return;
  isStart ? history.replaceState(null, "", url) : history.pushState(null, "", url);
}

function readAddress() {
  const words = new URLSearchParams(location.search), only = (words.get("only") || "").split(/:(.*)/s);
  const first = store.events.find((e) => e.name === "cpu" && !e.histogram) || store.events[0];
  const named = store.events.find((e) => e.name === words.get("event") && e.histogram === words.has("histogram")) ||
    store.events.find((e) => e.name === words.get("event")) || first;
  const isLive = store.now - store.until < 120, last = Number(words.get("last")) || 3600;
  const window = readPair(`${words.get("since")}..${words.get("until")}`), end = isLive ? store.now : store.until;
  state = { event: named ? named.name : "", isHistogram: !!named && named.histogram,
    by: [...$("by").options].some((o) => o.value === words.get("by")) ? words.get("by") : "comm",
    since: window ? window[0] : isLive ? end - last : Math.max(end - last, Math.min(store.since, end - 10)), until: window ? window[1] : end,
    a: readPair(words.get("a")), b: readPair(words.get("b")),
    only: FILTERS[only[0]] && only[1] ? [only[0], only[1]] : null, isFollowing: !window && isLive };
}

// --- Questions

function parametersOf(range, extra) {
  const words = new URLSearchParams({ event: state.event, from: `@${wordMoment(range[0])}`, to: `@${wordMoment(range[1])}`, ...extra });
  if (state.only) words.set(FILTERS[state.only[0]], state.only[1]);
  return words;
}

async function ask(path, words, signal) {
  const answer = await fetch(`${path}?${words}`, { signal, cache: "no-cache", credentials: "same-origin" });
  const data = await answer.json();
  if (!answer.ok) throw new Error(data.error);
  return { data, tag: answer.headers.get("ETag") };
}

async function load() {
  if (pending) pending.abort();
  const own = (pending = new AbortController()), slow = setTimeout(() => (tell("reading \u2026"), ($("cancel").hidden = false)), 400);
  const columns = Math.max(Math.min(Math.floor(($("lanes").clientWidth - MARGIN.left - MARGIN.right) / 3), 1000), 20);
  const path = state.isHistogram ? "/api/heatmap" : "/api/timeline";
  const words = parametersOf([state.since, state.until], state.isHistogram ? { columns } : { columns, by: state.by });
  try {
    const { data } = await ask(path, words, own.signal);
    chart = { ...chart, kind: state.isHistogram ? "heatmap" : "timeline", data, since: state.since, until: state.until };
    tell("");
  } catch (error) {
    if (own !== pending) return;
    chart = { ...chart, data: null, since: state.since, until: state.until };
    tell(error.name === "AbortError" ? "cancelled" : error.message);
  } finally {
    clearTimeout(slow);
    if (own === pending) ($("cancel").hidden = true), (pending = null);
  }
  draw();
  listNames();
  listFacts();
  document.documentElement.dataset.loaded = String(Number(document.documentElement.dataset.loaded || 0) + 1);
}

// --- Drawing

function draw(isPrint) {
  const canvas = $("lanes"), ratio = isPrint === true ? 2 : devicePixelRatio || 1, width = canvas.parentElement.clientWidth;
  const height = width < 500 ? 190 : 240;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  Object.assign(chart, { a: state.a, b: state.b, isDark: isPrint === true ? false : darkTheme.matches });
  frame = drawChart(canvas, chart, ratio);
}

function chipOf(colour) {
  const chip = document.createElement("span");
  chip.className = "chip";
  chip.style.background = colour;
  return chip;
}

function nameItem(lane) {
  const key = FILTERS[state.by], canFilter = key && !/^\[|[*?\\[\]]/.test(lane.name) && !state.only;
  const item = document.createElement(canFilter ? "button" : "span"), amount = chart.data.period
    ? wordAmount(lane.total * chart.data.period, "ns") : wordAmount(lane.total, chart.data.unit);
  item.append(chipOf(colourOfName(lane.name, darkTheme.matches)), `${lane.name} ${amount}`);
  if (canFilter) item.onclick = () => ((state.only = [state.by, lane.name]), change());
  return item;
}

function listNames() {
  const items = [], { data } = chart;
  if (data && chart.kind === "timeline") items.push(...lanesOf(data).map(nameItem));
  else if (data) {
    const words = document.createElement("span");
    words.textContent = wordHeatmap(data);
    items.push(words);
  }
  $("names").replaceChildren(...items);
  const lost = data ? (data.losses || []).filter((loss) => !isEarlyEnd(loss.name)) : [];
  $("lost").hidden = !lost.length;
  $("lost").textContent = `Lost, where the marks are: ${lost.map((l) => `${l.name} ${l.total.toLocaleString("en")}`).join(", ")}.`;
  $("only").hidden = !state.only;
  $("only-words").textContent = state.only ? `Only ${state.only[0]} ${state.only[1]}:` : "";
}

function listFacts() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone, what = event(), { data } = chart;
  const amount = data && data.total ? (data.period ? `${wordAmount(data.total.samples * data.period, "ns")} of CPU`
    : wordAmount(data.unit === "samples" ? data.total.samples : data.total.value, data.unit)) : "";
  $("title").textContent = document.title = `${state.event || "nothing"} on ${store.host || "this host"}`;
  $("facts").textContent = [wordRange([state.since, state.until]), zone, amount, what && what.detail, store.kernel].filter(Boolean).join("  \u00b7  ");
  document.documentElement.dataset.samples = data && data.total ? data.total.samples : data ? data.values : "";
}

// --- The selection

function framePath(isDiff = !!state.b) {
  const what = event(), hasStacks = !what || what.stacks, format = hasStacks ? "html" : "hist-html";
  return (extra) => (isDiff && hasStacks
    ? `/api/diff?${parametersOf(state.a, { "before-from": `@${wordMoment(state.b[0])}`, "before-to": `@${wordMoment(state.b[1])}`, format, ...extra })}`
    : `/api/flame?${parametersOf(state.a, { format, ...extra })}`);
}

function showSelection(hash) {
  $("below").hidden = !state.a;
  $("into").disabled = !state.a;
  if (!state.a) {
    $("flame").removeAttribute("src");
    delete $("flame").dataset.path;
    return;
  }
  const path = framePath(), source = path({});
  $("below-words").textContent = state.b ? `${wordRange(state.a)} against ${wordRange(state.b)}` : wordRange(state.a);
  $("swap").hidden = !state.b;
  $("against").options[5].disabled = !state.b;
  if (state.b && !$("against").value) $("against").value = "drag";
  if (!state.b) $("against").value = "";
  for (const format of ["html", "svg", "pprof", "folded"]) {
    const isOfOne = format === "svg" || format === "pprof"; // no format of differences
    $(`save-${format}`).href = (isOfOne ? framePath(false) : path)({ format, download: "yes" });
  }
  $("alone").href = source;
  if ($("flame").dataset.path === source) return;
  $("flame").dataset.path = source;
  $("flame").src = source + (hash || "");
  tell("computing the flame graph \u2026");
  $("cancel").hidden = false;
}

function select(range, isSecond) {
  const bounded = range && [Math.min(...range), Math.max(...range)];
  if (isSecond && state.a) state.b = bounded;
  else Object.assign(state, { a: bounded, b: null });
  remember(false);
  draw();
  showSelection("");
}

function compare(how) {
  if (!state.a || how === "drag") return;
  const back = how === "before" ? state.a[1] - state.a[0] : Number(how);
  state.b = how ? [state.a[0] - back, state.a[1] - back] : null;
  remember(false);
  draw();
  showSelection("");
}

function describe(at) {
  const { data } = chart;
  if (!data) return "";
  const column = Math.floor((at - data.since) / data.step), when = `${wordDay(at)} ${wordTime(at)}`;
  if (column < 0 || column >= data.count || !(data.covered[column] > 0)) return `${when}: not recorded`;
  const lost = (lossesOf(data).get(column) || []).map(([name, count]) => `lost ${name} ${Number(count.toPrecision(3))}`);
  if (chart.kind === "heatmap") {
    return [`${when}: ${wordHeatColumn(data, column)}`, ...lost].join("  \u00b7  ");
  }
  const lanes = lanesOf(data), all = lanes.reduce((sum, lane) => sum + lane.rates[column], 0);
  const heaviest = lanes.filter((lane) => lane.rates[column] > 0).sort((x, y) => y.rates[column] - x.rates[column]).slice(0, 4);
  return [`${when}: ${wordRate(all, data)}`, ...heaviest.map((lane) => `${lane.name} ${wordRate(lane.rates[column], data)}`), ...lost].join("  \u00b7  ");
}

// --- The window

function change(isStart) {
  remember(true, isStart);
  $("event").value = `${state.isHistogram ? "h" : "s"}${state.event}`;
  $("by").value = state.by;
  $("by-label").hidden = state.isHistogram;
  $("follow").setAttribute("aria-pressed", state.isFollowing);
  const span = Math.round(state.until - state.since), known = SPANS.some(([s]) => s === span);
  $("span").replaceChildren(...[...SPANS, ...(known ? [] : [[span, wordSpan(span)]])].map(([s, words]) => new Option(words, s, false, s === span)));
  showSelection(location.hash);
  return load();
}

function moveWindow(since, until) {
  Object.assign(state, { since, until, isFollowing: false });
  change();
}

function shift(parts) {
  const by = (state.until - state.since) * parts;
  moveWindow(state.since + by, state.until + by);
}

function widen() {
  const by = state.until - state.since;
  moveWindow(state.since - by, state.until + by);
}

function setSpan(seconds) {
  const end = state.isFollowing ? store.now : state.until;
  Object.assign(state, { since: end - seconds, until: end });
  change();
}

function follow() {
  state.isFollowing = !state.isFollowing;
  if (state.isFollowing) setSpan(state.until - state.since);
  else change();
}

// New intervals: the store's tag has changed. The selection stays where it is.
async function poll() {
  if (document.hidden || pending) return;
  try {
    const { data, tag } = await ask("/api/events", "", undefined);
    if (tag === shownTag) return;
    shownTag = tag;
    store = data;
    if (state.isFollowing) Object.assign(state, { since: data.now - (state.until - state.since), until: data.now });
    listEvents();
    if (state.isFollowing || state.until > data.until - 60) await load();
  } catch (error) {
    tell(error.message);
  }
}

// --- Pointer and keys

function momentAt(clientX) {
  const box = $("lanes").getBoundingClientRect(), { plot } = frame;
  const part = (clientX - box.left - plot.left) / (plot.right - plot.left);
  return chart.since + Math.min(Math.max(part, 0), 1) * (chart.until - chart.since);
}

let drag = null; // {from, x, isSecond}

function onDown(event) {
  if (event.button) return;
  $("lanes").setPointerCapture(event.pointerId);
  drag = { from: momentAt(event.clientX), x: event.clientX, isSecond: event.shiftKey };
}

function onMove(event) {
  chart.cursor = momentAt(event.clientX);
  if (drag && Math.abs(event.clientX - drag.x) > 3) {
    const range = [Math.min(drag.from, chart.cursor), Math.max(drag.from, chart.cursor)];
    drag.range = range;
    drawChart($("lanes"), { ...chart, ...(drag.isSecond ? { b: range } : { a: range, b: null }) }, devicePixelRatio || 1);
    tell(wordRange(range));
    return;
  }
  draw();
  tell(describe(chart.cursor));
}

function onUp() {
  const done = drag;
  drag = null;
  if (done && done.range) select(done.range, done.isSecond);
}

function moveCursor(direction, isSelecting) {
  const step = chart.data ? chart.data.step : 1, at = chart.cursor === null ? (state.since + state.until) / 2 : chart.cursor;
  const to = Math.min(Math.max(at + direction * step, state.since), state.until);
  if (isSelecting) {
    const fixed = chart.anchor ?? at;
    Object.assign(chart, { anchor: fixed });
    state.a = fixed === to ? null : [Math.min(fixed, to), Math.max(fixed, to)];
  } else chart.anchor = null;
  chart.cursor = to;
  draw();
  tell(isSelecting && state.a ? wordRange(state.a) : describe(to));
}

function enter() {
  const step = chart.data ? chart.data.step : 1, at = chart.cursor === null ? (state.since + state.until) / 2 : chart.cursor;
  select(state.a || [at - step / 2, at + step / 2], false);
}

const keys = {
  Escape: () => select(null, false),
  "+": () => state.a && moveWindow(...state.a),
  "-": widen,
  "[": () => shift(-0.5),
  "]": () => shift(0.5),
  f: follow,
  "?": () => $("keys").showModal(),
};

function onKey(event) {
  if ($("keys").open || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, input")) return;
  if (event.target === $("lanes") && /^Arrow(Left|Right)$/.test(event.key)) moveCursor(event.key === "ArrowLeft" ? -1 : 1, event.shiftKey);
  else if (event.target === $("lanes") && event.key === "Enter") enter();
  else if (keys[event.key]) keys[event.key]();
  else return;
  event.preventDefault();
}

// The flame graph says what it shows, so that this page's address has it too.
function onMessage(message) {
  if (message.source !== $("flame").contentWindow) return;
  if (typeof message.data?.hearthSource === "string")
    open(framePath(false)({ format: "source", function: message.data.hearthSource }), "_blank", "noopener");
  if (typeof message.data?.hearthView !== "string") return;
  history.replaceState(null, "", addressOf() + (message.data.hearthView ? `#${message.data.hearthView}` : ""));
}

function onFrame() {
  if (!$("flame").dataset.path) return;
  $("cancel").hidden = true;
  tell("");
  document.documentElement.dataset.framed = String(Number(document.documentElement.dataset.framed || 0) + 1);
}

function cancel() {
  if (pending) pending.abort();
  if ($("flame").dataset.path) ($("flame").src = "about:blank"), delete $("flame").dataset.path;
  $("cancel").hidden = true;
  tell("cancelled");
}

// --- Start

function listEvents() {
  const options = store.events.map((e) => new Option(e.name + (e.histogram ? " (histogram)" : ""), `${e.histogram ? "h" : "s"}${e.name}`));
  $("event").replaceChildren(...options);
  $("event").value = `${state.isHistogram ? "h" : "s"}${state.event}`;
}

function listen() {
  const lanes = $("lanes");
  lanes.onpointerdown = onDown;
  lanes.onpointermove = onMove;
  lanes.onpointerup = lanes.onpointercancel = onUp;
  lanes.onpointerleave = () => drag || ((chart.cursor = null), draw());
  $("event").onchange = () => (Object.assign(state, { event: $("event").value.slice(1), isHistogram: $("event").value[0] === "h" }), change());
  $("by").onchange = () => ((state.by = $("by").value), change());
  $("span").onchange = () => setSpan(Number($("span").value));
  $("earlier").onclick = () => shift(-0.5);
  $("later").onclick = () => shift(0.5);
  $("into").onclick = () => moveWindow(...state.a);
  $("out").onclick = widen;
  $("follow").onclick = follow;
  $("help").onclick = () => $("keys").showModal();
  $("only-drop").onclick = () => ((state.only = null), change());
  $("against").onchange = () => compare($("against").value);
  $("swap").onclick = () => (Object.assign(state, { a: state.b, b: state.a }), remember(false), draw(), showSelection(""));
  $("drop").onclick = () => select(null, false);
  $("cancel").onclick = cancel;
  $("flame").onload = onFrame;
  addEventListener("keydown", onKey);
  addEventListener("message", onMessage);
  addEventListener("popstate", () => (readAddress(), change()));
  addEventListener("resize", () => draw());
  addEventListener("beforeprint", () => draw(true));
  addEventListener("afterprint", () => draw());
  darkTheme.onchange = () => (draw(), listNames());
}

async function start() {
  listen();
  try {
    const { data, tag } = await ask("/api/events", "", undefined);
    store = data;
    shownTag = tag;
  } catch (error) {
    return tell(error.message);
  }
  readAddress();
  listEvents();
  await change(true);
  setInterval(poll, POLL_MS);
}

start();
