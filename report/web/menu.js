// The menu of the selected frame: all that can be done with it, by mouse and by keyboard.
"use strict";

// Word, key that does the same, whether it needs a function, what it does, whether only the page of `hearth serve` can do it.
const menuItems = [
  ["Zoom", "Enter", false, () => zoomTo(view.selected)],
  ["Sandwich: callers and callees", "s", true, () => showFunction("sandwich", view.selected)],
  ["Callers", "c", true, () => showFunction("callers", view.selected)],
  ["Callees", "e", true, () => showFunction("callees", view.selected)],
  ["Only stacks with it", "o", true, () => addFilter("only", view.selected)],
  ["Without its stacks", "x", true, () => addFilter("without", view.selected)],
  ["Without its frames", "h", true, () => addFilter("hide", view.selected)],
  ["Search for it", "", true, () => searchExactly(labels.name[view.tree.label[view.selected]])],
  ["Source of its lines", "", true, () => window.parent.postMessage({ hearthSource: labels.name[view.tree.label[view.selected]] }, "*"), true],
  ["Copy its name", "", false, () => copyText(labels.name[view.tree.label[view.selected]])],
];

// A page of a file, or in a frame, may not have the newer way.
function copyText(text) {
  const copyOld = () => {
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(text).catch(copyOld);
  else copyOld();
}

function showMenu(x, y) {
  const menu = $("menu"), isOne = isFunction(view.tree, view.selected);
  menu.replaceChildren(...menuItems.filter(([, , needsFunction, , needsServe]) =>
    (isOne || !needsFunction) && (window.parent !== window || !needsServe)).map(([word, key, , action]) => {
    const button = document.createElement("button");
    button.setAttribute("role", "menuitem");
    button.append(word, Object.assign(document.createElement("kbd"), { textContent: key }));
    button.onclick = () => (hideMenu(), action());
    return button;
  }));
  menu.hidden = false;
  $("tip").hidden = true;
  menu.style.left = `${Math.max(Math.min(x, innerWidth - menu.offsetWidth - 4), 4)}px`;
  menu.style.top = `${Math.max(Math.min(y, innerHeight - menu.offsetHeight - 4), 4)}px`;
  menu.firstChild.focus();
}

function hideMenu() {
  $("menu").hidden = true;
  $("canvas").focus();
}

// Where the selected frame stands on the picture.
function showMenuOfSelected() {
  const { tree, selected } = view, box = $("canvas").getBoundingClientRect();
  if (selected < 0) return;
  const d = tree.depth[selected], { x, width } = windowOf(view, d), left = isOnPath(view, d) ? 0 : (tree.x[selected] - x) / width;
  showMenu(box.left + Math.max(left, 0) * box.width + 8, box.top + rowTop(view, d) + ROW);
}

function onMenuKey(event) {
  const buttons = [...$("menu").children], at = buttons.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (to !== undefined) buttons[(to + buttons.length) % buttons.length].focus();
  else if (event.key === "Escape" || event.key === "Tab") hideMenu();
  else return;
  event.preventDefault();
}

function listenToMenu() {
  addEventListener("pointerdown", (event) => !$("menu").hidden && !$("menu").contains(event.target) && hideMenu());
  $("menu").oncontextmenu = (event) => event.preventDefault();
}
