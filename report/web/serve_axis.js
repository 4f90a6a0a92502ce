// The axes that time line and heat map share: margins, moments, amounts.
"use strict";

const MARGIN = { left: 58, right: 10, top: 10, bottom: 34 };

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 7 * 86400, 28 * 86400];

const twoDigits = (number) => String(number).padStart(2, "0");

function wordDay(seconds) {
  const at = new Date(seconds * 1000);
  return `${at.getFullYear()}-${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())}`;
}

function wordTime(seconds, withSeconds = true) {
  const at = new Date(seconds * 1000);
  return `${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}${withSeconds ? `:${twoDigits(at.getSeconds())}` : ""}`;
}

function wordSpan(seconds) {
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]].find(([s]) => seconds >= s) || [1, "s"];
  return `${Number((seconds / size).toFixed(seconds < 10 ? 1 : seconds % size ? 1 : 0))} ${unit}`;
}

function wordRange([since, until]) {
  const end = wordDay(since) === wordDay(until) ? wordTime(until) : `${wordDay(until)} ${wordTime(until)}`;
  return `${wordDay(since)} ${wordTime(since)} to ${end} (${wordSpan(until - since)})`;
}

const SCALES = {
  ns: [[86400e9, "d"], [3600e9, "h"], [1e9, "s"], [1e6, "ms"], [1e3, "\u00b5s"], [1, "ns"]],
  bytes: [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]],
};

function wordAmount(value, unit) {
  const scales = SCALES[unit];
  if (!scales) return `${Number(value.toPrecision(4)).toLocaleString("en")} ${unit}`;
  const [size, word] = scales.find(([s]) => value >= s) || scales[scales.length - 1], number = value / size;
  return `${Number(number.toPrecision(3))} ${word}`;
}

// Round moments in the range, by the clock of whoever looks, so many that their labels have room.
function ticksOf(since, until, width) {
  const offset = new Date(since * 1000).getTimezoneOffset() * 60, least = ((until - since) * 76) / Math.max(width, 76);
  const step = STEPS.find((s) => s >= least) || STEPS[STEPS.length - 1], ticks = [];
  for (let at = Math.ceil((since - offset) / step) * step + offset; at <= until && ticks.length < 100; at += step)
    ticks.push({ at, words: step >= 86400 ? wordDay(at).slice(5) : wordTime(at, step < 60) });
  return ticks;
}

// Round numbers from 0 on, at most five.
function roundsOf(most) {
  const rough = most / 4 || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= rough), rounds = [];
  for (let i = 0; i * step <= most * 1.0001 && i < 8; i++) rounds.push(i * step);
  return rounds;
}

// Of a logarithmic axis: each power of ten of times, each fourth power of two of sizes.
function logRoundsOf(least, most, unit) {
  const base = unit === "bytes" ? 16 : 10, rounds = [];
  for (let at = 1, i = 0; at <= most && i < 64; at *= base, i++) if (at >= least) rounds.push(at);
  return rounds;
}
