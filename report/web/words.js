// The page's data, and the words for it. Texts from the profile are only ever set as textContent.
"use strict";

const $ = (id) => document.getElementById(id);
const datasets = [$("data"), ...document.querySelectorAll("script.event")]; // one for each event of the page
let eventAt, data, functionCount, collapsed, groupings, labels, whole, sums;

// Makes the data of an event those that are shown.
function loadEvent(at) {
  eventAt = at;
  data = JSON.parse(datasets[at].textContent);
  functionCount = data.names.length;
  collapsed = { binary: collapseLabels(data, functionCount, "binary"), file: collapseLabels(data, functionCount, "file") };
  whole = Object.assign(decodeTree(data.nodes, data.count, !!data.before), { kind: "whole" });
  groupings = groupingsOf(data, whole);
  labels = {
    name: data.names,
    kind: data.kinds, // a letter a label: see data.looks
    hue: Int8Array.from(data.module, (module) => (data.modules[module] ? shadeOf(data.modules[module], MODULE_HUES) : -1)),
    shade: Uint8Array.from(data.names, (name, i) => shadeOf(data.modules[data.module[i]] + name)),
  };
  sums = decodeSums(data.sums, functionCount, !!data.before); // of the whole profile, a pair for each side
  Object.assign(document.documentElement.dataset, { frames: whole.count, total: whole.total[0] });
}

loadEvent(0);
const { events, leftOut } = data;
const CHANCE = 0.05; // above: a change of a function is no more than chance
let palette = makePalette(), query = { text: "", isRegex: false };

const view = {
  tree: whole, labels, zoom: 0, x: 0, width: 1, isMatch: null, hover: -1, selected: -1,
  isFlame: false, colours: "kind", scroll: 0, contentHeight: 0,
};

function amount(value) {
  const scales = { ns: [[86400e9, "d"], [3600e9, "h"], [1e9, "s"], [1e6, "ms"], [1e3, "\u00b5s"], [1, "ns"]],
    bytes: [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]] }[data.unit];
  if (!scales) return `${value.toLocaleString("en")} ${data.unit}`;
  const [size, unit] = scales.find(([s]) => value >= s) || scales[scales.length - 1], number = value / size;
  return `${number.toFixed(size === 1 ? 0 : number < 10 ? 2 : number < 100 ? 1 : 0)} ${unit}`;
}

function cpuTime(samples) {
  const ns = samples * data.period;
  return ns >= 7200e9 ? `${(ns / 3600e9).toFixed(1)} h of CPU` : ns >= 120e9 ? `${(ns / 60e9).toFixed(1)} min of CPU`
    : ns >= 1e9 ? `${(ns / 1e9).toFixed(2)} s of CPU` : `${(ns / 1e6).toFixed(0)} ms of CPU`;
}

function share(part, of) {
  const percent = of ? (100 * part) / of : 0;
  return `${percent.toFixed(percent < 0.1 && percent > 0 ? 3 : percent < 9.95 ? 2 : 1)} %`;
}

function points(change) {
  return `${change < 0 ? "\u2212" : "+"}${Math.abs(100 * change).toFixed(2)}`;
}

function placeOf(label) {
  const file = data.files[data.file[label]], first = data.lines[2 * label], last = data.lines[2 * label + 1];
  if (!file) return "";
  return first ? `${file}:${first}${last > first ? `\u2013${last}` : ""}` : file;
}

function wholes() {
  return whole.sideTotals.map((totals) => totals[0]);
}

// How probable the change of a function's total is by chance; -1 where there is nothing to test.
function chanceOf(label) {
  return data.ps && label < functionCount ? data.ps[2 * label + 1] : -1;
}

function wordChance(p) {
  return p < 0 ? "" : p < 0.001 ? "P < 0.001" : `P = ${p.toFixed(p < 0.1 ? 3 : 2)}`;
}

// Marks each node of a difference with how it changed: its own path, where this is more than chance; else as its function did in
// all, where that is. Values that are no counts have no law of chance.
function setTones(tree) {
  if (!tree.sides || tree.tone) return tree;
  const [before, after] = wholes(), [a, b] = tree.sideTotals;
  const ofFunction = (label) => toneOf(sums[0].total[label] / before, sums[1].total[label] / after);
  tree.tone = Int8Array.from(a, (weight, i) => {
    const label = tree.label[i], p = chanceOf(label);
    if (!data.counted || isBeyondChance(weight, before, b[i], after)) return toneOf(weight / before, b[i] / after);
    return p >= 0 && p <= CHANCE ? ofFunction(label) : 0;
  });
  return tree;
}

function describeChange(tree, node) {
  const [before, after] = wholes(), a = tree.sideTotals[0][node], b = tree.sideTotals[1][node];
  const change = b / after - a / before, p = chanceOf(tree.label[node]);
  const times = a && b ? `, ${(b / after / (a / before)).toFixed(2)} times` : "";
  const isChance = data.counted && node && !isBeyondChance(a, before, b, after);
  const judged = [isChance ? "here no more than chance" : "", p >= 0 ? `the function in all: ${wordChance(p)}` : ""];
  return [`${points(change)} points${times}`, `before ${amount(a)}, ${share(a, before)} \u00b7 after ${amount(b)}, ${share(b, after)} of all`,
    ...judged.filter(Boolean)];
}

