// Time line and heat map, drawn on a canvas: chart = {kind, data, since, until}; both have one axis of time.
"use strict";

const SHOWN_NAMES = 8, OTHERS = "[others]";

// The same name has the same colour in every range.
function hueOf(name) {
  let hash = 7;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0;
  return (Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0) % 360;
}

function colourOfName(name, isDark) {
  if (name === OTHERS) return isDark ? "#5b5751" : "#c9c4ba";
  return hexOf(rgbOf(hueOf(name), isDark ? 42 : 55, isDark ? 48 : 62));
}

function inksOf(isDark) {
  return isDark ? { page: "#171615", text: "#ebe7e0", faint: "#a29b90", line: "#3a3733", accent: "#ff9d5c", warning: "#ffd486" }
    : { page: "#fbfaf8", text: "#1f1d1a", faint: "#6b665e", line: "#d9d5cd", accent: "#b3400a", warning: "#7a4a00" };
}

// The drawn part of a time line: its heaviest names and the others, each with a number a column, in cores or units a second.
function lanesOf(data) {
  const shown = data.series.filter((series) => series.name !== OTHERS).slice(0, SHOWN_NAMES);
  const lanes = shown.map((series) => ({ name: series.name, total: series.total, rates: new Float64Array(data.count) }));
  const others = { name: OTHERS, total: 0, rates: new Float64Array(data.count) };
  for (const series of data.series) {
    const lane = lanes.find((l) => l.name === series.name) || others;
    if (lane === others) others.total += series.total;
    for (let i = 0; i < series.cells.length; i += 2) lane.rates[series.cells[i]] += series.cells[i + 1];
  }
  if (others.total) lanes.push(others);
  const scale = data.period ? data.period / 1e9 : data.unit === "ns" ? 1e-9 : 1;
  for (const lane of lanes)
    for (let i = 0; i < data.count; i++) lane.rates[i] = data.covered[i] > 0 ? (lane.rates[i] * scale) / data.covered[i] : 0;
  return lanes;
}

function wordRate(rate, data) {
  const number = Number(rate.toPrecision(3)).toLocaleString("en");
  return data.period ? `${number} CPUs` : data.unit === "ns" ? `${number} threads` : `${number} ${data.unit}/s`;
}

function frameOf(canvas, ratio, chart) {
  const width = canvas.width / ratio, height = canvas.height / ratio;
  const plot = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = '11px system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif';
  return { ...chart, context, plot, width, height, inks: inksOf(chart.isDark),
    xOf: (at) => plot.left + ((at - chart.since) / (chart.until - chart.since)) * (plot.right - plot.left) };
}

function drawTimes(frame) {
  const { context, plot, inks, xOf } = frame;
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const { at, words } of ticksOf(frame.since, frame.until, plot.right - plot.left)) {
    context.fillStyle = inks.line;
    context.fillRect(Math.round(xOf(at)), plot.bottom, 1, 4);
    context.fillStyle = inks.faint;
    context.fillText(words, Math.min(Math.max(xOf(at), 20), frame.width - 20), plot.bottom + 14);
  }
}

function drawLevel(frame, y, words) {
  const { context, plot, inks } = frame;
  context.fillStyle = inks.line;
  context.fillRect(plot.left, Math.round(y), plot.right - plot.left, 1);
  context.fillStyle = inks.faint;
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.fillText(words, plot.left - 5, y);
}

// Time without a recording is hatched, and never drawn as 0.
function drawGaps(frame) {
  const { context, plot, data, inks, xOf } = frame;
  const placeOf = (i) => xOf(data.since + i * data.step);
  context.save();
  context.strokeStyle = inks.line;
  context.beginPath();
  for (let i = 0; i < data.count; ) {
    let end = i;
    while (end < data.count && !(data.covered[end] > 0)) end++;
    if (end > i) context.rect(placeOf(i), plot.top, placeOf(end) - placeOf(i), plot.bottom - plot.top);
    i = Math.max(end, i + 1);
  }
  context.clip();
  context.beginPath();
  for (let x = plot.left - (plot.bottom - plot.top); x < plot.right; x += 7) {
    context.moveTo(x, plot.bottom);
    context.lineTo(x + plot.bottom - plot.top, plot.top);
  }
  context.stroke();
  context.restore();
}

