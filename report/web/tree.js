// The tree behind the picture: typed arrays in depth-first order, so that a subtree is the run [i, end[i]) and a row
// of the picture is a list of nodes sorted by x. No DOM here.
"use strict";

// Columns of varints, base64: for each node how many levels up from a child of the one before, its label, its self.
function decodeTree(text, count) {
  const bytes = atob(text);
  const tree = { count, depth: new Uint32Array(count), label: new Uint32Array(count), self: new Float64Array(count) };
  let at = 0;
  function varint() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes.charCodeAt(at++);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
  for (let i = 0, next = 0; i < count; i++) {
    tree.depth[i] = next - varint();
    tree.label[i] = varint();
    tree.self[i] = varint();
    next = tree.depth[i] + 1;
  }
  return finishTree(tree);
}

// Adds parents, totals, ends, places and rows to depth, label and self.
function finishTree(tree) {
  const { count, depth, self } = tree;
  const parent = new Uint32Array(count), end = new Uint32Array(count);
  const total = Float64Array.from(self), x = new Float64Array(count), path = [];
  let deepest = 0;
  for (let i = 0; i < count; i++) {
    path[depth[i]] = i;
    parent[i] = depth[i] ? path[depth[i] - 1] : 0;
    deepest = Math.max(deepest, depth[i]);
  }
  end.forEach((_, i) => (end[i] = i + 1));
  for (let i = count - 1; i > 0; i--) {
    total[parent[i]] += total[i];
    end[parent[i]] = Math.max(end[parent[i]], end[i]);
  }
  const free = new Float64Array(count);
  for (let i = 1; i < count; i++) {
    x[i] = free[parent[i]];
    free[parent[i]] += total[i];
    free[i] = x[i];
  }
  const rowStart = new Uint32Array(deepest + 2), rowNode = new Uint32Array(count);
  for (let i = 0; i < count; i++) rowStart[depth[i] + 1]++;
  for (let d = 0; d <= deepest; d++) rowStart[d + 1] += rowStart[d];
  const fill = rowStart.slice();
  for (let i = 0; i < count; i++) rowNode[fill[depth[i]]++] = i;
  return Object.assign(tree, { parent, end, total, x, deepest, rowStart, rowNode });
}

// The place in row `d` of the first node that ends right of `x`.
function firstRightOf(tree, d, x) {
  let low = tree.rowStart[d], high = tree.rowStart[d + 1];
  while (low < high) {
    const middle = (low + high) >> 1, node = tree.rowNode[middle];
    if (tree.x[node] + tree.total[node] > x) high = middle;
    else low = middle + 1;
  }
  return low;
}

function nodeAt(tree, d, x) {
  if (d < 0 || d > tree.deepest) return -1;
  const at = firstRightOf(tree, d, x);
  if (at >= tree.rowStart[d + 1]) return -1;
  const node = tree.rowNode[at];
  return tree.x[node] <= x ? node : -1;
}

function heaviestChild(tree, node) {
  let best = -1;
  for (let i = node + 1; i < tree.end[node]; i = tree.end[i]) if (best < 0 || tree.total[i] > tree.total[best]) best = i;
  return best;
}

function deepestIn(tree, node) {
  let deepest = 0;
  for (let i = node; i < tree.end[node]; i++) deepest = Math.max(deepest, tree.depth[i]);
  return deepest;
}

// The weight of the stacks below `node` that hold a match: each is counted once, however many of its frames match.
function matchedIn(tree, node, isMatch) {
  let sum = 0, frames = 0;
  for (let i = node, covered = node; i < tree.end[node]; i++) {
    if (!isMatch[tree.label[i]]) continue;
    frames++;
    if (i < covered) continue;
    sum += tree.total[i];
    covered = tree.end[i];
  }
  return { sum, frames };
}

// Own and whole weight by label, below `node`; a function that calls itself counts once.
function sumLabels(tree, node, labelCount) {
  const self = new Float64Array(labelCount), total = new Float64Array(labelCount), until = new Uint32Array(labelCount);
  for (let i = node; i < tree.end[node]; i++) {
    const label = tree.label[i];
    self[label] += tree.self[i];
    if (i < until[label]) continue;
    total[label] += tree.total[i];
    until[label] = tree.end[i];
  }
  return { self, total };
}

// The tree of those who call `label`: the function at the root, its callers above it, weighed by the time spent below.
function callersOf(tree, label) {
  const nodes = [{ label, self: 0, children: new Map() }];
  for (let i = 0, covered = 0; i < tree.count; i++) {
    if (tree.label[i] !== label || i < covered) continue; // what it calls itself stays with its first call
    covered = tree.end[i];
    let at = nodes[0];
    for (let up = i; up !== 0; ) {
      up = tree.parent[up];
      if (up === 0) break;
      let next = at.children.get(tree.label[up]);
      if (!next) at.children.set(tree.label[up], (next = { label: tree.label[up], self: 0, children: new Map() }));
      at = next;
    }
    at.self += tree.total[i];
  }
  const out = { depth: [], label: [], self: [] };
  const todo = [[nodes[0], 0]];
  while (todo.length) {
    const [node, depth] = todo.pop();
    out.depth.push(depth);
    out.label.push(node.label);
    out.self.push(node.self);
    for (const child of node.children.values()) todo.push([child, depth + 1]);
  }
  return finishTree({
    count: out.depth.length,
    depth: Uint32Array.from(out.depth),
    label: Uint32Array.from(out.label),
    self: Float64Array.from(out.self),
  });
}
