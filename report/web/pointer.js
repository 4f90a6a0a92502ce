// Mouse and finger on the picture. A finger has no hover: its first tap selects, and shows numbers and buttons.
"use strict";

let isTouch = false;

function nodeUnder(event) {
  const box = $("canvas").getBoundingClientRect(), y = event.clientY - box.top + view.scroll;
  const d = Math.floor((view.isFlame ? view.contentHeight - y : y) / ROW);
  if (isOnPath(view, d)) return pathNode(view, d);
  const { x, width } = windowOf(view, d);
  return nodeAt(view.tree, d, x + ((event.clientX - box.left) / box.width) * width);
}

// A node's name and lines, for the hover card and the sheet.
function cardOf(node) {
  const { name, kind, place, weight } = describe(node), bold = document.createElement("b");
  bold.textContent = name;
  return [bold, ...[...weight, kind, place].filter(Boolean).map((line, i) => {
    const span = document.createElement("span");
    span.textContent = line;
    span.className = i < weight.length ? "" : "faint";
    return span;
  })];
}

function hover(event) {
  const node = event && !isTouch ? nodeUnder(event) : -1, tip = $("tip");
  if (node !== view.hover) {
    view.hover = node;
    redraw();
  }
  tip.hidden = node < 0;
  tell(node >= 0 ? node : view.selected);
  if (node < 0) return;
  tip.replaceChildren(...cardOf(node));
  const right = event.clientX + 14 + tip.offsetWidth > innerWidth, below = event.clientY + 18 + tip.offsetHeight > innerHeight;
  tip.style.left = `${Math.max(right ? event.clientX - tip.offsetWidth - 10 : event.clientX + 14, 4)}px`;
  tip.style.top = `${Math.max(below ? event.clientY - tip.offsetHeight - 10 : event.clientY + 18, 4)}px`;
}

function onTap(event) {
  const node = nodeUnder(event);
  if (node < 0) return;
  if (event.pointerType === "touch") {
    select(node);
    showSheet(node);
    return;
  }
  view.selected = node;
  zoomTo(node);
}

function showSheet(node) {
  $("sheet").hidden = node < 0;
  if (node < 0) return;
  $("sheet-card").replaceChildren(...cardOf(node));
  for (const id of ["sheet-sandwich", "sheet-callers", "sheet-callees", "sheet-search"]) $(id).disabled = !isFunction(view.tree, node);
  fit();
}

function listenToPointer() {
  const canvas = $("canvas");
  canvas.onpointerdown = (event) => (isTouch = event.pointerType === "touch");
  canvas.onmousemove = hover;
  canvas.onmouseleave = () => hover(null);
  canvas.onclick = onTap;
  canvas.oncontextmenu = (event) => {
    const node = nodeUnder(event);
    if (node >= 0 && !isTouch) event.preventDefault(), select(node), showMenu(event.clientX, event.clientY);
  };
  listenToMenu();
  const leave = (action) => () => (showSheet(-1), action(), fit());
  $("sheet-zoom").onclick = leave(() => zoomTo(view.selected));
  $("sheet-sandwich").onclick = leave(() => showFunction("sandwich", view.selected));
  $("sheet-callers").onclick = leave(() => showFunction("callers", view.selected));
  $("sheet-callees").onclick = leave(() => showFunction("callees", view.selected));
  $("sheet-search").onclick = leave(() => searchExactly(labels.name[view.tree.label[view.selected]]));
  $("sheet-close").onclick = leave(() => {});
}
