// Runs in the page after its own script: does what a user does, and leaves a line of result for each in the document.
"use strict";

const results = [];
function check(what, got, expected) {
  const same = JSON.stringify(got) === JSON.stringify(expected);
  results.push(`${same ? "pass" : "fail"} ${what}${same ? "" : `: got ${JSON.stringify(got)}, not ${JSON.stringify(expected)}`}`);
}

// The heaviest node of that name in the tree shown.
function find(name) {
  let best = -1;
  for (let i = 0; i < view.tree.count; i++)
    if (labels.name[view.tree.label[i]] === name && (best < 0 || view.tree.total[i] > view.tree.total[best])) best = i;
  return best;
}

function at(node) {
  const box = $("canvas").getBoundingClientRect(), tree = view.tree;
  const { x, width } = windowOf(view, tree.depth[node]);
  const middle = isOnPath(view, tree.depth[node]) ? 0.5 : (tree.x[node] + tree.total[node] / 2 - x) / width;
  return { clientX: box.left + middle * box.width, clientY: box.top + rowTop(view, tree.depth[node]) + ROW / 2, bubbles: true };
}

function press(key, target) {
  (target || $("canvas")).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

function type(text) {
  $("search").value = text;
  $("search").dispatchEvent(new Event("input"));
}

const frame = () => new Promise((done) => setTimeout(done, 50));
const colourAt = (x, y) => {
  paint(performance.now()); // a machine under load may not have painted yet
  const ratio = devicePixelRatio || 1, box = $("canvas").getBoundingClientRect();
  return [...$("canvas").getContext("2d").getImageData((x - box.left) * ratio, (y - box.top) * ratio, 1, 1).data];
};
// Nodes whose label stands above them too.
const recursions = (tree) => Array.from(tree.label).filter((label, i) => {
  for (let up = i; up; up = tree.parent[up]) if (tree.label[tree.parent[up]] === label) return true;
  return false;
}).length;
const zoomed = () => labels.name[view.tree.label[view.zoom]];
const selected = () => labels.name[view.tree.label[view.selected]];

async function run() {
  await frame();
  check("all samples are there", whole.total[0], 52);
  check("each row is sorted, and no frame is wider than its caller", Array.from({ length: whole.count }, (_, i) => i)
    .every((i) => i === 0 || (whole.x[i] >= whole.x[whole.parent[i]] - 1e-9 &&
      whole.x[i] + whole.total[i] <= whole.x[whole.parent[i]] + whole.total[whole.parent[i]] + 1e-9)), true);
  check("the losses are in sight", /counts-full 2/.test($("losses").textContent) && !/stack-cut/.test($("losses").textContent) && !$("losses").hidden, true);
  check("stacks that end early are no losses", $("early").textContent, "6 of 52 stacks (11.5 %) end early");
  $("early").click();
  check("and can be searched for", document.documentElement.dataset.matched, "9");
  press("Escape");
  check("range and event are in sight", /2026-11-21 12:00:00 to 12:00:20 UTC/.test($("facts").textContent), true);

  const serve = at(find("serve"));
  const drawn = colourAt(serve.clientX, serve.clientY + 7);
  check("a frame is drawn in its own colour", drawn[3] === 255 && drawn[0] > drawn[2], true);
  $("canvas").dispatchEvent(new MouseEvent("mousemove", serve));
  const deeper = Array.from(whole.label, (label, i) => (labels.name[label] === "serve" ? i : -1)).filter((i) => i >= 0);
  await frame();
  check("frames of the function under the mouse are marked everywhere", deeper.map((i) => colourAt(at(i).clientX, at(i).clientY + ROW / 2 - 2.5).slice(0, 3))
    .every((colour) => colour.join() === colourOf(palette.accent).join()) && deeper.length > 2, true);
  check("hovering tells function, binary, place, share of all and of the parent", $("tip").textContent,
    "serve30 samples (303 ms of CPU) \u00b7 57.7 % of all \u00b7 81.1 % of its parent" +
    "itself 30 samples \u00b7 57.7 %server \u00b7 user/src/serve.c:7");
  check("the status line begins with numbers", /^serve +\u00b7 +30 samples /.test($("status").textContent), true);
  $("canvas").dispatchEvent(new MouseEvent("mouseleave"));
  check("and stops", $("tip").hidden, true);

  $("canvas").dispatchEvent(new MouseEvent("click", at(find("parse"))));
  await frame();
  check("a click zooms", [zoomed(), view.width], ["parse", 7]);
  check("the address keeps the view, by the path's hash", location.hash, `#zoom=${hexPath(whole, view.zoom)}`);
  $("canvas").dispatchEvent(new MouseEvent("click", at(find("main"))));
  await frame();
  check("a click on a caller zooms out", [zoomed(), view.width], ["main", 37]);
  press("Backspace");
  await frame();
  check("Backspace goes back", zoomed(), "parse");
  press("Home");
  await frame();
  check("Home shows everything", [view.zoom, view.width], [0, 52]);

  type("SERVE");
  check("a search with capitals means them", document.documentElement.dataset.matched, "0");
  type("serve");
  check("one without does not; each stack counts once", document.documentElement.dataset.matched, "45");
  check("and the share is told", $("matched").textContent, "matched 86.5 % \u00b7 45 samples \u00b7 6 frames");
  press("n");
  check("n selects the next match", selected(), "serve");
  $("regex").click();
  type("^(malloc|parse)$");
  check("a regular expression", document.documentElement.dataset.matched, "10");
  type("(");
  check("a bad one is marked, and harmless", $("search").classList.contains("bad") && view.isMatch === null, true);
  press("Escape");
  check("Escape clears it", $("search").value, "");

  select(find("server"));
  press("ArrowDown");
  check("the arrow down selects the heaviest callee", selected(), "_start");
  press("ArrowDown"), press("ArrowDown");
  check("and again", selected(), "serve");
  press("ArrowLeft");
  check("the arrow left selects the neighbour", selected(), "parse");
  press("ArrowUp");
  check("the arrow up selects the caller", selected(), "main");
  press("Enter");
  await frame();
  check("Enter zooms", zoomed(), "main");
  press("Home");

  const top = rowTop(view, 1);
  press("i");
  await frame();
  check("i turns the picture over", rowTop(view, 1) > top && rowTop(view, 0) > rowTop(view, 1), true);
  press("i");

  const item = (word) => [...$("menu").children].find((b) => b.textContent.startsWith(word));
  $("canvas").dispatchEvent(new MouseEvent("contextmenu", at(find("serve"))));
  check("a right click shows what can be done with a frame", [...$("menu").children].map((b) => b.firstChild.textContent),
    ["Zoom", "Sandwich: callers and callees", "Callers", "Callees", "Only stacks with it", "Without its stacks",
      "Without its frames", "Search for it", "Copy its name"]);
  press("ArrowDown", document.activeElement);
  check("arrows choose in it", document.activeElement, item("Sandwich"));
  press("Escape", document.activeElement);
  check("Escape closes it", $("menu").hidden, true);
  press("ContextMenu");
  item("Callers").click();
  await frame();
  check("callers of a function: its whole weight", [labels.name[view.tree.label[0]], view.tree.total[0]], ["serve", 38]);
  check("and who calls it", [find("main"), find("[truncated]")].map((n) => view.tree.total[n]), [33, 5]);
  const callersAddress = location.hash;
  press("f");
  const row = (name) => [...$("panel-rows").children].map((r) => r.textContent).find((text) => text.endsWith(name));
  check("its table: the function's own weight, none of its callers'", [row("serve"), row("main")],
    ["78.9 %100.0 %serve", "0.00 %86.8 %main"]);
  press("f");
  window.history.back();
  await frame();
  check("the browser's Back returns to the view before", view.tree === whole, true);
  location.hash = callersAddress;
  await frame();
  check("an address typed into the open page is followed", [view.tree.kind, labels.name[view.tree.label[0]]], ["callers", "serve"]);
  press("Home");
  await frame();

  const colourOfFrame = (name) => hexOf(colourAt(at(find(name)).clientX, at(find(name)).clientY + 7).slice(0, 3));
  const moduleFill = (name) => palette.modules[shadeOf(name, MODULE_HUES)];
  press("k");
  await frame();
  check("colours by binary", [colourOfFrame("parse"), colourOfFrame("_start"), $("legend").textContent.startsWith("server")],
    [moduleFill("server"), moduleFill("server"), true]);
  const coloured = location.hash;
  press("k");
  await frame();
  check("by own time: what has none is pale", [colourOfFrame("parse"), colourOfFrame("main")], [palette.heat[0], palette.heat[0]]);
  check("and what has much is not", palette.heat.indexOf(colourOfFrame("is_digit")) > 1, true);
  press("k");
  await frame();
  location.hash = coloured;
  await frame();
  check("the address keeps the colours", [view.colours, $("colours").value], ["binary", "binary"]);
  colourBy("kind");

  select(find("serve"));
  press("s");
  await frame();
  const sandwichAddress = location.hash, rowOf = (name) => Math.sign(view.tree.depth[find(name)] - view.tree.middle);
  check("sandwich: the function's whole weight, callers above it, callees below", [labels.name[view.tree.label[0]], view.tree.total[0],
    rowOf("main"), rowOf("malloc"), rowOf("serve")], ["serve", 38, -1, 1, 0]);
  check("and how much of it is its own", /itself 30 samples/.test(cardOf(0).map((line) => line.textContent).join()), true);
  press("ArrowUp");
  check("the arrow up selects the heaviest caller", selected(), "main");
  press("Enter");
  await frame();
  check("a zoom into a caller", [zoomed(), view.width], ["main", 33]);
  check("leaves the callees whole", windowOf(view, view.tree.middle + 1).width, 38);
  $("canvas").dispatchEvent(new MouseEvent("click", at(find("malloc"))));
  await frame();
  check("where a click zooms too", [zoomed(), windowOf(view, 0).width], ["malloc", 38]);
  press("Home");
  location.hash = sandwichAddress;
  await frame();
  check("its address is followed", [view.tree.kind, labels.name[view.tree.label[0]]], ["sandwich", "serve"]);
  press("f");
  check("the table stays that of all", $("panel-rows").firstChild.textContent, "57.7 %73.1 %serve");
  [...$("panel-rows").children].find((r) => r.textContent.endsWith("parse")).click();
  await frame();
  check("a row of it opens the next function's", [view.tree.kind, labels.name[view.tree.label[0]]], ["sandwich", "parse"]);
  press("f");
  press("Home");
  await frame();

  select(find("serve"));
  $("callees").click();
  await frame();
  check("callees of a function: its weight, and what it calls", [labels.name[view.tree.label[0]], view.tree.total[0], view.tree.kind],
    ["serve", 38, "callees"]);
  press("Backspace");
  await frame();
  press("m");
  await frame();
  check("recursion merged: the sum stays, and no function stands below itself", [view.tree.total[0], recursions(view.tree)], [52, 0]);
  check("which the whole has", recursions(whole) > 0, true);
  press("m");
  await frame();

  select(find("serve"));
  press("o");
  await frame();
  select(find("malloc"));
  press("x");
  await frame();
  check("only stacks with a function, without those of another", [view.tree.total[0], find("malloc"), find("parse")], [35, -1, -1]);
  check("which the page says", $("mode").textContent,
    "Only stacks with serve. Without stacks of malloc. 67.3 % of all. Reset shows everything. ");
  const filtered = location.hash;
  select(find("serve"));
  press("s");
  await frame();
  check("a sandwich is of what is left", [view.tree.kind, view.tree.total[0]], ["sandwich", 35]);
  press("Home");
  await frame();
  check("Home shows everything again", [view.tree === whole, $("mode").hidden], [true, true]);
  location.hash = filtered;
  await frame();
  check("the address keeps what is left out", [view.tree.total[0], view.tree.kind], [35, "filtered"]);
  press("Home");
  await frame();

  check("an event with stacks has its choice, one without has none", [[...$("events").options].map((option) => option.textContent), $("events").hidden],
    [["cpu", "uprobe:./server:serve"], false]);
  zoomTo(find("main"));
  type("malloc");
  press("v");
  await frame();
  check("v shows the next event: its own title, unit and sum", [$("title").textContent, view.tree.total[0], $("events").value, document.title],
    ["uprobe:./server:serve on box", 2000000000, "1", "uprobe:./server:serve on box"]);
  check("the zoom stays with the path, the search with its words", [zoomed(), view.width, $("search").value, document.documentElement.dataset.matched],
    ["main", 400000000, "malloc", "0"]);
  const ofEvent = location.hash;
  window.history.back();
  await frame();
  check("the browser's Back returns to the event before", [eventAt, $("title").textContent, zoomed()], [0, "cpu on box", "main"]);
  location.hash = ofEvent;
  await frame();
  check("its address is followed", [eventAt, zoomed(), data.unit], [1, "main", "ns"]);
  $("events").value = "0";
  $("events").onchange();
  await frame();
  check("and the first event is there again", [whole.total[0], location.hash.includes("event=")], [52, false]);
  press("Escape"), press("Home");
  await frame();
  press("b");
  await frame();
  check("functions put together by binary: the sum stays", [view.tree.total[0], find("parse"), $("collapse").value, $("mode").textContent],
    [52, -1, "binary", "Functions put together by binary. "]);
  const neighbours = (tree) => Array.from(tree.label).filter((label, i) => i && tree.label[tree.parent[i]] === label).length;
  check("no frame stands below one of its own binary", [neighbours(view.tree), neighbours(whole) > 0], [0, true]);
  press("f");
  check("the table is one of binaries", [$("panel-title").textContent, $("panel-rows").firstChild.textContent], ["7 binaries", "80.8 %90.4 %server"]);
  press("f");
  select(find("libc.so.6"));
  press("o");
  await frame();
  check("only stacks with a binary", [view.tree.total[0], view.tree.kind], [3, "collapsed"]);
  const binaries = location.hash;
  $("collapse").value = "file";
  $("collapse").onchange();
  await frame();
  check("by source file: what was left out by binary is there again", [view.tree.total[0], view.tree.total[find("/src/main.c")], view.tree.kind],
    [52, 37, "collapsed"]);
  press("b");
  await frame();
  check("and by function", [view.tree === whole, $("mode").hidden], [true, true]);
  location.hash = binaries;
  await frame();
  check("the address keeps both", [view.tree.total[0], collapse], [3, "binary"]);
  press("Home");
  press("b"), press("b");
  await frame();
  const roots = () => Array.from(view.tree.label).filter((_, i) => view.tree.depth[i] === 1).map((label) => labels.name[label]).sort();
  const asMade = roots();
  press("g");
  await frame();
  check("a root for each process", [roots(), view.tree.total[0], $("group").value, $("mode").textContent],
    [["node-20", "worker-10"], 52, "pid", "A root for each process. "]);
  select(find("serve"));
  press("o");
  await frame();
  const ofProcess = location.hash;
  check("of a part of the stacks", [roots(), view.tree.total[0], ofProcess.includes("group=pid")], [["worker-10"], 38, true]);
  press("Home");
  $("group").value = "tid";
  $("group").onchange();
  await frame();
  check("a root for each thread", [roots(), view.tree.total[0]], [["node-20/20", "server-10/10", "worker-10/11"], 52]);
  press("g");
  await frame();
  check("one root for all", [roots(), view.tree.total[0]], [["[all]"], 52]);
  press("g");
  await frame();
  check("and the roots that the page was made with", [roots(), view.tree === whole, location.hash.includes("group")], [asMade, true, false]);
  location.hash = ofProcess;
  await frame();
  check("the address keeps the roots and the filter", [roots(), view.tree.total[0], $("group").value], [["worker-10"], 38, "pid"]);
  press("Home"), press("g"), press("g"), press("g");
  await frame();
  press("f");
  const first = $("panel-rows").firstChild;
  check("the table of functions", first.textContent, "57.7 %73.1 %serve");
  const csv = listCsv().split("\r\n");
  check("the table as comma-separated values: all functions, and their sums", [csv[0], csv[1], csv.length,
    csv.slice(1, -1).reduce((sum, line) => sum + Number(line.split(",").slice(-2)[0]), 0)],
    ["function,binary,source,self samples,total samples", "serve,server,/src/serve.c:7,30,38", 18, 51]);
  first.click();
  check("a row searches for its function", document.documentElement.dataset.matched, "38");
  first.querySelector("button").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true, cancelable: true }));
  check("one row is a stop of the Tab key; arrows move on", [...$("panel-rows").querySelectorAll("button")].filter((b) => !b.tabIndex).length, 1);
  press("f");
  type("");
  $("regex").getAttribute("aria-pressed") === "true" || $("regex").click();
  type("^serve\\:?$");
  check("escapes that need none are taken", document.documentElement.dataset.matched, "38");
  press("Escape");

  $("canvas").dispatchEvent(new PointerEvent("pointerdown", { ...at(find("parse")), pointerType: "touch" }));
  $("canvas").dispatchEvent(new PointerEvent("click", { ...at(find("parse")), pointerType: "touch" }));
  check("a finger's first tap shows numbers and does not zoom", [view.zoom, $("sheet").hidden, /7 samples/.test($("sheet-card").textContent)],
    [0, false, true]);
  $("sheet-zoom").click();
  await frame();
  check("its button zooms", [zoomed(), $("sheet").hidden], ["parse", true]);
  press("Home");
  await frame();

  dispatchEvent(new Event("beforeprint"));
  check("paper gets the whole picture", [$("canvas").width, $("canvas").height], [2 * PAPER, 2 * ((whole.deepest + 1) * ROW + 6)]);
  dispatchEvent(new Event("afterprint"));
  check("each button says what it is", [...document.querySelectorAll("button")].filter((b) => !b.textContent.trim() && !b.ariaLabel).length, 0);
  check("nothing in a name became a tag or ran", [typeof window.hacked, document.querySelectorAll("img, b.x").length],
    ["undefined", 0]);
}

run().catch((error) => results.push(`fail the page throws nothing: ${error.stack}`)).then(() => {
  const out = document.createElement("pre");
  out.id = "results";
  out.textContent = results.join("\n") + "\nend";
  document.body.replaceChildren(out);
});
