// node report_draw.js WIDTHS PAGE...: the page's own drawing code, on a canvas that keeps what is filled, at every width of
// 300 to 300 + WIDTHS - 1 pixels. For each width that draws forever, or that leaves a row unfilled, a line.
"use strict";
const fs = require("fs"), vm = require("vm");

const BUDGET = 200000; // searches in one picture: some 20 times as many as the widest one takes

// The scripts of the page's pure part, and a picture's view of its data.
function load(page) {
  const text = fs.readFileSync(page, "utf8"), json = text.match(/<script type="application\/json" id="data">(.*?)<\/script>/s)[1];
  const context = { matchMedia: () => ({ matches: false }), devicePixelRatio: 1, atob, data: JSON.parse(json) };
  vm.createContext(context);
  for (const name of ["tree.js", "draw.js"]) vm.runInContext(fs.readFileSync(`report/web/${name}`, "utf8"), context);
  vm.runInContext(`
    const tree = decodeTree(data.nodes, data.count, !!data.before);
    if (tree.sides) tree.tone = new Int8Array(tree.count);
    const labels = { name: data.names, kind: data.kinds, shade: data.names.map(shadeOf) };
    let searches = 0;
    const search = firstRightOf;
    firstRightOf = (...of) => { if (++searches > ${BUDGET}) throw new Error("endless"); return search(...of); };
    function draw(width, fills) {
      searches = 0;
      const pen = { setTransform() {}, clearRect() {}, fillText() {}, strokeRect() {}, save() {}, restore() {}, beginPath() {},
        rect() {}, clip() {}, moveTo() {}, lineTo() {}, stroke() {}, measureText: (t) => ({ width: 7.2 * t.length }),
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

const widths = Number(process.argv[2]);
for (const page of process.argv.slice(3)) {
  const context = load(page);
  for (let width = 300; width < 300 + widths; width++) {
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