const isEarlyEnd = (name) => name === "stack-cut" || name === "stack-broken";

// By column, the losses of samples: [[name, count], ...].
function lossesOf(data) {
  const columns = new Map();
  for (const { name, cells } of data.losses || [])
    for (let i = 0; !isEarlyEnd(name) && i < cells.length; i += 2)
      columns.set(cells[i], [...(columns.get(cells[i]) || []), [name, cells[i + 1]]]);
  return columns;
}

function drawLosses(frame) {
  const { context, plot, data, inks, xOf } = frame;
  context.fillStyle = inks.warning;
  for (const column of lossesOf(data).keys()) {
    const x = xOf(data.since + (column + 0.5) * data.step);
    context.beginPath();
    context.moveTo(x, plot.bottom + 3);
    context.lineTo(x - 4, plot.bottom + 11);
    context.lineTo(x + 4, plot.bottom + 11);
    context.fill();
  }
}

function drawTimeline(frame) {
  const { context, plot, data, xOf } = frame, lanes = lanesOf(data), sums = new Float64Array(data.count);
  for (const lane of lanes) for (let i = 0; i < data.count; i++) sums[i] += lane.rates[i];
  const most = sums.reduce((a, b) => Math.max(a, b), 0) || 1, height = plot.bottom - plot.top;
  for (const round of roundsOf(most)) drawLevel(frame, plot.bottom - (round / most) * height, String(Number(round.toPrecision(6))));
  context.textAlign = "left";
  context.fillText(data.period ? "CPUs" : data.unit === "ns" ? "threads" : `${data.unit}/s`, 2, plot.top - 4);
  const base = new Float64Array(data.count);
  for (const lane of lanes) {
    context.fillStyle = colourOfName(lane.name, frame.isDark);
    for (let i = 0; i < data.count; i++) {
      if (!lane.rates[i]) continue;
      const left = xOf(data.since + i * data.step), right = xOf(data.since + (i + 1) * data.step);
      const low = plot.bottom - (base[i] / most) * height;
      base[i] += lane.rates[i];
      const top = plot.bottom - (base[i] / most) * height;
      context.fillRect(left, top, Math.max(right - left, 1) + 0.35, low - top);
    }
  }
}

// Where a value stands on the logarithmic axis, 0 to 1.
function heightsOf(data) {
  const low = Math.max(data.buckets.length ? data.buckets[0][0] : 1, 1), high = data.buckets.length ? data.buckets[data.buckets.length - 1][1] + 1 : 2;
  const least = Math.log2(low), span = Math.max(Math.log2(Math.max(high, 2)) - least, 1);
  return { low, high, heightOf: (value) => Math.min(Math.max((Math.log2(Math.max(value, 1)) - least) / span, 0), 1) };
}

function shadeOfCount(count, most, isDark) {
  const strong = Math.max(Math.sqrt(count / most), 0.08); // one value can be seen
  return isDark ? hexOf(rgbOf(28 + 20 * strong, 85, 14 + 56 * strong)) : hexOf(rgbOf(38 - 30 * strong, 88, 92 - 54 * strong));
}

