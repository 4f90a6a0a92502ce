// The pure part of the page's code, without a browser.
//   node report_draw.js widths COUNT PAGE...   draws at every width of 300 to 300 + COUNT - 1 pixels; a line for each width that draws
//                                              forever or leaves a row unfilled
//   node report_draw.js sums PAGE NAME...      of functions: name, self, total, self of the frames drawn
//   node report_draw.js contrast PAGE          the least contrast of text and fill, light and dark
//   node report_draw.js shorten ROOM NAME...
//   node report_draw.js folded PAGE HOW=NAME...   the page's tree as folded stacks, by the page's filters; together=binary|file,
//                                              group=pid|tid|none
//   node report_draw.js laws PAGE              that views of the page's tree keep its sum
"use strict";
const fs = require("fs"), vm = require("vm");

const BUDGET = 200000; // searches in one picture: some 20 times as many as the widest one takes

// The scripts of the page's pure part, and a picture's view of its data.
function load(page) {
  const text = fs.readFileSync(page, "utf8"), json = text.match(/<script type="application\/json" id="data">(.*?)<\/script>/s)[1];
  const context = { matchMedia: () => ({ matches: false }), devicePixelRatio: 1, atob, data: JSON.parse(json) };
  vm.createContext(context);
  for (const name of ["tree.js", "sandwich.js", "filters.js", "collapse.js", "groups.js", "names.js", "draw.js"]) vm.runInContext(fs.readFileSync(`report/web/${name}`, "utf8"), context);
  vm.runInContext(`
    const tree = decodeTree(data.nodes, data.count, !!data.before);
    const functionCount = data.names.length, collapsed = {};
    for (const by of ["binary", "file"]) collapsed[by] = collapseLabels(data, functionCount, by);
    const groupings = groupingsOf(data, tree);
    if (tree.sides) tree.tone = new Int8Array(tree.count);
    const labels = { name: data.names, kind: data.kinds, shade: data.names.map(shadeOf) };
    let searches = 0;
    const search = firstRightOf;
    firstRightOf = (...of) => { if (++searches > ${BUDGET}) throw new Error("endless"); return search(...of); };
    function draw(width, fills) {
      searches = 0;
      const pen = { setTransform() {}, clearRect() {}, fillText() {}, strokeRect() {}, save() {}, restore() {}, beginPath() {},
        rect() {}, clip() {}, moveTo() {}, lineTo() {}, stroke() {}, setLineDash() {}, measureText: (t) => ({ width: 7.2 * t.length }),
        fillRect: (x, y, wide, high) => fills.push([x, y, wide, high]) };
      const canvas = { width, height: (tree.deepest + 1) * ROW, getContext: () => pen };
      return drawPicture(canvas, { tree, labels, zoom: 0, x: 0, width: tree.total[0], isMatch: null, hover: -1, selected: -1,
        isFlame: false, scroll: 0, contentHeight: canvas.height }, makePalette());
    }`, context);
  return context;
}

// How much of a row's frames no fill covers, in pixels. Gaps between frames are one pixel at most.
function uncovered(context, fills, width) {
  return vm.runInContext("tree.total[0]", context) && fills.filter(([x, y]) => y === 0).every(([x]) => x >= 0)
    ? width - Math.max(...fills.filter(([, y]) => y === 0).map(([x, , wide]) => x + wide)) : width;
}

function drawAll([count, ...pages]) {
  for (const page of pages) {
    const context = load(page);
    for (let width = 300; width < 300 + Number(count); width++) {
      const fills = [];
      try {
        context.draw(width, fills);
        if (uncovered(context, fills, width) > 1.5) console.log(`${page} ${width}: the root is not drawn to its end`);
      } catch (error) {
        console.log(`${page} ${width}: ${error.message}`);
      }
    }
  }
  console.log("end");
}

function printSums([page, ...names]) {
  const run = (code) => vm.runInContext(code, context), context = load(page);
  const tree = run("tree"), [sums] = run("decodeSums(data.sums, functionCount, false)"), drawn = run("sumLabels(tree, 0, data.names.length, tree.self, tree.total)");
  for (const name of names) {
    const label = context.data.names.indexOf(name);
    console.log(name, sums.self[label], sums.total[label], drawn.self[label]);
  }
  console.log("all", sums.self.reduce((sum, self) => sum + self, 0), tree.total[0]);
}

function printContrast([page]) {
  const context = load(page), colourOf = vm.runInContext("colourOf", context);
  for (const isDark of [false, true]) {
    const palette = vm.runInContext(`makePalette(${isDark})`, context), least = [];
    const weigh = (fills, text) => least.push(...fills.map((fill) => context.contrastOf(colourOf(fill), colourOf(text))));
    for (const kind of Object.keys(context.data.looks)) {
      weigh([...palette[kind].plain, ...palette[kind].above], palette.text);
      weigh(palette[kind].dim, palette.dimText);
    }
    weigh([...palette.tones, ...palette.modules, ...palette.heat, palette.match], palette.text);
    console.log(Math.min(...least) >= 4.5 ? "readable" : `contrast ${Math.min(...least)}`);
  }
}

