// The address keeps what is shown, so that it can be passed on, and the browser's Back goes through the views. A frame is named by a
// hash of its path, a function by one of its name and binary: in another report of the same program they mean the same.
//
//   #callers=5a1c0ffee1234567&zoom=0011223344556677&regex=^serve$&flame=1&panel=total
"use strict";

let shownHash = "", viewDepth = 0; // how many views of this page the browser's Back can return to

const labelHashes = new Map();
function hashLabel(label) {
  let pair = labelHashes.get(label);
  if (pair) return pair;
  pair = [17, 31];
  const text = `${labels.name[label]}\u0000${data.modules[data.module[label]]}`;
  for (let i = 0; i < text.length; i++)
    pair = [(Math.imul(pair[0], 0x01000193) ^ text.charCodeAt(i)) >>> 0, (Math.imul(pair[1], 0x9e3779b1) + text.charCodeAt(i)) >>> 0];
  labelHashes.set(label, pair);
  return pair;
}

const hexPair = (low, high) => high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
const hexLabel = (label) => hexPair(...hashLabel(label));

function hexPath(tree, node) {
  const { low, high } = hashPaths(tree, hashLabel);
  return hexPair(low[node], high[node]);
}

function nodeOfHash(tree, hex) {
  if (!/^[0-9a-f]{16}$/.test(hex || "")) return 0;
  const { low, high } = hashPaths(tree, hashLabel), a = parseInt(hex.slice(8), 16), b = parseInt(hex.slice(0, 8), 16);
  for (let node = 1; node < tree.count; node++) if (low[node] === a && high[node] === b) return node;
  return 0;
}

function addressOf() {
  const words = new URLSearchParams(), { tree, zoom } = view;
  if (eventAt) words.set("event", events[eventAt]);
  if (tree.kind === "merged") words.set("merged", "1");
  else if (tree !== base) words.set(tree.kind, hexLabel(tree.label[0]));
  if (group) words.set("group", group);
  if (collapse) words.set("collapse", collapse);
  for (const how of Object.keys(filters)) if (filters[how].length) words.set(how, filters[how].map(hexLabel).join("-"));
  if (zoom) words.set("zoom", hexPath(tree, zoom));
  if (query.text) words.set(query.isRegex ? "regex" : "search", query.text);
  if (view.isFlame) words.set("flame", "1");
  if (view.colours !== "kind") words.set("colours", view.colours);
  if (!$("panel").hidden) words.set("panel", sortBy);
  return words.toString();
}

function remember(isNewView) {
  const words = addressOf(), url = words ? `#${words}` : location.pathname + location.search;
  if (words === shownHash) return;
  try {
    if (isNewView) window.history.pushState({ viewDepth: ++viewDepth }, "", url);
    else window.history.replaceState({ viewDepth }, "", url);
    shownHash = words;
    if (window.parent !== window) window.parent.postMessage({ hearthView: words }, "*"); // the page of `hearth serve`
  } catch (_) {
    // A page without an address of its own cannot keep it.
  }
  $("back").disabled = !viewDepth;
}

// Shows the view that the words of an address name: at the start, after Back, after a pasted link, of another event.
function restore(words) {
  const at = Math.max(events.indexOf(words.get("event")), 0);
  if (at !== eventAt) openEvent(at);
  const wanted = ["sandwich", "callers", "callees"].find((kind) => words.has(kind));
  const labelOf = (hex) => labels.name.findIndex((_, i) => hexLabel(i) === hex), wantedFilters = noFilters();
  for (const how of Object.keys(wantedFilters))
    wantedFilters[how] = (words.get(how) || "").split("-").filter(Boolean).map(labelOf).filter((label) => label > 0);
  setBase(wantedFilters, ["binary", "file"].find((by) => by === words.get("collapse")) || "",
    Object.keys(groupings).find((by) => by === words.get("group")) || "");
  const label = wanted ? labelOf(words.get(wanted)) : -1;
  const tree = words.has("merged") ? treeOf("merged", 0) : label > 0 ? treeOf(wanted, label) : base;
  view.isFlame = words.has("flame");
  view.colours = $("colours").value = (!whole.sides && ["binary", "self"].find((what) => what === words.get("colours"))) || "kind";
  listKinds();
  $("flip").textContent = view.isFlame ? "Icicle" : "Flame";
  sortBy = ["total", "name"].find((by) => by === words.get("panel")) || "self";
  if (words.has("panel") === $("panel").hidden) togglePanel();
  $("search").value = words.get("regex") || words.get("search") || "";
  show(tree, nodeOfHash(tree, words.get("zoom")), false);
  search($("search").value, words.has("regex"));
  shownHash = addressOf();
  $("back").disabled = !viewDepth;
}

function onAddress(event) {
  if (location.hash.slice(1) === shownHash) return;
  viewDepth = event.state ? event.state.viewDepth || 0 : viewDepth;
  restore(new URLSearchParams(location.hash.slice(1)));
  $("back").disabled = !viewDepth;
}
