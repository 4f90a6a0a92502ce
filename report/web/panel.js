// The table of functions: their own and their whole weight in the part shown; of a difference, how these changed.
"use strict";

let sortBy = "self";
const SHOWN = 300; // rows; a search chooses among the others

// What the two columns hold, by label, and the words for them.
function panelColumns() {
  const { tree, zoom } = view, count = labels.name.length;
  if (!tree.sides) {
    const sums = sumLabels(tree, zoom, count, tree.self, tree.total), all = tree.total[zoom];
    return { sums, has: sums.total, word: (value) => share(value, all), rank: (value) => value };
  }
  const [before, after] = tree.sides.map((self, side) => sumLabels(tree, zoom, count, self, tree.sideTotals[side]));
  const [a, b] = wholes(), change = (key) => before[key].map((value, i) => after[key][i] / b - value / a);
  return { sums: { self: change("self"), total: change("total") }, has: before.total.map((value, i) => value + after.total[i]),
    word: points, rank: Math.abs };
}

function fillPanel() {
  if ($("panel").hidden) return;
  const { sums, has, word, rank } = panelColumns(), rows = [];
  for (let i = 0; i < labels.name.length; i++)
    if (has[i] && labels.kind[i] !== "r" && (!view.isMatch || view.isMatch[i])) rows.push(i);
  rows.sort((a, b) => rank(sums[sortBy][b]) - rank(sums[sortBy][a]) || rank(sums.total[b]) - rank(sums.total[a]));
  const shown = rows.slice(0, SHOWN);
  $("panel-title").textContent = `${rows.length.toLocaleString("en")} functions` +
    (view.tree.sides ? ", by their change in points" : "") + (rows.length > SHOWN ? `; the first ${SHOWN}` : "");
  $("panel-rows").replaceChildren(...shown.map((label) => panelRow(label, word(sums.self[label]), word(sums.total[label]))));
  for (const button of $("panel").querySelectorAll("[data-sort]"))
    button.classList.toggle("chosen", button.dataset.sort === sortBy);
}

function panelRow(label, self, total) {
  const row = document.createElement("tr");
  for (const text of [self, total, labels.name[label]]) row.appendChild(document.createElement("td")).textContent = text;
  const chip = document.createElement("span");
  chip.className = "chip";
  chip.style.background = palette[labels.kind[label]].plain[labels.shade[label]];
  row.lastChild.className = "name";
  row.lastChild.prepend(chip);
  row.title = [labels.name[label], data.modules[data.module[label]], placeOf(label)].filter(Boolean).join("\n");
  row.tabIndex = 0;
  row.onclick = () => searchExactly(labels.name[label]);
  row.onkeydown = (event) => event.key === "Enter" && row.onclick();
  return row;
}

function searchExactly(name) {
  const pattern = `^${name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")}$`, again = query.isRegex && query.text === pattern;
  $("search").value = again ? "" : pattern;
  search($("search").value, !again);
}

function togglePanel() {
  $("panel").hidden = !$("panel").hidden;
  $("table").setAttribute("aria-expanded", !$("panel").hidden);
  fit();
  fillPanel();
}