// Rows, widths and sums of a sandwich, against its callers and callees by themselves. Runs among the page's scripts.
function sandwichFaults(both, callers, callees) {
  const wrong = [], rows = Array.from({ length: both.deepest + 1 }, (_, d) => Array.from(both.rowNode.subarray(both.rowStart[d], both.rowStart[d + 1])));
  const names = (tree, row, d) => row.map((i) => [tree.label[i], tree.x[i], tree.total[i]].join()).join("|");
  const rowOf = (tree, d) => Array.from(tree.rowNode.subarray(tree.rowStart[d], tree.rowStart[d + 1]));
  rows.forEach((row, d) => {
    const [half, at] = d < both.middle ? [callers, both.middle - d] : [callees, d - both.middle];
    if (names(both, row) !== names(half, rowOf(half, at))) wrong.push("row " + d);
  });
  for (let i = 1; i < both.count; i++) {
    const isNext = Math.abs(both.depth[i] - both.depth[both.parent[i]]) === 1, isFarther = Math.abs(both.depth[i] - both.middle) > Math.abs(both.depth[both.parent[i]] - both.middle);
    if (!isNext || !isFarther || both.end[i] > both.end[both.parent[i]]) wrong.push("node " + i);
    for (const isDown of [false, true]) {
      const next = neighbourOf(both, i, isDown);
      if (next >= 0 && both.depth[next] !== both.depth[i] + (isDown ? 1 : -1)) wrong.push("neighbour of " + i);
    }
    // A zoom takes its half's path and leaves the other half whole.
    const view = { tree: both, zoom: i, x: both.x[i], width: both.total[i] };
    for (let d = 0; d <= both.deepest; d++) {
      const isOther = (d - both.middle) * (both.depth[i] - both.middle) < 0;
      if (isOther && (isOnPath(view, d) || windowOf(view, d).width !== both.total[0])) wrong.push("other half of " + i);
      if (isOnPath(view, d) && both.depth[pathNode(view, d)] !== d) wrong.push("path of " + i);
    }
  }
  return wrong;
}

function checkLaws([page]) {
  const context = load(page);
  vm.runInContext(String(sandwichFaults), context);
  console.log(vm.runInContext(`(() => {
    const wrong = [], near = (a, b) => Math.abs(a - b) <= 1e-6 * Math.max(1, tree.total[0]);
    const all = sumLabels(tree, 0, labels.name.length, tree.self, tree.total), sum = (column) => column.reduce((a, b) => a + b, 0);
    const merged = mergeRecursion(tree), after = sumLabels(merged, 0, labels.name.length, merged.self, merged.total);
    if (!near(merged.total[0], tree.total[0])) wrong.push("merged: sum");
    for (const by of ["binary", "file"]) {
      const together = collapseTree(tree, collapsed[by]), roots = (of) => Array.from({ length: of.count }, (_, i) => i)
        .filter((i) => of.depth[i] === 1).map((i) => labels.name[of.label[i]] + " " + of.total[i]).sort().join();
      if (!near(together.total[0], tree.total[0]) || roots(together) !== roots(tree)) wrong.push(by + ": sums of all and of each root");
      for (let i = 1; i < together.count; i++)
        if (together.label[i] === together.label[together.parent[i]]) wrong.push(by + ": two neighbours of " + labels.name[together.label[i]]);
    }
    for (let i = 0; i < labels.name.length; i++) {
      if (!near(all.self[i], after.self[i]) || !near(all.total[i], after.total[i])) wrong.push("merged: " + labels.name[i]);
      if (labels.kind[i] === "r") continue;
      const callers = callersOf(tree, i), callees = calleesOf(tree, i);
      if (!near(callers.total[0], all.total[i]) || !near(callees.total[0], all.total[i])) wrong.push("total: " + labels.name[i]);
      if (!near(ownIn(callers, 0)[0], all.self[i])) wrong.push("self: " + labels.name[i]);
      wrong.push(...sandwichFaults(sandwichOf(tree, i), callers, callees).map((fault) => "sandwich of " + labels.name[i] + ": " + fault));
    }
    return wrong.length ? wrong.join("\\n") : "equal";
  })()`, context));
}

function printFolded([page, ...words]) {
  const context = load(page);
  Object.assign(context, { words: words.map((word) => word.split("=")) });
  console.log(vm.runInContext(`(() => {
    const filters = noFilters(), lines = [], { together: by, group } = Object.fromEntries(words);
    for (const [how, name] of words) if (how !== "together" && how !== "group") filters[how].push(labels.name.indexOf(name));
    if (group && !groupings[group]) return ["no grouping by " + group];
    const grouped = group ? groupTree(tree, groupings[group]) : tree;
    if (grouped.total[0] !== tree.total[0]) return ["another sum"];
    const left = filterTree(grouped, filters), kept = by ? collapseTree(left, collapsed[by]) : left;
    for (let i = 1; i < kept.count; i++) {
      if (!kept.total[i]) lines.push("nothing weighs a frame of " + labels.name[kept.label[i]]);
      const path = [];
      for (let up = i; up; up = kept.parent[up]) path.unshift(labels.name[kept.label[up]].replace(/;/g, ":"));
      if (kept.self[i]) lines.push(path.join(";") + " " + kept.self[i]);
    }
    return lines;
  })()`, context).join("\n"));
}

const [what, ...rest] = process.argv.slice(2);
({ widths: drawAll, sums: printSums, contrast: printContrast, laws: checkLaws, folded: printFolded,
  shorten: ([room, ...names]) => {
    const context = load(process.env.PAGE);
    for (const name of names) console.log(context.shorten(name, Number(room)));
  } })[what](rest);
