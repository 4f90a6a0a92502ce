// The table of functions: their own and their whole weight in the part shown; of a difference, how these changed.
"use strict";

let sortBy = "self";
const MARGIN = 20; // rows that are made above and below those in sight
// The functions in order, and where the Tab key stops: only rows in sight are in the document.
let listed = { rows: [], columns: null, stop: 0, height: 21 };

// A sandwich is of one function: its table stays that of all, to choose the next one from.
const isOfAll = () => base === whole && (view.tree.kind === "sandwich" || (view.tree === whole && view.zoom === 0));

// By label and side, self and total in the part shown. Of the whole they are computed by the report, with the frames that are too
// light to be drawn.
function sumPart() {
  const { tree, zoom } = view.tree.kind === "sandwich" ? { tree: base, zoom: 0 } : view, count = labels.name.length;
  if (isOfAll()) return sums;
  return sidesOf(tree).map((self, side) => {
    const part = sumLabels(tree, zoom, count, self, totalsOf(tree)[side]);
    if (tree.own) part.self.fill(0), (part.self[tree.label[0]] = ownIn(tree, zoom)[side]);
    return part;
  });
}

// The values of the two columns, by label, and the words for them.
function panelColumns() {
  const { tree, zoom } = view, parts = sumPart();
  if (!tree.sides) return { sums: parts[0], has: parts[0].total, word: (value) => share(value, tree.kind === "sandwich" ? base.total[0] : tree.total[zoom]), rank: (value) => value };
  const [before, after] = parts, [a, b] = wholes();
  const change = (key) => before[key].map((value, i) => after[key][i] / b - value / a);
  return { sums: { self: change("self"), total: change("total") }, has: before.total.map((value, i) => value + after.total[i]),
    word: points, rank: Math.abs };
}

function fillPanel() {
  if ($("panel").hidden) return;
  const columns = panelColumns(), { sums: values, has, rank } = columns, rows = [];
  for (let i = 0; i < labels.name.length; i++)
    if (has[i] && labels.kind[i] !== "r" && (!view.isMatch || view.isMatch[i])) rows.push(i);
  if (sortBy === "name") rows.sort((a, b) => (labels.name[a] < labels.name[b] ? -1 : labels.name[a] > labels.name[b] ? 1 : a - b));
  else rows.sort((a, b) => rank(values[sortBy][b]) - rank(values[sortBy][a]) || rank(values.total[b]) - rank(values.total[a]));
  const isPart = data.cut && !isOfAll();
  $("panel-title").textContent = `${rows.length.toLocaleString("en")} ${wordRows()}` +
    (view.tree.sides ? ", by their change in points" : "") +
    (isPart ? "; without the lighter frames" : "");
  $("panel-p").hidden = !showsChance();
  listed = { ...listed, rows, columns, stop: 0 };
  $("panel-scroller").scrollTop = 0;
  drawRows();
  for (const button of $("panel").querySelectorAll("[data-sort]")) {
    button.classList.toggle("chosen", button.dataset.sort === sortBy);
    button.closest("th").setAttribute("aria-sort", button.dataset.sort !== sortBy ? "none" : sortBy === "name" ? "ascending" : "descending");
  }
}

const wordRows = () => ({ "": "functions", binary: "binaries", file: "source files" })[collapse];

// Makes the rows in sight; what stands for the others is as high as they would be.
function drawRows() {
  const { rows, columns, height } = listed, scroller = $("panel-scroller");
  const first = Math.max(Math.floor(scroller.scrollTop / height) - MARGIN, 0);
  const end = Math.min(first + Math.ceil((scroller.clientHeight || innerHeight) / height) + 2 * MARGIN, rows.length);
  const hasFocus = $("panel-rows").contains(document.activeElement);
  $("panel-above").style.height = `${first * height}px`;
  $("panel-below").style.height = `${(rows.length - end) * height}px`;
  $("panel-rows").replaceChildren(...rows.slice(first, end).map((label, i) => panelRow(label, columns, first + i)));
  listed.height = ($("panel-rows").firstChild && $("panel-rows").firstChild.offsetHeight) || height;
  if (hasFocus) focusRow();
}

// The row where the Tab key stops; where it is not in sight there is none.
function focusRow() {
  const button = $("panel-rows").querySelector('button[tabindex="0"]');
  if (button) button.focus({ preventScroll: true });
}

