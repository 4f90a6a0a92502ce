// The tree behind the picture: typed arrays in depth-first order, so that a subtree is the run [i, end[i]) and a row
// of the picture is a list of nodes sorted by x. No DOM here.
"use strict";

// A function that reads varints, in base64, one after the other.
function varintsOf(text) {
  const bytes = atob(text);
  let at = 0;
  return () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes.charCodeAt(at++);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
}

// Varints: for each node how many levels up from a child of the one before, its label, its self; of a difference also its self
// before.
function decodeTree(text, count, isDifference) {
  const tree = { count, depth: new Uint32Array(count), label: new Uint32Array(count), self: new Float64Array(count) };
  const before = isDifference ? new Float64Array(count) : null, varint = varintsOf(text);
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

// Varints: self and total of each label in the whole profile, what is too light to be drawn included; of a difference those
// before, then those after. As sumLabels() gives them, a pair for each side.
function decodeSums(text, labelCount, isDifference) {
  const varint = varintsOf(text), sides = isDifference ? 2 : 1;
  const sums = Array.from({ length: sides }, () => ({ self: new Float64Array(labelCount), total: new Float64Array(labelCount) }));
  for (let label = 0; label < labelCount; label++)
    for (const side of sums) (side.self[label] = varint()), (side.total[label] = varint());
  return sums;
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
  const { count, parent, total } = tree, x = new Float64Array(count), free = new Float64Array(count);
  for (let i = 1; i < count; i++) {
    x[i] = free[i] = free[parent[i]];
    free[parent[i]] += total[i];
  }
  tree.x = x;
  return listRows(tree);
}

function listRows(tree) {
  const { count, depth, deepest } = tree;
  const rowStart = new Uint32Array(deepest + 2), rowNode = new Uint32Array(count);
  for (let i = 0; i < count; i++) rowStart[depth[i] + 1]++;
  for (let d = 0; d <= deepest; d++) rowStart[d + 1] += rowStart[d];
  const fill = rowStart.slice();
  for (let i = 0; i < count; i++) rowNode[fill[depth[i]]++] = i;
  return Object.assign(tree, { rowStart, rowNode });
}

// How a share changed, -8 (gone) to 8 (new).
function toneOf(before, after) {
  return before === after ? 0 : Math.sign(after - before) * Math.ceil((8 * Math.abs(after - before)) / Math.max(before, after));
}

// Whether chance would do as much to a share of counts in less than one case of a thousand (normal law). Of one path among
// many; what is said of a function is computed for all of them together, in the report.
function isBeyondChance(before, beforeWhole, after, afterWhole) {
  const a = before / beforeWhole, b = after / afterWhole, all = (before + after) / (beforeWhole + afterWhole);
  return Math.abs(b - a) > 3.29 * Math.sqrt(all * (1 - all) * (1 / beforeWhole + 1 / afterWhole));
}

// Two hashes of the path from the root to each node, which mean the same frames in another page of the same program too.
function hashPaths(tree, hashOfLabel) {
  if (tree.hashes) return tree.hashes;
  const low = new Uint32Array(tree.count), high = new Uint32Array(tree.count);
  for (let i = 1; i < tree.count; i++) {
    const [a, b] = hashOfLabel(tree.label[i]);
    if (i === tree.split) low[0] = 1; // callers of a sandwich: not the path of callees by the same names
    low[i] = Math.imul(low[tree.parent[i]] ^ a, 0x9e3779b1) + b;
    high[i] = Math.imul(high[tree.parent[i]] ^ b, 0x85ebca6b) + a;
  }
  low[0] = 0;
  return (tree.hashes = { low, high });
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

function heaviestChild(tree, node, end = tree.end[node], before = node) {
  let best = -1;
  for (let i = before + 1; i < end; i = tree.end[i]) if (best < 0 || tree.total[i] > tree.total[best]) best = i;
  return best;
}

function deepestIn(tree, node) {
  let deepest = 0;
  for (let i = node; i < tree.end[node]; i++) deepest = Math.max(deepest, tree.depth[i]);
  return deepest;
}

// The weight of the stacks below `node` that hold a match: each is counted once, however many of its frames match.
function matchedIn(tree, node, isMatch, end = tree.end[node]) {
  let sum = 0, frames = 0;
  for (let i = node, covered = node; i < end; i++) {
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

// A tree that is still made: a node has its children by label and its weight on each side; `own` is what the function itself
// weighs there.
function makeNode(label, sides) {
  return { label, selves: new Array(sides).fill(0), own: new Array(sides).fill(0), children: new Map() };
}

function childOf(node, label) {
  let child = node.children.get(label);
  if (!child) node.children.set(label, (child = makeNode(label, node.selves.length)));
  return child;
}

const sidesOf = (tree) => tree.sides || [tree.self];
const totalsOf = (tree) => tree.sideTotals || [tree.total];

// The tree of those who call `label`: the function at the root, its callers above it, weighed by the time spent below.
function callersOf(tree, label) {
  const totals = totalsOf(tree), selves = sidesOf(tree), root = makeNode(label, totals.length);
  for (let i = 1, covered = 0; i < tree.count; i++) {
    if (tree.label[i] !== label || i < covered) continue; // what it calls itself stays with its first call
    covered = tree.end[i];
    let at = root;
    for (let up = tree.parent[i]; up !== 0; up = tree.parent[up]) at = childOf(at, tree.label[up]);
    totals.forEach((total, side) => (at.selves[side] += total[i]));
    for (let j = i; j < covered; j++)
      if (tree.label[j] === label) selves.forEach((self, side) => (at.own[side] += self[j]));
  }
  return flatten(root, tree, true);
}

// The tree of what `label` calls, wherever it was called from: the function at the root, what it calls below it.
function calleesOf(tree, label) {
  const selves = sidesOf(tree), root = makeNode(label, selves.length);
  for (let i = 1; i < tree.count; i++) {
    if (tree.label[i] !== label) continue;
    const made = [root], depth = tree.depth[i], end = tree.end[i];
    for (let j = i; j < end; j++) {
      const at = (made[tree.depth[j] - depth] = j === i ? root : childOf(made[tree.depth[j] - depth - 1], tree.label[j]));
      selves.forEach((self, side) => (at.selves[side] += self[j]));
    }
    i = end - 1;
  }
  return flatten(root, tree, false);
}

// The tree without recursion: a function that is called again below itself continues where it was first called.
function mergeRecursion(tree) {
  const selves = sidesOf(tree), root = makeNode(tree.label[0], selves.length), path = [];
  for (let i = 0; i < tree.count; i++) {
    const depth = tree.depth[i], label = tree.label[i], above = depth ? path[depth - 1] : null;
    // Where this label already stands on the path: the made nodes know their callers.
    let at = above;
    while (at && at.label !== label) at = at.above;
    if (!at) {
      at = above ? childOf(above, label) : root;
      at.above = above;
    }
    path[depth] = at;
    selves.forEach((self, side) => (at.selves[side] += self[i]));
  }
  return flatten(root, tree, false);
}

function flatten(root, tree, hasOwn) {
  const depths = [], labels = [], selves = root.selves.map(() => []), own = root.selves.map(() => []), todo = [[root, 0]];
  while (todo.length) {
    const [node, depth] = todo.pop();
    depths.push(depth);
    labels.push(node.label);
    node.selves.forEach((self, side) => selves[side].push(self));
    node.own.forEach((self, side) => own[side].push(self));
    for (const child of node.children.values()) todo.push([child, depth + 1]);
  }
  const out = { count: depths.length, depth: Uint32Array.from(depths), label: Uint32Array.from(labels) };
  const columns = selves.map((column) => Float64Array.from(column));
  if (tree.sides) Object.assign(out, { sides: columns, wholes: tree.wholes || tree.sideTotals.map((totals) => totals[0]) });
  else out.self = columns[0];
  if (hasOwn) out.own = own.map((column) => Float64Array.from(column));
  return finishTree(out);
}

// The function's own weight in the part of a tree of callers, a number for each side.
function ownIn(tree, node) {
  return tree.own.map((own) => own.subarray(node, tree.end[node]).reduce((sum, value) => sum + value, 0));
}