function drawHeatmap(frame) {
  const { context, plot, data, inks, xOf } = frame, { low, high, heightOf } = heightsOf(data), height = plot.bottom - plot.top;
  const yOf = (value) => plot.bottom - heightOf(value) * height;
  let most = 0;
  for (const cells of data.cells) for (let i = 1; i < cells.length; i += 2) most = Math.max(most, cells[i]);
  data.cells.forEach((cells, column) => {
    const left = xOf(data.since + column * data.step), wide = Math.max(xOf(data.since + (column + 1) * data.step) - left, 1) + 0.35;
    for (let i = 0; i < cells.length; i += 2) {
      const [least, greatest] = data.buckets[cells[i]], top = yOf(greatest + 1);
      context.fillStyle = shadeOfCount(cells[i + 1], most, frame.isDark);
      context.fillRect(left, top, wide, Math.max(yOf(least) - top, 2));
    }
  });
  for (const round of logRoundsOf(low, high, data.unit)) drawLevel(frame, yOf(round), wordAmount(round, data.unit));
  for (const [values, dash] of [[data.p50, []], [data.p99, [5, 3]]]) {
    context.strokeStyle = inks.text;
    context.lineWidth = 1.5;
    context.setLineDash(dash);
    context.beginPath();
    values.forEach((value, i) => {
      if (value === null) return;
      const x = xOf(data.since + (i + 0.5) * data.step), isBroken = i === 0 || values[i - 1] === null;
      isBroken ? context.moveTo(x - 2, yOf(value)) : context.lineTo(x, yOf(value));
      if (isBroken) context.lineTo(x, yOf(value));
    });
    context.stroke();
  }
  context.setLineDash([]);
  context.lineWidth = 1;
}

function wordHeatmap(data) {
  let most = 0;
  for (const cells of data.cells) for (let i = 1; i < cells.length; i += 2) most = Math.max(most, cells[i]);
  const values = (count) => `${Number(count.toPrecision(4)).toLocaleString("en")} values`;
  return `${data.values.toLocaleString("en")} values; more of them: a stronger colour, up to ${values(most)} in one place; the line is p50, the dashed one p99`;
}

function wordHeatColumn(data, column) {
  const count = data.cells[column].reduce((sum, cell, i) => sum + (i % 2 ? cell : 0), 0), p = (v) => (v === null ? "none" : wordAmount(v, data.unit));
  return [`${Number(count.toPrecision(4))} values`, `p50 ${p(data.p50[column])}`, `p99 ${p(data.p99[column])}`].join("  \u00b7  ");
}

// The bucket at that height, and how many values of it there are.
function wordHeatCell(frame, column, y) {
  const { data, plot } = frame, { heightOf } = heightsOf(data), part = (plot.bottom - y) / (plot.bottom - plot.top);
  const bucket = data.buckets.findIndex(([least, greatest]) => part >= heightOf(least) && part < heightOf(greatest + 1));
  if (bucket < 0) return "";
  const at = data.cells[column].findIndex((cell, i) => i % 2 === 0 && cell === bucket);
  const [least, greatest] = data.buckets[bucket], count = at < 0 ? 0 : data.cells[column][at + 1];
  return `${wordAmount(least, data.unit)} to ${wordAmount(greatest, data.unit)}: ${Number(count.toPrecision(4))}`;
}

function drawRange(frame, range, colour) {
  const { context, plot, xOf } = frame;
  if (!range) return;
  const left = Math.max(xOf(range[0]), plot.left), right = Math.min(xOf(range[1]), plot.right);
  if (right < left) return;
  context.globalAlpha = 0.18;
  context.fillStyle = colour;
  context.fillRect(left, plot.top, right - left, plot.bottom - plot.top);
  context.globalAlpha = 1;
  context.strokeStyle = colour;
  context.strokeRect(left + 0.5, plot.top + 0.5, Math.max(right - left - 1, 1), plot.bottom - plot.top - 1);
}

// chart = {kind: "timeline"|"heatmap", data, since, until, a, b, cursor, isDark}
function drawChart(canvas, chart, ratio) {
  const frame = frameOf(canvas, ratio, chart);
  if (chart.data) {
    drawGaps(frame);
    chart.kind === "heatmap" ? drawHeatmap(frame) : drawTimeline(frame);
    drawLosses(frame);
  }
  drawTimes(frame);
  drawRange(frame, chart.b, frame.inks.faint);
  drawRange(frame, chart.a, frame.inks.accent);
  if (chart.cursor !== null && chart.cursor >= chart.since && chart.cursor <= chart.until) {
    frame.context.fillStyle = frame.inks.accent;
    frame.context.fillRect(Math.round(frame.xOf(chart.cursor)), frame.plot.top, 1, frame.plot.bottom - frame.plot.top);
  }
  return frame;
}
