// Other roots of the same stacks: each process, each thread, or one for all. As `--group-by` of the reports. No DOM here.
"use strict";

const GROUP_WORDS = { comm: "by name", pid: "by process", tid: "by thread", none: "not grouped" };

const wordGroup = (group) => GROUP_WORDS[group] || `by ${group}`;

// The threads, or processes, of the page: the row of their root, their labels, and the rows of which they have a share; without
// rows the whole root is theirs.
function decodeUnits(data) {
  const { level, threads, processes, process, shares } = data.units;
  if (!level) return [];
  const varint = varintsOf(shares), labelOf = (name) => addLabel(data, { name, kind: "r", module: -1, file: -1 });
  const ofProcess = processes.map(labelOf), ofThread = threads.map(labelOf);
  return process.map((at, i) => {
    const unit = { pid: ofProcess[at], tid: ofThread[i], root: varint(), rows: null }, count = varint();
    if (!count) return unit;
    Object.assign(unit, { rows: new Uint32Array(count - 1), selves: new Float64Array(count - 1) });
    for (let k = 0, row = unit.root; k < count - 1; k++) {
      row = unit.rows[k] = row + varint();
      unit.selves[k] = varint();
    }
    return unit;
  });
}

// The roots of each way of grouping: a label, the row of a root as it is drawn, and its share.
function groupingsOf(data, tree) {
  const units = decodeUnits(data), all = addLabel(data, { name: "[all]", kind: "r", module: -1, file: -1 }), pieces = {};
  for (const group of ["pid", "tid"])
    if (units.length && units[0][group] !== undefined) pieces[group] = units.map((unit) => ({ ...unit, label: unit[group] }));
  pieces.none = [];
  for (let row = 1; row < tree.count; row = tree.end[row]) pieces.none.push({ label: all, root: row, rows: null });
  delete pieces[data.roots]; // the tree has these
  return pieces;
}

function copyWhole(tree, piece, top, selves) {
  const path = [null, top], first = tree.depth[piece.root];
  for (let row = piece.root; row < tree.end[piece.root]; row++) {
    const depth = tree.depth[row] - first + 1, at = row === piece.root ? top : childOf(path[depth - 1], tree.label[row]);
    path[depth] = at;
    selves.forEach((self, side) => (at.selves[side] += self[row]));
  }
}

// Rows are in depth-first order: of the way to the next one, all that it shares with the last one is there.
function copyShare(tree, piece, top) {
  const path = [null, top], rows = [0, piece.root], missing = [];
  piece.rows.forEach((row, k) => {
    for (let up = row; rows[tree.depth[up]] !== up; up = tree.parent[up]) missing.push(up);
    while (missing.length) {
      const up = missing.pop(), depth = tree.depth[up];
      path[depth] = childOf(path[depth - 1], tree.label[up]);
      rows[depth] = up;
    }
    path[tree.depth[row]].selves[0] += piece.selves[k];
  });
}

function groupTree(tree, pieces) {
  const selves = sidesOf(tree), root = makeNode(tree.label[0], selves.length);
  for (const piece of pieces) {
    const top = childOf(root, piece.label);
    if (piece.rows) copyShare(tree, piece, top);
    else copyWhole(tree, piece, top, selves);
  }
  return flatten(root, tree, false);
}