// All functions of the table, as comma-separated values: RFC 4180. A name that a spreadsheet would take for a formula is quoted
// for it too.
function listCsv() {
  const { rows } = listed, parts = sumPart(), ends = parts.length > 1 ? [" before", " after"] : [""];
  const quote = (text) => (/^[=+\-@\t\r]/.test(text) ? `"'${text.replace(/"/g, '""')}"` : /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  const head = ["function", "binary", "source", ...ends.flatMap((end) => [`self ${data.unit}${end}`, `total ${data.unit}${end}`])];
  return [head, ...rows.map((label) => [labels.name[label], data.modules[data.module[label]], placeOf(label)]
    .concat(parts.flatMap((part) => [part.self[label], part.total[label]])))].map((row) => row.map((cell) => quote(String(cell))).join(",")).join("\r\n") + "\r\n";
}

function copyCsv() {
  copyText(listCsv());
  $("status").textContent = `${listed.rows.length.toLocaleString("en")} ${wordRows()} copied as comma-separated values`;
}

// The probabilities are those of the whole ranges.
function showsChance() {
  return !!data.ps && data.counted && isOfAll();
}

function panelRow(label, { sums: values, word }, at) {
  const row = document.createElement("tr"), name = document.createElement("button"), chip = document.createElement("span");
  const texts = [word(values.self[label]), word(values.total[label])];
  if (showsChance()) texts.push(wordChance(chanceOf(label)).replace("P = ", "").replace("P < ", "<"));
  for (const text of texts) row.appendChild(document.createElement("td")).textContent = text;
  chip.className = "chip";
  chip.style.background = chipOf(label, values.total[label]);
  name.textContent = labels.name[label];
  name.title = [labels.name[label], data.modules[data.module[label]], placeOf(label)].filter(Boolean).join("\n");
  name.tabIndex = at === listed.stop ? 0 : -1; // one stop of the Tab key; arrows move among the rows
  const cell = row.appendChild(document.createElement("td"));
  cell.className = "name";
  cell.append(chip, name);
  row.classList.toggle("chance", showsChance() && chanceOf(label) > CHANCE);
  row.dataset.label = label;
  name.onfocus = () => stopAt(row, at);
  row.onclick = () => (view.tree.kind === "sandwich" ? openSandwich(label) : searchExactly(labels.name[label]));
  row.ondblclick = () => openSandwich(label);
  return row;
}

// The colour of the frames: of a difference, of the change.
function chipOf(label, change) {
  if (!whole.sides) return palette[labels.kind[label]].plain[labels.shade[label]];
  const p = chanceOf(label);
  return palette.tones[data.counted && p > CHANCE ? 8 : change < 0 ? 1 : change > 0 ? 15 : 8];
}

function openSandwich(label) {
  if (query.text) ($("search").value = ""), search("", query.isRegex); // a row's first click has searched
  goTo(treeOf("sandwich", label), 0, false);
}

function stopAt(row, at) {
  const before = $("panel-rows").querySelector('button[tabindex="0"]');
  if (before) before.tabIndex = -1;
  row.querySelector("button").tabIndex = 0;
  listed.stop = at;
}

function movePanelRow(event) {
  const row = event.target.closest("tr"), page = Math.max(Math.floor($("panel-scroller").clientHeight / listed.height) - 2, 1);
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, End: listed.rows.length, Home: -listed.rows.length }[event.key];
  if (!row || (step === undefined && event.key !== "s")) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.key === "s") return openSandwich(Number(row.dataset.label));
  listed.stop = Math.max(Math.min(listed.stop + step, listed.rows.length - 1), 0);
  const scroller = $("panel-scroller"), top = listed.stop * listed.height, head = scroller.querySelector("thead").offsetHeight;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top + listed.height + head > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + listed.height + head - scroller.clientHeight;
  drawRows();
  focusRow();
}

function searchExactly(name) {
  const pattern = `^${name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")}$`, again = query.isRegex && query.text === pattern;
  $("search").value = again ? "" : pattern;
  search($("search").value, !again);
}

function togglePanel() {
  $("panel").hidden = !$("panel").hidden;
  $("table").setAttribute("aria-expanded", !$("panel").hidden);
  document.body.classList.toggle("has-panel", !$("panel").hidden);
  fit();
  fillPanel();
  remember(false);
}

function sortPanel(by) {
  sortBy = by;
  fillPanel();
  remember(false);
}