function describeWeight(tree, node) {
  const time = data.period && tree.total[node] ? ` (${cpuTime(tree.total[node])})` : "";
  const lines = [`${amount(tree.total[node])}${time} \u00b7 ${share(tree.total[node], whole.total[0])} of all` +
    (node ? ` \u00b7 ${share(tree.total[node], tree.total[tree.parent[node]])} of its parent` : "")];
  const own = node === 0 && tree.ownAtRoot ? tree.ownAtRoot[0] : tree.own ? (node ? 0 : ownIn(tree, 0)[0]) : tree.self[node];
  if (own && (node || tree !== whole)) lines.push(`itself ${amount(own)} \u00b7 ${share(own, whole.total[0])}`);
  return lines;
}

// A node's name, what it is and where, and its weight.
function describe(node) {
  const { tree } = view, label = tree.label[node], module = data.modules[data.module[label]];
  const kind = node === 0 && (tree === whole || tree === base) ? "everything" : [module, data.looks[labels.kind[label]].name].filter(Boolean).join(" \u00b7 ");
  const weight = tree.sides ? describeChange(tree, node) : describeWeight(tree, node);
  return { name: labels.name[label], kind, place: placeOf(label), weight };
}

// One line, that may be cut at its end: numbers first, the source's path last.
function describeShortly(node) {
  const { name, kind, place, weight } = describe(node);
  return [shorten(name, 60), ...weight, kind, cutMiddle(place, 60)].filter(Boolean).join("  \u00b7  ");
}

function listLosses(losses) {
  return losses.map(([name, count, why]) => `${name} ${count.toLocaleString("en")}${why ? ` (${why})` : ""}`).join("; ");
}

// Stacks that end early are not lost: their samples are in the picture.
const isShortened = ([name]) => name === "stack-cut" || name === "stack-broken";

function listLost() {
  const lost = [], truly = data.losses.filter((loss) => !isShortened(loss));
  if (data.before && data.before.losses.length) lost.push(`Lost before: ${listLosses(data.before.losses)}.`);
  if (truly.length) lost.push(`Lost${data.before ? " after" : ""}: ${listLosses(truly)}.`);
  const early = data.losses.filter(isShortened).reduce((sum, [, count]) => sum + count, 0), all = wholeWeight();
  $("lost").textContent = lost.join(" ");
  $("early").hidden = !early;
  $("early").textContent = data.counted && early <= all ? `${early.toLocaleString("en")} of ${all.toLocaleString("en")} stacks ` +
    `(${share(early, all)}) end early` : `${early.toLocaleString("en")} stacks end early`;
  $("losses").hidden = !lost.length && !early;
}

function wholeWeight() {
  return data.before ? wholes()[1] : whole.total[0];
}

function listFacts() {
  const side = (name, range, weight) => `${name}: ${range}, ${amount(weight)}`;
  const facts = data.before ? [side(data.before.name, data.before.range, wholes()[0]), side(data.afterName, data.range, wholes()[1])]
    : [data.range, amount(whole.total[0]) + (data.period ? ` (${cpuTime(whole.total[0])})` : "")];
  facts.push(data.detail, data.kernel && `${data.kernel} ${data.arch}`);
  if (leftOut) facts.push(`too large for this page: ${leftOut} (-e shows it)`);
  if (data.cut) facts.push(`the ${data.cut.toLocaleString("en")} lightest frames put together as [lighter frames]`);
  $("facts").textContent = facts.filter(Boolean).join("  \u00b7  ");
  listLost();
}

const LEGEND_MOST = 6;

// The binaries with the most time of their own.
function heaviestModules() {
  const own = new Float64Array(data.modules.length);
  for (let i = 0; i < functionCount; i++) own[data.module[i]] += sums[0].self[i];
  return Array.from(own.keys()).filter((i) => data.modules[i] && own[i]).sort((a, b) => own[b] - own[a]).slice(0, LEGEND_MOST);
}

function listKinds() {
  const seen = new Set(labels.kind), chips = whole.sides
    ? [["less", palette.tones[1]], [data.counted ? "no more than chance" : "the same", palette.tones[8]], ["more", palette.tones[15]]]
    : view.colours === "binary" ? heaviestModules().map((module) => [data.modules[module], palette.modules[shadeOf(data.modules[module], MODULE_HUES)]])
    : view.colours === "self" ? [["no time itself", palette.heat[0]], ["much of what is shown", palette.heat[HEATS - 1]]]
    : Object.keys(data.looks).filter((kind) => seen.has(kind) && kind !== "r").map((kind) => [data.looks[kind].name, palette[kind].plain[SHADES >> 1]]);
  $("legend").replaceChildren(...chips.map(([name, colour]) => {
    const item = document.createElement("span"), chip = document.createElement("span");
    chip.className = "chip";
    chip.style.background = colour;
    item.append(chip, name);
    return item;
  }));
}
