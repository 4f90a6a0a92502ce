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
  const middle = tree.depth[node] < tree.depth[view.zoom] ? 0.5 : (tree.x[node] + tree.total[node] / 2 - view.x) / view.width;
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
  const ratio = devicePixelRatio || 1, box = $("canvas").getBoundingClientRect();
  return [...$("canvas").getContext("2d").getImageData((x - box.left) * ratio, (y - box.top) * ratio, 1, 1).data];
};
const zoomed = () => labels.name[view.tree.label[view.zoom]];
const selected = () => labels.name[view.tree.label[view.selected]];

async function run() {
  await frame();
  check("all samples are there", whole.total[0], 52);
  check("each row is sorted, and no frame is wider than its caller", Array.from({ length: whole.count }, (_, i) => i)
    .every((i) => i === 0 || (whole.x[i] >= whole.x[whole.parent[i]] - 1e-9 &&
      whole.x[i] + whole.total[i] <= whole.x[whole.parent[i]] + whole.total[whole.parent[i]] + 1e-9)), true);
  check("the losses are in sight", /stack-cut 6 .*counts-full 2/.test($("losses").textContent) && !$("losses").hidden, true);
  check("range and event are in sight", /2026-11-21 12:00:00 to 12:00:20 UTC/.test($("facts").textContent), true);

  const serve = at(find("serve"));
  const drawn = colourAt(serve.clientX, serve.clientY + 7);
  check("a frame is drawn in its own colour", drawn[3] === 255 && drawn[0] > drawn[2], true);
  $("canvas").dispatchEvent(new MouseEvent("mousemove", serve));
  check("hovering tells function, binary, place, share of all and of the parent", $("tip").textContent,
    "serveserver \u00b7 user/src/serve.c:730 samples (303 ms of CPU) \u00b7 57.7 % of all \u00b7 81.1 % of its parent" +
    "itself 30 samples \u00b7 57.7 %");
  $("canvas").dispatchEvent(new MouseEvent("mouseleave"));
  check("and stops", $("tip").hidden, true);

  $("canvas").dispatchEvent(new MouseEvent("click", at(find("parse"))));
  await frame();
  check("a click zooms", [zoomed(), view.width], ["parse", 7]);
  check("the address keeps the view", location.hash.includes(`zoom=${view.zoom}`), true);
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

  $("canvas").dispatchEvent(new MouseEvent("contextmenu", at(find("serve"))));
  await frame();
  check("callers of a function: its whole weight", [labels.name[view.tree.label[0]], view.tree.total[0]], ["serve", 38]);
  check("and who calls it", [find("main"), find("[truncated]")].map((n) => view.tree.total[n]), [33, 5]);
  press("Backspace");
  await frame();

  press("f");
  const first = $("panel-rows").firstChild;
  check("the table of functions", first.textContent, "57.7 %73.1 %serve");
  first.click();
  check("a row searches for its function", document.documentElement.dataset.matched, "38");
  press("f");
  check("nothing in a name became a tag or ran", [typeof window.hacked, document.querySelectorAll("img, b.x").length],
    ["undefined", 0]);
}

run().catch((error) => results.push(`fail the page throws nothing: ${error.stack}`)).then(() => {
  const out = document.createElement("pre");
  out.id = "results";
  out.textContent = results.join("\n") + "\nend";
  document.body.replaceChildren(out);
});
