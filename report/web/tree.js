// The tree behind the picture: typed arrays in depth-first order, so that a subtree is the run [i, end[i]) and a row
// of the picture is a list of nodes sorted by x. No DOM here.
"use strict";

// Columns of varints, base64: for each node how many levels up from a child of the one before, its label, its self; of a
// difference also its self before.
function decodeTree(text, count, isDifference) {
  const bytes = atob(text);
  const tree = { count, depth: new Uint32Array(count), label: new Uint32Array(count), self: new Float64Array(count) };
  const before = isDifference ? new Float64Array(count) : null;
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
    if (before) before[i] = varint();
    next = tree.depth[i] + 1;
  }
  if (before) tree.sides = [before, tree.self];
  return finishTree(tree);
}

// Adds parents, ends, totals, places and rows to depth, label and self. In a difference, sides are the selves before and
// after, and a node is as wide as the mean of its two shares: what went and what came are both in sight.
function finishTree(tree) {
  const { count, depth } = tree, parent = new Uint32Array(count), end = new Uint32Array(count), path = [];
  let deepest = 0;
  for (let i = 0; i < count; i++) {
    path[depth[i]] = i;
    parent[i] = depth[i] ? path[depth[i] - 1] : 0;
    end[i] = i + 1;
    deepest = Math.max(deepest, depth[i]);
  }
  for (let i = count - 1; i > 0; i--) end[parent[i]] = Math.max(end[parent[i]], end[i]);
  Object.assign(tree, { parent, end, deepest });
  if (tree.sides) {
    tree.sideTotals = tree.sides.map((self) => addUp(tree, self));
    const [before, after] = tree.wholes || tree.sideTotals.map((totals) => totals[0]);
    tree.self = tree.sides[0].map((self, i) => (self / before + tree.sides[1][i] / after) / 2);
  }
  tree.total = addUp(tree, tree.self);
  return placeNodes(tree);
}

function addUp(tree, self) {
  const total = Float64Array.from(self);
  for (let i = tree.count - 1; i > 0; i--) total[tree.parent[i]] += total[i];
  return total;
}

function placeNodes(tree) {
  const { count, depth, parent, total, deepest } = tree, x = new Float64Array(count), free = new Float64Array(count);
  for (let i = 1; i < count; i++) {
    x[i] = free[i] = free[parent[i]];
    free[parent[i]] += total[i];
  }
  const rowStart = new Uint32Array(deepest + 2), rowNode = new Uint32Array(count);
  for (let i = 0; i < count; i++) rowStart[depth[i] + 1]++;
  for (let d = 0; d <= deepest; d++) rowStart[d + 1] += rowStart[d];
  const fill = rowStart.slice();
  for (let i = 0; i < count; i++) rowNode[fill[depth[i]]++] = i;
  return Object.assign(tree, { x, rowStart, rowNode });
}

// How a share changed, -8 (gone) to 8 (new); 0 where it did not, or where chance would do as much in one case of a
// thousand (two shares of counts, normal law). Values that are no counts have no such law.
function toneOf(before, beforeWhole, after, afterWhole, isCounted) {
  const a = before / beforeWhole, b = after / afterWhole, all = (before + after) / (beforeWhole + afterWhole);
  if (a === b || !(all > 0)) return 0;
  const deviation = Math.sqrt(all * (1 - all) * (1 / beforeWhole + 1 / afterWhole));
  if (isCounted && !(Math.abs(b - a) > 3.29 * deviation)) return 0;
  const change = (b - a) / Math.max(a, b);
  return Math.sign(change) * Math.ceil(Math.abs(change) * 8);
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
function sumLabels(tree, node, labelCount, selves, totals) {
  const self = new Float64Array(labelCount), total = new Float64Array(labelCount), until = new Uint32Array(labelCount);
  for (let i = node; i < tree.end[node]; i++) {
    const label = tree.label[i];
    self[label] += selves[i];
    if (i < until[label]) continue;
    total[label] += totals[i];
    until[label] = tree.end[i];
  }
  return { self, total };
}

// The tree of those who call `label`: the function at the root, its callers above it, weighed by the time spent below.
function callersOf(tree, label) {
  const totals = tree.sideTotals || [tree.total];
  const fresh = (of) => ({ label: of, selves: totals.map(() => 0), children: new Map() });
  const root = fresh(label);
  for (let i = 1, covered = 0; i < tree.count; i++) {
    if (tree.label[i] !== label || i < covered) continue; // what it calls itself stays with its first call
    covered = tree.end[i];
    let at = root;
    for (let up = tree.parent[i]; up !== 0; up = tree.parent[up]) {
      if (!at.children.has(tree.label[up])) at.children.set(tree.label[up], fresh(tree.label[up]));
      at = at.children.get(tree.label[up]);
    }
    totals.forEach((total, side) => (at.selves[side] += total[i]));
  }
  return flatten(root, tree);
}

function flatten(root, tree) {
  const depths = [], labels = [], selves = root.selves.map(() => []), todo = [[root, 0]];
  while (todo.length) {
    const [node, depth] = todo.pop();
    depths.push(depth);
    labels.push(node.label);
    node.selves.forEach((self, side) => selves[side].push(self));
    for (const child of node.children.values()) todo.push([child, depth + 1]);
  }
  const out = { count: depths.length, depth: Uint32Array.from(depths), label: Uint32Array.from(labels) };
  const columns = selves.map((column) => Float64Array.from(column));
  if (tree.sides) Object.assign(out, { sides: columns, wholes: tree.sideTotals.map((totals) => totals[0]) });
  else out.self = columns[0];
  return finishTree(out);
}
