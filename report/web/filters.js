// A view leaves out, by function: stacks without one (`only`), stacks with one (`without`), frames (`hide`). As `--focus`,
// `--ignore` and `--hide` of the reports. No DOM here.
"use strict";

const noFilters = () => ({ only: [], without: [], hide: [] });
const hasFilters = (filters) => Object.values(filters).some((labels) => labels.length);

// The selves that stay, by side: of stacks that hold all of `only` and none of `without`.
function keepSelves(tree, { only, without }) {
  const selves = sidesOf(tree).map((self) => Float64Array.from(self)), out = new Set(without);
  const isOut = new Uint8Array(tree.count), has = only.map(() => new Uint8Array(tree.count));
  for (let i = 0; i < tree.count; i++) {
    const up = tree.parent[i], label = tree.label[i];
    isOut[i] = isOut[up] || out.has(label);
    only.forEach((wanted, k) => (has[k][i] = has[k][up] || label === wanted));
    if (isOut[i] || !has.every((column) => column[i])) selves.forEach((self) => (self[i] = 0));
  }
  return selves;
}

function filterTree(tree, filters) {
  const selves = keepSelves(tree, filters), totals = selves.map((self) => addUp(tree, self)), hidden = new Set(filters.hide);
  const root = makeNode(tree.label[0], selves.length), path = [root];
  for (let i = 0; i < tree.count; i++) {
    if (i && !totals.some((total) => total[i])) continue;
    const above = tree.depth[i] ? path[tree.depth[i] - 1] : null;
    const at = above && !hidden.has(tree.label[i]) ? childOf(above, tree.label[i]) : above || root;
    path[tree.depth[i]] = at;
    selves.forEach((self, side) => (at.selves[side] += self[i]));
  }
  return flatten(root, tree, false);
}
