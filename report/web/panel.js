// The table of functions: their own and their whole weight in the part shown; of a difference, how these changed.
"use strict";

let sortBy = "self";
const SHOWN = 300; // rows; a search chooses among the others

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
  $("panel-title").textContent = `${rows.length.toLocaleString("en")} functions` +
    (view.tree.sides ? ", by their change in points" : "") + (rows.length > SHOWN ? `; the first ${SHOWN}` : "") +
    (isPart ? "; without the lighter frames" : "");
  $("panel-p").hidden = !showsChance();
  $("panel-rows").replaceChildren(...rows.slice(0, SHOWN).map((label, i) => panelRow(label, columns, i === 0)));
  for (const button of $("panel").querySelectorAll("[data-sort]")) {
    button.classList.toggle("chosen", button.dataset.sort === sortBy);
    button.closest("th").setAttribute("aria-sort", button.dataset.sort !== sortBy ? "none" : sortBy === "name" ? "ascending" : "descending");
  }
}

// The probabilities are those of the whole ranges.
function showsChance() {
  return !!data.ps && data.counted && isOfAll();
}

function panelRow(label, { sums: values, word }, isFirst) {
  const row = document.createElement("tr"), name = document.createElement("button"), chip = document.createElement("span");
  const texts = [word(values.self[label]), word(values.total[label])];
  if (showsChance()) texts.push(wordChance(chanceOf(label)).replace("P = ", "").replace("P < ", "<"));
  for (const text of texts) row.appendChild(document.createElement("td")).textContent = text;
  chip.className = "chip";
  chip.style.background = chipOf(label, values.total[label]);
  name.textContent = labels.name[label];
  name.title = [labels.name[label], data.modules[data.module[label]], placeOf(label)].filter(Boolean).join("\n");
  name.tabIndex = isFirst ? 0 : -1; // one stop of the Tab key; arrows move among the rows
  const cell = row.appendChild(document.createElement("td"));
  cell.className = "name";
  cell.append(chip, name);
  row.classList.toggle("chance", showsChance() && chanceOf(label) > CHANCE);
  row.dataset.label = label;
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

function movePanelRow(event) {
  const row = event.target.closest("tr"), to = { ArrowDown: "nextSibling", ArrowUp: "previousSibling" }[event.key];
  if (row && event.key === "s") event.preventDefault(), event.stopPropagation(), openSandwich(Number(row.dataset.label));
  if (!row || !to || !row[to]) return;
  event.preventDefault();
  event.stopPropagation();
  row.querySelector("button").tabIndex = -1;
  const button = row[to].querySelector("button");
  button.tabIndex = 0;
  button.focus();
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
