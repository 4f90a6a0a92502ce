// The page of `hearth report -f heatmap`: the heat map of `hearth serve`, with its data in the file.
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const chart = { kind: "heatmap", data, since: data.since, until: data.until, a: null, b: null, cursor: null };
let frame = null;

function draw(isPrint) {
  const canvas = $("lanes"), ratio = isPrint === true ? 2 : devicePixelRatio || 1, width = canvas.parentElement.clientWidth;
  const height = Math.max(Math.min(innerHeight - 150, 640), 240);
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  chart.isDark = isPrint === true ? false : darkTheme.matches;
  frame = drawChart(canvas, chart, ratio);
}

function show(at, y) {
  chart.cursor = Math.min(Math.max(at, data.since), data.until);
  draw();
  const column = Math.min(Math.floor((chart.cursor - data.since) / data.step), data.count - 1);
  const when = `${wordDay(chart.cursor)} ${wordTime(chart.cursor)}`;
  const words = data.covered[column] > 0 ? [`${when}: ${wordHeatColumn(data, column)}`] : [`${when}: not recorded`];
  if (y !== undefined) words.push(wordHeatCell(frame, column, y));
  $("told").textContent = words.filter(Boolean).join("  \u00b7  ");
}

function onMove(event) {
  const box = $("lanes").getBoundingClientRect(), { plot } = frame;
  const part = (event.clientX - box.left - plot.left) / (plot.right - plot.left);
  show(data.since + part * (data.until - data.since), event.clientY - box.top);
}

function onKey(event) {
  if (!/^Arrow(Left|Right)$/.test(event.key)) return;
  const at = chart.cursor === null ? data.since + data.step / 2 : chart.cursor + (event.key === "ArrowLeft" ? -1 : 1) * data.step;
  show(at);
  event.preventDefault();
}

$("lost").hidden = !$("lost").textContent;
$("names").textContent = wordHeatmap(data);
$("lanes").onpointermove = onMove;
$("lanes").onpointerleave = () => ((chart.cursor = null), draw());
$("lanes").onkeydown = onKey;
addEventListener("resize", () => draw());
addEventListener("beforeprint", () => draw(true));
addEventListener("afterprint", () => draw());
darkTheme.onchange = () => draw();
draw();
document.documentElement.dataset.values = data.values;
