// What the page knows, and how it says it. Texts from the profile are only ever set as textContent.
"use strict";

const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const labels = {
  name: data.names,
  kind: data.kinds, // a letter a label: see data.looks
  shade: Uint8Array.from(data.names, (name, i) => shadeOf(data.modules[data.module[i]] + name)),
};
const whole = decodeTree(data.nodes, data.count, !!data.before);
let palette = makePalette(), query = { text: "", isRegex: false };

const view = {
  tree: whole, labels, zoom: 0, x: 0, width: 1, isMatch: null, hover: -1, selected: -1,
  isFlame: false, scroll: 0, contentHeight: 0,
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

// Marks each node of a difference with how it changed.
function setTones(tree) {
  if (!tree.sides || tree.tone) return tree;
  const [before, after] = wholes(), [a, b] = tree.sideTotals;
  tree.tone = Int8Array.from(a, (weight, i) => toneOf(weight, before, b[i], after, data.counted));
  return tree;
}

function describeChange(tree, node) {
  const [before, after] = wholes(), a = tree.sideTotals[0][node], b = tree.sideTotals[1][node];
  const change = b / after - a / before, tone = setTones(tree).tone[node];
  const times = a && b ? `, ${(b / after / (a / before)).toFixed(2)} times` : "";
  return [`before ${amount(a)}, ${share(a, before)} \u00b7 after ${amount(b)}, ${share(b, after)} of all`,
    `${points(change)} points${times}${data.counted && !tone ? " \u00b7 no more than chance" : ""}`];
}

function describeWeight(tree, node) {
  const time = data.period && tree.total[node] ? ` (${cpuTime(tree.total[node])})` : "";
  const lines = [`${amount(tree.total[node])}${time} \u00b7 ${share(tree.total[node], whole.total[0])} of all` +
    (node ? ` \u00b7 ${share(tree.total[node], tree.total[tree.parent[node]])} of its parent` : "")];
  if (tree === whole && tree.self[node] && node)
    lines.push(`itself ${amount(tree.self[node])} \u00b7 ${share(tree.self[node], whole.total[0])}`);
  return lines;
}

// A node's name, what it is and where, and its weight.
function describe(node) {
  const { tree } = view, label = tree.label[node], module = data.modules[data.module[label]];
  const kind = node === 0 && tree === whole ? "everything" : [module, data.looks[labels.kind[label]].name].filter(Boolean).join(" \u00b7 ");
  const weight = tree.sides ? describeChange(tree, node) : describeWeight(tree, node);
  return { name: labels.name[label], what: [kind, placeOf(label)].filter(Boolean), weight };
}

function listLosses(losses) {
  return losses.map(([name, count, why]) => `${name} ${count.toLocaleString("en")}${why ? ` (${why})` : ""}`).join("; ");
}

function listFacts() {
  const side = (name, range, weight) => `${name}: ${range}, ${amount(weight)}`;
  const facts = data.before ? [side(data.before.name, data.before.range, wholes()[0]), side(data.afterName, data.range, wholes()[1])]
    : [data.range, amount(whole.total[0]) + (data.period ? ` (${cpuTime(whole.total[0])})` : "")];
  facts.push(data.detail, data.kernel && `${data.kernel} ${data.arch}`);
  if (data.cut) facts.push(`${data.cut.toLocaleString("en")} of the smallest frames left out`);
  $("facts").textContent = facts.filter(Boolean).join("  \u00b7  ");
  const lost = [];
  if (data.before && data.before.losses.length) lost.push(`Lost before: ${listLosses(data.before.losses)}.`);
  if (data.losses.length) lost.push(`Lost${data.before ? " after" : ""}: ${listLosses(data.losses)}`);
  $("losses").hidden = !lost.length;
  $("losses").textContent = lost.join(" ");
}

function listKinds() {
  const seen = new Set(labels.kind), chips = whole.sides
    ? [["less", palette.tones[1]], [data.counted ? "no more than chance" : "the same", palette.tones[8]], ["more", palette.tones[15]]]
    : Object.keys(data.looks).filter((kind) => seen.has(kind) && kind !== "r").map((kind) => [data.looks[kind].name, palette[kind].plain[SHADES >> 1]]);
  $("legend").replaceChildren(...chips.map(([name, colour]) => {
    const item = document.createElement("span"), chip = document.createElement("span");
    chip.className = "chip";
    chip.style.background = colour;
    item.append(chip, name);
    return item;
  }));
}
