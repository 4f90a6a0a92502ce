// The picture: only the rows and frames in sight are drawn, on a canvas as large as the window's part for it. What is
// narrower than a pixel is found by binary search, one frame a pixel, and drawn as one faint block as long as the
// kind stays the same: the cost is the pixels', not the frames'.
"use strict";

const ROW = 18, FONT = '12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace';

const SHADES = 8, MODULE_HUES = 16, HEATS = 8;
const NARROW = 0.8; // pixels
const LIGHTER = "z"; // the kind of "[lighter frames]", which stand for what is too light to be drawn

const darkTheme = matchMedia("(prefers-color-scheme: dark)");

// WCAG's contrast of two colours [r, g, b], 0 to 255.
function contrastOf(a, b) {
  const light = (colour) => colour.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0.05);
  return Math.max(light(a), light(b)) / Math.min(light(a), light(b));
}

function rgbOf(hue, saturation, light) {
  const chroma = (saturation / 100) * Math.min(light / 100, 1 - light / 100);
  return [0, 8, 4].map((n) => {
    const k = (n + hue / 30) % 12;
    return 255 * (light / 100 - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  });
}

const hexOf = (rgb) => `#${rgb.map((c) => Math.round(c).toString(16).padStart(2, "0")).join("")}`;
const colourOf = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const READABLE = 4.5; // WCAG AA, of small text

// The fill nearest to that lightness on which the text can be read.
function readableFill(hue, saturation, light, text, isDark) {
  let rgb = rgbOf(hue, saturation, light);
  while (contrastOf(rgb, colourOf(text)) < READABLE && light > 0 && light < 100)
    rgb = rgbOf(hue, saturation, (light += isDark ? -1 : 1));
  return hexOf(rgb);
}

// Fills by kind (data.looks has their hues; the theme their lightness) and shade; `dim` ones for frames that a search does not
// match, `above` ones for the callers of a zoomed frame.
function makePalette(isDark = darkTheme.matches) {
  const palette = {};
  palette.text = isDark ? "#f3efe9" : "#1d1a16";
  palette.dimText = isDark ? "#b9b2a7" : "#5d574d";
  palette.page = isDark ? "#171615" : "#fbfaf8";
  for (const [kind, look] of Object.entries(data.looks)) {
    palette[kind] = { plain: [], dim: [], above: [] };
    for (let shade = 0; shade < SHADES; shade++) {
      const turn = (shade / (SHADES - 1) - 0.5) * 2, light = (isDark ? 34 : 73) + turn * (isDark ? 4 : 4.5);
      const hue = look.hue + turn * look.spread, saturation = look.saturation * (isDark ? 0.62 : 1);
      palette[kind].plain.push(readableFill(hue, saturation, light, palette.text, isDark));
      palette[kind].dim.push(readableFill(hue, saturation * 0.25, isDark ? 21 : 90, palette.dimText, isDark));
      palette[kind].above.push(readableFill(hue, saturation * 0.5, isDark ? 25 : 86, palette.text, isDark));
    }
  }
  // Of binaries, by a hash of their names, and of frames by their own share of the part shown: pale has none.
  palette.modules = Array.from({ length: MODULE_HUES }, (_, i) => readableFill((i * 360) / MODULE_HUES, isDark ? 38 : 62, isDark ? 34 : 75, palette.text, isDark));
  palette.heat = Array.from({ length: HEATS }, (_, i) => readableFill(40 - (34 * i) / (HEATS - 1), (isDark ? 12 : 20) + (60 * i) / (HEATS - 1),
    isDark ? 24 + (16 * i) / (HEATS - 1) : 90 - (22 * i) / (HEATS - 1), palette.text, isDark));
  // By tone, -8 to 8, of a difference: blue went, red came, what only chance may have moved is pale.
  palette.tones = Array.from({ length: 17 }, (_, i) => i - 8).map((tone) => {
    const strong = Math.abs(tone) / 8, hue = tone < 0 ? 215 : 6;
    if (!tone) return readableFill(35, isDark ? 5 : 14, isDark ? 27 : 88, palette.text, isDark);
    return isDark ? readableFill(hue, 35 + 30 * strong, 30 + 8 * strong, palette.text, isDark)
      : readableFill(hue, 55 + 25 * strong, 84 - 20 * strong, palette.text, isDark);
  });
  palette.match = readableFill(318, isDark ? 62 : 78, isDark ? 46 : 72, palette.text, isDark);
  palette.accent = isDark ? "#ff9d5c" : "#b3400a";
  palette.hatch = isDark ? "rgba(255,120,100,0.5)" : "rgba(180,30,10,0.45)";
  return palette;
}

function shadeOf(text, count = SHADES) {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return ((hash >>> 3) ^ (hash >>> 11) ^ (hash >>> 19)) & (count - 1);
}

// The square root, so that a share of one in a hundred is seen: HEATS - 1 is all that the picture shows.
function heatOf(view, node) {
  const part = view.tree.self[node] / view.tree.total[view.zoom];
  return part > 0 ? Math.min(1 + Math.floor(Math.sqrt(part) * (HEATS - 1)), HEATS - 1) : 0;
}

// The fill of a frame by what the view's colours tell: undefined, its kind.
function chosenFill(pen, node) {
  const { colours, tree, labels } = pen.view, label = tree.label[node];
  if (colours === "binary" && labels.hue[label] >= 0) return pen.palette.modules[labels.hue[label]];
  return colours === "self" ? pen.palette.heat[heatOf(pen.view, node)] : undefined;
}

// A drawing of `view` onto `canvas`: view = {tree, labels, x, width, zoom, isMatch, hover, selected, isFlame, scroll,
// contentHeight, ratio}, where x and width are the part of the root's weight in sight.
function drawPicture(canvas, view, palette) {
  const context = canvas.getContext("2d"), ratio = view.ratio || devicePixelRatio || 1;
  const width = canvas.width / ratio, height = canvas.height / ratio;
  const pen = { context, view, palette, width, drawn: 0 };
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  pen.character = context.measureText("M").width;
  pen.same = sameAs(view);
  for (let d = 0; d <= view.tree.deepest; d++) {
    const y = rowTop(view, d);
    if (y <= -ROW || y >= height) continue;
    if (isOnPath(view, d)) drawAncestor(pen, d, y);
    else drawRow(pen, d, y);
  }
  outline(pen, view.hover, 1, palette.text);
  outline(pen, view.selected, 2, palette.accent);
  return pen.drawn;
}

// The label whose frames are all marked: that of the frame under the mouse, else of the selected one.
function sameAs({ tree, labels, hover, selected }) {
  const node = hover >= 0 ? hover : selected, label = node >= 0 ? tree.label[node] : -1;
  return label < 0 || labels.kind[label] === "r" ? -1 : label;
}

function rowTop(view, d) {
  return (view.isFlame ? view.contentHeight - (d + 1) * ROW : d * ROW) - view.scroll;
}

function drawAncestor(pen, d, y) {
  drawFrame(pen, pathNode(pen.view, d), 0, y, pen.width, true);
}

function drawRow(pen, d, y) {
  const { tree } = pen.view, { x, width } = windowOf(pen.view, d), stop = tree.rowStart[d + 1], right = x + width;
  Object.assign(pen, { x, scale: pen.width / width });
  let at = firstRightOf(tree, d, x);
  while (at < stop) {
    const node = tree.rowNode[at], left = (tree.x[node] - x) * pen.scale, wide = tree.total[node] * pen.scale;
    if (tree.x[node] >= right) return;
    if (wide >= NARROW) {
      drawFrame(pen, node, left, y, wide);
      at++;
      continue;
    }
    at = drawSlivers(pen, d, at, y);
  }
}

// A run of frames too narrow to be told apart, from `at`; returns what stands behind it.
function drawSlivers(pen, d, at, y) {
  const { tree } = pen.view, { x } = pen, stop = tree.rowStart[d + 1], least = NARROW / pen.scale;
  const first = tree.rowNode[at], fill = sliverFill(pen, first), from = Math.floor((tree.x[first] - x) * pen.scale);
  let pixel = from;
  for (; at < stop && pixel < pen.width; pixel++) {
    const node = tree.rowNode[at];
    if (tree.total[node] >= least || (tree.x[node] - x) * pen.scale >= pixel + 1) break;
    if (sliverFill(pen, node) !== fill) break;
    at = Math.max(at + 1, firstRightOf(tree, d, x + (pixel + 1) / pen.scale)); // rounding may find the same frame again
  }
  pen.drawn++;
  pen.context.globalAlpha = fill === pen.palette.match ? 1 : 0.5;
  pen.context.fillStyle = fill;
  pen.context.fillRect(from, y, Math.max(pixel - from, 1), ROW - 1);
  pen.context.globalAlpha = 1;
  return pixel === from ? at + 1 : at;
}

function sliverFill(pen, node) {
  const { tree, labels, isMatch } = pen.view, label = tree.label[node], kind = pen.palette[labels.kind[label]];
  if (isMatch) return isMatch[label] ? pen.palette.match : kind.dim[SHADES >> 1];
  return tree.tone ? pen.palette.tones[tree.tone[node] + 8] : chosenFill(pen, node) || kind.plain[SHADES >> 1];
}

function fillOf(pen, node, isAbove) {
  const { tree, labels, isMatch } = pen.view, label = tree.label[node], kind = pen.palette[labels.kind[label]];
  if (isMatch) return isMatch[label] ? pen.palette.match : kind.dim[labels.shade[label]];
  if (tree.tone) return pen.palette.tones[tree.tone[node] + 8];
  return isAbove ? kind.above[labels.shade[label]] : chosenFill(pen, node) || kind.plain[labels.shade[label]];
}

function drawFrame(pen, node, left, y, wide, isAbove) {
  const { context, palette, view } = pen, label = view.tree.label[node], kind = view.labels.kind[label];
  const from = Math.max(left, 0), to = Math.min(left + wide, pen.width);
  const fill = Math.max(to - from - (wide > 3 ? 1 : 0), 0.5);
  pen.drawn++;
  context.fillStyle = fillOf(pen, node, isAbove);
  context.fillRect(from, y, fill, ROW - 1);
  if (kind === "m" || kind === LIGHTER) drawHatch(pen, from, y, fill);
  if (kind === "i" && fill > 4) drawDashes(pen, from, y, fill);
  if (label === pen.same) {
    context.fillStyle = palette.accent;
    context.fillRect(from, y + ROW - 3, fill, 2);
  }
  const room = Math.floor((to - from - 7) / pen.character);
  if (room < 2) return;
  context.fillStyle = view.isMatch && !view.isMatch[label] ? palette.dimText : palette.text;
  context.fillText(shorten(view.labels.name[label], room), from + 3, y + ROW / 2, to - from - 6);
}

// Inlined functions have a mark of their own: their hue is near that of their callers, for some eyes the same.
function drawDashes(pen, left, y, wide) {
  const { context } = pen;
  context.strokeStyle = pen.palette.text;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(left, y + 0.5);
  context.lineTo(left + wide, y + 0.5);
  context.stroke();
  context.setLineDash([]);
}

// Frames that are no code are not to be taken for functions.
function drawHatch(pen, left, y, wide) {
  const { context } = pen;
  context.save();
  context.beginPath();
  context.rect(left, y, wide, ROW - 1);
  context.clip();
  context.strokeStyle = pen.palette.hatch;
  context.lineWidth = 1;
  context.beginPath();
  for (let at = left - (left % 8) - ROW; at < left + wide; at += 8) {
    context.moveTo(at, y + ROW);
    context.lineTo(at + ROW, y);
  }
  context.stroke();
  context.restore();
}

function outline(pen, node, thick, colour) {
  if (node < 0) return;
  const { tree } = pen.view, { x, width } = windowOf(pen.view, tree.depth[node]), scale = pen.width / width;
  const above = isOnPath(pen.view, tree.depth[node]);
  const left = above ? 0 : (tree.x[node] - x) * scale, wide = above ? pen.width : tree.total[node] * scale;
  const from = Math.max(left, 0), to = Math.min(left + wide, pen.width);
  if (to < from) return;
  pen.context.strokeStyle = colour;
  pen.context.lineWidth = thick;
  pen.context.strokeRect(from + thick / 2, rowTop(pen.view, tree.depth[node]) + thick / 2 - 0.5,
    Math.max(to - from - thick, 1), ROW - thick);
}
