// The sandwich of a function: who calls it above, what it calls below, in one tree. Its rows are numbered from the farthest
// caller down: the function has row `middle`, and `depth` is a node's row. Nodes before `split` are the function and its callees,
// the others its callers. No DOM here.
"use strict";

function sandwichOf(tree, label) {
  const up = callersOf(tree, label), down = calleesOf(tree, label), moved = down.count - 1, middle = up.deepest;
  const join = (a, b) => { // without the callers' root: it is that of the callees
    const both = new a.constructor(a.length + b.length - 1);
    both.set(a);
    both.set(b.subarray(1), a.length);
    return both;
  };
  const out = { count: moved + up.count, split: down.count, middle, deepest: middle + down.deepest, ownAtRoot: ownIn(up, 0) };
  out.depth = join(down.depth.map((depth) => middle + depth), up.depth.map((depth) => middle - depth));
  out.parent = join(down.parent, up.parent.map((parent) => parent && parent + moved));
  out.end = join(down.end, up.end.map((end) => end + moved));
  out.end[0] = out.count;
  for (const column of ["label", "total", "x"]) out[column] = join(down[column], up[column]);
  out.self = join(down.self, new Float64Array(up.count)); // a caller's own time is no time of the function
  if (tree.sides) {
    out.sideTotals = down.sideTotals.map((totals, side) => join(totals, up.sideTotals[side]));
    out.sides = down.sides.map((selves) => join(selves, new Float64Array(up.count)));
    out.wholes = down.wholes;
  }
  return listRows(out);
}

const middleOf = (tree) => tree.middle || 0;

// Whether row `d` holds one of the frames between the zoomed one and the root, as wide as the window.
function isOnPath(view, d) {
  const row = view.tree.depth[view.zoom], middle = middleOf(view.tree);
  return row > middle ? d >= middle && d < row : d > row && d <= middle;
}

// The part of row `d` that is in sight: the half of a sandwich that is not zoomed stays whole.
function windowOf(view, d) {
  const { tree, zoom } = view, row = tree.depth[zoom], middle = middleOf(tree);
  const isOther = row > middle ? d < middle : row < middle && d > middle;
  return isOther ? { x: 0, width: tree.total[0] } : { x: view.x, width: view.width };
}

function isInSight(view, node) {
  const d = view.tree.depth[node];
  if (isOnPath(view, d) && node === pathNode(view, d)) return true;
  const { x, width } = windowOf(view, d);
  return view.tree.x[node] >= x - 1e-9 && view.tree.x[node] < x + width;
}

// The frame in row `d` between the zoomed one and the root.
function pathNode({ tree, zoom }, d) {
  let node = zoom;
  while (node && tree.depth[node] !== d) node = tree.parent[node];
  return node;
}

// The rows that a zoom leaves: the callees of a frame may be fewer than the tree's deepest.
function rowsOf({ tree, zoom }) {
  return (tree.depth[zoom] > middleOf(tree) ? deepestIn(tree, zoom) : tree.deepest) + 1;
}

// The heaviest frame one row up or down on the picture, from a node: towards the root there is one.
function neighbourOf(tree, node, isDown) {
  const d = tree.depth[node], middle = middleOf(tree);
  if (isDown ? d < middle : d > middle) return tree.parent[node];
  if (isDown) return heaviestChild(tree, node, node || tree.split === undefined ? tree.end[node] : tree.split);
  return tree.middle ? heaviestChild(tree, node, tree.end[node], node || tree.split - 1) : tree.parent[node];
}

// Weight of the stacks that hold a match, of a sandwich: which of the callers' stacks are which of the callees' is not known any
// more, so that the greater half is the least there is.
function matchedInHalves(tree, isMatch) {
  if (isMatch[tree.label[0]]) return matchedIn(tree, 0, isMatch);
  const [below, above] = [matchedIn(tree, 0, isMatch, tree.split), matchedIn(tree, tree.split, isMatch, tree.count)];
  return { sum: Math.max(below.sum, above.sum), frames: below.frames + above.frames, isLeast: true };
}
