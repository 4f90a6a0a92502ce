// Functions put together by binary or by source file: frames of one that follow each other are one. As `--collapse` of the
// reports, see report/profile/collapse.h. No DOM here.
"use strict";

// Labels that stay as they are: comms, marks, frames too light to be drawn.
const STAYING = "rmz";

// By module the kind of its code: that of a function which is not inlined, as inlined ones have a letter of their own.
function kindsOfModules(data, count) {
  const kinds = new Map();
  for (let i = 0; i < count; i++) if (data.kinds[i] !== "i" && !kinds.has(data.module[i])) kinds.set(data.module[i], data.kinds[i]);
  return kinds;
}

// The label that a function's label is put together into; null: the function stays.
function collapsedLabel(data, label, by, kind) {
  const module = data.modules[data.module[label]], file = data.files[data.file[label]];
  if (STAYING.includes(data.kinds[label]) || (!module && !(by === "file" && file))) return null;
  if (by === "binary") return { key: data.module[label] * 256 + kind.charCodeAt(0), name: module, kind, module: data.module[label], file: -1 };
  if (file) return { key: -1 - data.file[label] * 256 - kind.charCodeAt(0), name: file, kind, module: -1, file: data.file[label] };
  return { key: data.module[label] * 256 + kind.charCodeAt(0), name: module.startsWith("[") ? module : `[${module}]`, kind, module: data.module[label], file: -1 };
}

function placeIn(list, text) {
  const at = list.indexOf(text);
  return at >= 0 ? at : list.push(text) - 1;
}

function addLabel(data, { name, kind, module, file }) {
  data.kinds += kind;
  data.module.push(module < 0 ? placeIn(data.modules, "") : module);
  data.file.push(file < 0 ? placeIn(data.files, "") : file);
  data.lines.push(0, 0);
  return data.names.push(name) - 1;
}

// For each of the first `count` labels, those of functions, the label that it is put together into. New labels are added
// behind them.
function collapseLabels(data, count, by) {
  const into = new Uint32Array(count), made = new Map(), kinds = kindsOfModules(data, count);
  for (let i = 0; i < count; i++) {
    const kind = data.kinds[i] === "i" ? kinds.get(data.module[i]) || "u" : data.kinds[i], label = collapsedLabel(data, i, by, kind);
    if (label && !made.has(label.key)) made.set(label.key, addLabel(data, label));
    into[i] = label ? made.get(label.key) : i;
  }
  return into;
}

function collapseTree(tree, into) {
  const selves = sidesOf(tree), root = makeNode(tree.label[0], selves.length), path = [root];
  for (let i = 0; i < tree.count; i++) {
    const above = i ? path[tree.depth[i] - 1] : null, own = tree.label[i], label = own < into.length ? into[own] : own;
    const at = !above ? root : above !== root && above.label === label ? above : childOf(above, label);
    path[tree.depth[i]] = at;
    selves.forEach((self, side) => (at.selves[side] += self[i]));
  }
  return flatten(root, tree, false);
}
