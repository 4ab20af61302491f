"use strict";
(() => {
const report = JSON.parse(document.getElementById("report-data").textContent);
const several = report.runs.length > 1;
const state = { chosen: null, proxy: null, scale: "loss", cacheScale: "loss", sort: null, hidden: new Set() };
let charts = [];

// ---------------------------------------------------------------- small helpers

const byId = (id) => document.getElementById(id);
const has = (value) => value !== undefined && value !== null;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const isNarrow = () => window.innerWidth <= 560;
const minus = (text) => text.replace("-", "\u2212");
const grouped = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
const fixed = (value, digits) => (has(value) ? minus(value.toFixed(digits)) : "—");
const signed = (value, digits) => (has(value) ? (value > 0 ? "+" : "") + fixed(value, digits) : "—");
const general = (value) => (has(value) ? minus(String(Number(value.toPrecision(5)))) : "—");
const significant = (value, digits) => (!has(value) ? "—" : value === 0 ? "0"
  : Math.abs(value) < 1e-4 || Math.abs(value) >= 10 ** digits ? general(value) : minus(value.toPrecision(digits)));
/// A share; 100 % and 0 % only where nothing is left over.
function percent(share) {
  if (!has(share)) return "—";
  const tenths = share === 1 ? 1000 : share === 0 ? 0 : Math.min(999, Math.max(1, Math.round(share * 1000)));
  return `${(tenths / 10).toFixed(1)}\u202f%`;
}
const perplexity = (loss) => (has(loss) ? significant(Math.exp(loss), 4) : "—");
const plural = (n, word) => `${grouped(n)} ${word}${n === 1 ? "" : "s"}`;

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value !== false && has(value)) node.setAttribute(name, value);
  }
  node.append(...children.filter(has));
  return node;
}

function fillPairs(list, pairs) {
  list.replaceChildren(...pairs.filter(([, value]) => has(value)).flatMap(
    ([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

// ---------------------------------------------------------------- series and their marks

const SERIES_MARKS = {
  search: { shape: "circle", rotation: 0 }, neighbour: { shape: "rect", rotation: 0 },
  mqa: { shape: "triangle", rotation: 0 }, random: { shape: "crossRot", rotation: 0 },
  paper: { shape: "star", rotation: 0 }, other: { shape: "rectRounded", rotation: 0 },
};
const RUN_MARKS = [
  { shape: "circle", rotation: 0 }, { shape: "rectRot", rotation: 0 },
  { shape: "triangle", rotation: 180 }, { shape: "rectRounded", rotation: 0 },
  { shape: "triangle", rotation: 90 }, { shape: "triangle", rotation: 270 },
];
const RUN_DASHES = [[], [10, 3, 2, 3], [2, 3], [10, 3, 2, 3, 2, 3], [14, 5], [6, 2]];
const SERIES_DASHES = { search: [], neighbour: [5, 4], paper: [2, 3] };
const at = (list, i) => list[i % list.length];

function seriesStyle(series) {
  const kind = series.name in SERIES_MARKS ? series.name : "other";
  const byRun = several && !series.sharedBy;
  const isMain = several && kind === "search";
  const mark = isMain ? at(RUN_MARKS, series.run) : SERIES_MARKS[kind];
  return {
    ...mark, color: css(byRun ? `--run-${series.run % 6}` : `--series-${kind}`),
    dash: isMain ? at(RUN_DASHES, series.run) : SERIES_DASHES[kind] || [],
    hasLine: kind !== "random" && series.points.length > 1, width: kind === "search" ? 1.75 : 1.25,
  };
}

/// Baselines of runs on one model are often the same points; they are drawn once.
function fingerprint(series) {
  const proxies = report.proxies.map((p) => p.key);
  return JSON.stringify([series.name, ...series.points.map(
    (p) => [p.kv, p.bytes, p.loss, ...proxies.map((key) => p[key]), p.keys, p.values])]);
}

function collectSeries() {
  const all = [];
  const seen = new Map();
  report.runs.forEach((run, runIndex) => run.series.forEach((series) => {
    Object.assign(series, { run: runIndex, id: `${runIndex}/${series.label}` });
    series.points.forEach((point) => Object.assign(point, { series, run }));
    const mark = fingerprint(series);
    const twin = series.name === "search" ? undefined : seen.get(mark);
    if (twin) {
      twin.sharedBy = (twin.sharedBy || 1) + 1;
      series.isDrawnElsewhere = true;
    } else {
      seen.set(mark, series);
      all.push(series);
    }
  }));
  return all;
}

const drawnSeries = collectSeries();
const allPoints = report.runs.flatMap((run) => run.series.flatMap((series) => series.points));
/// A task such as image classification counts right answers; then the loss takes second place.
const hasAccuracy = allPoints.some((p) => has(p.accuracy));
const nats = hasAccuracy ? "nats per image" : "nats per token";
const inHowMany = (n) => (n === report.runs.length ? "every run" : `${n} of ${report.runs.length} runs`);
const nameOf = (series) => (series.sharedBy ? `${series.name}, the same in ${inHowMany(series.sharedBy)}` : series.label);
const deltaOf = (point) => has(point.delta) ? point.delta
  : has(point.loss) && has(point.run.source.loss) ? point.loss - point.run.source.loss : undefined;

/// Best on ratio and proxy in its run: what `front` means where no loss was measured.
function isOnProxyFront(point, key) {
  if (!has(point[key])) return false;
  const rivals = point.run.series.flatMap((series) => series.points);
  return !rivals.some((q) => has(q[key]) && q.kv <= point.kv && q[key] <= point[key] &&
    (q.kv < point.kv || q[key] < point[key]));
}
const isFilled = (point) => (report.measured ? point.front : isOnProxyFront(point, state.proxy));

function shapePath({ shape, rotation }) {
  const paths = {
    circle: '<circle r="4.6"/>', rect: '<rect x="-4.3" y="-4.3" width="8.6" height="8.6"/>',
    rectRounded: '<rect x="-4.6" y="-4.6" width="9.2" height="9.2" rx="2.6"/>',
    rectRot: '<path d="M0-5.6L5.6 0 0 5.6-5.6 0z"/>', triangle: '<path d="M0-5.4L5 3.4-5 3.4z"/>',
    crossRot: '<path d="M-4-4L4 4M-4 4L4-4"/>', star: '<path d="M-4-4L4 4M-4 4L4-4M0-5.6V5.6M-5.6 0H5.6"/>',
  };
  return `<g transform="rotate(${rotation})">${paths[shape]}</g>`;
}

/// The mark of a series as inline SVG, with a piece of its line where it has one.
function markSvg(series, withLine) {
  const style = seriesStyle(series);
  const line = withLine && style.hasLine
    ? `<path d="M-17 0H17" stroke-dasharray="${style.dash.join(" ")}" fill="none"/>` : "";
  const holder = element("span", { "aria-hidden": "true", style: "display:inline-flex" });
  const box = withLine ? "-17 -7 34 14" : "-7 -7 14 14";
  holder.innerHTML = `<svg viewBox="${box}" stroke="${style.color}" fill="${style.color}" stroke-width="1.6">${line}${shapePath(style)}</svg>`;
  return holder;
}

// ---------------------------------------------------------------- words

function modelLine(model) {
  return [model.architecture, plural(model.layers, "layer"), plural(model.query_heads, "query head"),
    plural(model.kv_heads, "KV head"), `head dim ${model.head_dim}`, model.dtype].join(" · ");
}

function sameForAll(pick) {
  const texts = report.runs.map((run) => JSON.stringify(pick(run)));
  return texts.every((text) => text === texts[0]) ? pick(report.runs[0]) : undefined;
}

function evalSentence(data) {
  if (!data) return "";
  const source = data.sampled ? "text sampled from the model itself with a fixed seed" : data.file;
  const size = [has(data.images) && plural(data.images, "image"), has(data.tokens) && plural(data.tokens, "token"),
    has(data.windows) && plural(data.windows, "window") + (has(data.context) ? ` of ${grouped(data.context)}` : "")];
  const details = size.filter(Boolean).join(" in ");
  return `${hasAccuracy ? "Accuracy and loss are" : "Loss is"} measured on ${source}${details ? `: ${details}` : ""}.`;
}

function calibrationSentence(data) {
  return data && data.sampled ? " Calibration text was sampled from the model itself with a fixed seed." : "";
}

const dataOf = (run, role) => run.data.find((data) => data.role === role);

function writeHead() {
  const model = sameForAll((run) => run.model);
  byId("model-line").textContent = model ? modelLine(model) : report.runs.map((run) => `${run.label}: ${run.model.name}`).join(" · ");
  const lead = byId("lead");
  if (!report.measured) {
    lead.className = "notice";
    lead.textContent = "Nothing was measured in this run: the report shows the proxy front alone. A proxy ranks groupings; it does not say how much accuracy they keep.";
    return;
  }
  const data = sameForAll((run) => dataOf(run, "eval") || null);
  const calibration = sameForAll((run) => dataOf(run, "calibration") || null);
  lead.textContent = (data === undefined ? "Loss is measured on each run’s own text, named at the end of this page." : evalSentence(data)) + calibrationSentence(calibration);
}

// ---------------------------------------------------------------- in short

/// The rise of the loss that a recommended point stays below, as a part of the source's loss.
const TOLERATED = 0.01;

/// The search's points that were measured, of one run.
const ownPoints = (run) => run.series.filter((series) => series.name === "search").flatMap((series) => series.points)
  .filter((p) => p.kv < 1 && has(deltaOf(p)));
const upperDelta = (point) => (has(point.high) ? point.high : deltaOf(point));

/// The smallest cache whose loss surely stays within what is tolerated, else the point that loses least.
function recommendation(run) {
  const own = ownPoints(run);
  if (own.length === 0) return undefined;
  const within = own.filter((p) => upperDelta(p) <= TOLERATED * run.source.loss);
  const better = (a, b) => (within.length > 0 ? a.kv - b.kv || deltaOf(a) - deltaOf(b) : deltaOf(a) - deltaOf(b));
  return { point: [...(within.length > 0 ? within : own)].sort(better)[0], isWithin: within.length > 0, count: own.length };
}

function mebibytes(bytes) {
  return bytes >= 1024 ** 3 ? `${significant(bytes / 1024 ** 3, 3)} GiB` : `${significant(bytes / 1024 ** 2, 3)} MiB`;
}

/// What the cache takes: at the run's own --context and --batch, else for a thousand tokens.
function savingText(run, point) {
  const option = (name) => Number((run.options.find(([key]) => key === name) || [])[1]) || 0;
  const context = option("cache_context"), batch = option("cache_batch") || 1;
  const tokens = context > 0 ? context * batch : 1000;
  const size = context > 0 ? `${plural(batch, "sequence")} of ${plural(context, "token")}` : plural(tokens, "token");
  return `${mebibytes(point.bytes * tokens)} in place of ${mebibytes(run.source.bytes * tokens)} for ${size}`;
}

function answerSentence(run, { point, isWithin, count }) {
  const among = count === 1 ? "The one measured grouping" : isWithin
    ? `Of ${plural(count, "measured grouping")} the smallest whose loss rises by less than ${percent(TOLERATED)} of the source’s, with 95\u202f% certainty,`
    : `None of ${plural(count, "measured grouping")} keeps its loss within ${percent(TOLERATED)} of the source’s with 95\u202f% certainty; the one that loses least`;
  return `${among} keeps ${percent(point.kv)} of the KV cache of ${run.model.name}.`;
}

function certaintyText(run, point) {
  const windows = (dataOf(run, "eval") || {}).windows;
  const interval = has(point.low) ? `95\u202f% interval ${signed(point.low, 4)} to ${signed(point.high, 4)}` : "no interval";
  return `${interval}${has(windows) ? `, over ${plural(windows, "window")}` : ""}`;
}

function writeAnswer() {
  const run = report.runs[0];
  const found = several || !report.measured || !has(run.source.loss) ? undefined : recommendation(run);
  if (!found) return;
  const { point } = found;
  byId("answer").hidden = false;
  byId("answer-text").textContent = answerSentence(run, found);
  fillPairs(byId("answer-facts"), [
    ["Cache", savingText(run, point)],
    ["Loss", `${fixed(point.loss, 4)} ${nats}, ${signed(deltaOf(point), 4)} (${signed((100 * deltaOf(point)) / run.source.loss, 2)}\u202f%)`],
    ["Certainty", certaintyText(run, point)],
    ["Accuracy", has(point.accuracy) ? `${accuracyText(point)}, source ${percent(run.source.accuracy)}` : undefined],
    ["Attention’s work", has(point.compute) ? `${fixed(point.compute, 2)} of the source’s multiplications for a decoded token` : undefined],
    ["Grouping", point.name]]);
  byId("answer-command").textContent = `regroup convert ${shellWord(run.model.name)} --grouping ${shellWord(`groupings/${point.name}.json`)} -o ${shellWord(`${run.model.name}-kv${fixed(point.kv, 2)}`)}`;
  byId("answer-copy").addEventListener("click", copyCommand);
}

const shellWord = (text) => (/^[\w./+-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`);

function copyCommand() {
  const code = byId("answer-command");
  const say = (text) => { byId("answer-copied").textContent = text; };
  const select = () => { window.getSelection().selectAllChildren(code); say("Selected: copy it with your keyboard."); };
  if (!navigator.clipboard) return select();
  return navigator.clipboard.writeText(code.textContent).then(() => say("Copied."), select);
}

// ---------------------------------------------------------------- at a glance

// The roles are spelt out because a narrow page lays the rows out as a grid, which hides them.

const LIMITS = [0.75, 0.5, 0.25];

function bestWithin(series, limit) {
  const inside = series.points.filter((p) => has(deltaOf(p)) && p.kv <= limit + 1e-9);
  return inside.reduce((best, p) => (!best || p.loss < best.loss ? p : best), undefined);
}

function glanceCell(point, isBest) {
  if (!point) return element("td", { role: "cell" }, "—");
  return element("td", { role: "cell", class: isBest ? "best" : null },
    element("span", { class: "figure" }, signed(deltaOf(point), 4)),
    element("span", { class: "small" }, has(point.accuracy) ? `accuracy ${percent(point.accuracy)}` : `perplexity ${perplexity(point.loss)}`),
    has(point.kl) ? element("span", { class: "small" }, `KL ${significant(point.kl, 3)}`) : undefined,
    element("span", { class: "small" }, `at KV ${fixed(point.kv, 3)}`));
}

function writeGlance() {
  const rows = drawnSeries.filter((series) => LIMITS.some((limit) => bestWithin(series, limit)));
  if (rows.length === 0) return;
  byId("glance").hidden = false;
  const head = element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, element("th", { class: "left", scope: "col", role: "columnheader" }, "Series"),
    ...LIMITS.map((limit) => element("th", { scope: "col", role: "columnheader" }, `KV ≤ ${limit}`))));
  const lowest = LIMITS.map((limit) => Math.min(...rows.map((s) => { const p = bestWithin(s, limit); return p ? deltaOf(p) : Infinity; })));
  const body = element("tbody", { role: "rowgroup" }, ...rows.map((series) => element("tr", { role: "row" },
    element("th", { class: "left", scope: "row", role: "rowheader" }, element("span", { class: "key" }, markSvg(series, false), nameOf(series))),
    ...LIMITS.map((limit, i) => { const p = bestWithin(series, limit); return glanceCell(p, p && deltaOf(p) === lowest[i]); }))));
  byId("glance-table").replaceChildren(head, body);
}

// ---------------------------------------------------------------- charts: common parts

/// Points of what multiplies more than the source are drawn larger, by area.
function computeScale(point) {
  return has(point?.compute) ? Math.sqrt(Math.max(1, point.compute)) : 1;
}

function pointStyles(series) {
  const style = seriesStyle(series);
  const page = css("--page");
  const scale = style.shape === "rectRot" || style.shape === "triangle" ? 1.2 : 1;
  const radius = (isNarrow() ? 3.6 : 4.4) * scale;
  return {
    borderColor: style.color, borderWidth: style.width, borderDash: style.dash, showLine: style.hasLine,
    pointStyle: style.shape, pointRotation: style.rotation, pointBorderWidth: 1.5, pointHitRadius: 9,
    pointRadius: (context) => radius * computeScale(context.raw?.point),
    pointHoverRadius: (context) => radius * computeScale(context.raw?.point) + 1.5, pointHoverBorderWidth: 2,
    pointBorderColor: style.color, pointHoverBorderColor: style.color,
    pointBackgroundColor: (context) => (context.raw && isFilled(context.raw.point) ? style.color : page),
    pointHoverBackgroundColor: style.color,
  };
}

/// One dataset a series; points whose coordinate is absent are left out. `y0` is what the interval
/// of Δloss is added to: 0, or the source's loss; without it no interval is drawn.
function datasets(x, y, y0) {
  return drawnSeries.map((series) => ({
    label: nameOf(series), seriesId: series.id, hidden: state.hidden.has(series.id), ...pointStyles(series),
    data: series.points.filter((p) => has(x(p)) && has(y(p))).map((point) => ({ x: x(point), y: y(point), point, ...(y0 && whisker(point, y0(point))) })),
  })).filter((dataset) => dataset.data.length > 0);
}

function whisker(point, origin) {
  return has(point.low) && has(point.high) && has(origin) ? { low: origin + point.low, high: origin + point.high } : {};
}

function tooltipLines(point) {
  const lines = [nameOf(point.series), `KV ${fixed(point.kv, 3)} · ${grouped(point.bytes)} bytes per token`];
  if (has(point.width)) lines.push(`groups of width ${point.width}, compute ${fixed(point.compute, 2)} of the source's attention`);
  if (has(point.loss)) lines.push(`loss ${fixed(point.loss, 4)} ${nats} · perplexity ${perplexity(point.loss)}`);
  if (has(deltaOf(point))) lines.push(`Δloss ${deltaText(point)}`);
  if (has(point.accuracy)) lines.push(`accuracy ${accuracyText(point)}`);
  if (has(point.kl)) lines.push(`KL from the source ${klText(point)}`);
  if (has(point.agreement)) lines.push(`same most likely token at ${percent(point.agreement)} of positions`);
  if (has(point.uptrained)) lines.push(`loss after training ${fixed(point.uptrained, 4)} ${nats}`);
  if (has(point.search_better)) lines.push(`search better in ${percent(point.search_better)} of resamples`);
  for (const proxy of report.proxies) if (has(point[proxy.key])) lines.push(`${proxy.label} ${significant(point[proxy.key], 5)}`);
  return lines;
}

/// The 95 % interval where there is one, else the standard error.
const deltaText = (point) => signed(deltaOf(point), 4) + (has(point.low) && point.high > point.low
  ? ` (${signed(point.low, 4)} to ${signed(point.high, 4)})` : has(point.stderr) ? ` ± ${fixed(point.stderr, 4)}` : "");
const accuracyText = (point) => percent(point.accuracy) + (has(point.accuracy_stderr) ? ` ± ${percent(point.accuracy_stderr)}` : "");
/// Digits that stand under each other, more of them where four would show nothing.
const kl = (point, value) => (point.kl !== 0 && Math.abs(point.kl) < 1e-3 ? significant(value, 2) : fixed(value, 4));
const klText = (point) => kl(point, point.kl) + (point.kl_stderr > 0 ? ` ± ${kl(point, point.kl_stderr)}` : "");

function tooltip() {
  return {
    backgroundColor: css("--soft"), borderColor: css("--line"), borderWidth: 1, padding: 12, cornerRadius: 6, caretPadding: 10,
    titleColor: css("--text"), bodyColor: css("--text"), titleFont: { weight: "600" }, displayColors: false,
    callbacks: { title: (items) => (items.length ? items[0].raw.point.name : ""), label: (item) => tooltipLines(item.raw.point) },
  };
}

function axis(title, extra = {}) {
  return {
    title: { display: true, text: title, color: css("--muted"), font: { size: isNarrow() ? 11 : 12 } },
    grid: { color: css("--line"), borderColor: css("--line"), tickColor: css("--line"), drawTicks: true, tickLength: 4 },
    ticks: { color: css("--muted"), font: { size: isNarrow() ? 10 : 11 }, maxRotation: 0 }, ...extra,
  };
}

const withTicks = (options, ticks) => ({ ...options, ticks: { ...options.ticks, ...ticks } });

/// A ring around the chosen point, in every chart that shows it.
const ringPlugin = {
  id: "ring",
  afterDatasetsDraw(chart) {
    chart.data.datasets.forEach((dataset, d) => {
      const i = dataset.data.findIndex((datum) => datum.point && datum.point === state.chosen);
      if (i < 0 || !chart.isDatasetVisible(d)) return;
      const { x, y } = chart.getDatasetMeta(d).data[i];
      const { ctx } = chart;
      ctx.save();
      ctx.lineWidth = 1.5;
      ctx.strokeStyle = css("--ring");
      ctx.beginPath();
      ctx.arc(x, y, 10, 0, 2 * Math.PI);
      ctx.stroke();
      ctx.restore();
    });
  },
};

/// The interval of each mark, where it is longer than the mark.
const whiskerPlugin = {
  id: "whiskers",
  beforeDatasetsDraw(chart) {
    const { ctx, chartArea: area, scales: { y: scale } } = chart;
    const within = (value) => Math.min(area.bottom, Math.max(area.top, value));
    chart.data.datasets.forEach((dataset, d) => {
      if (!chart.isDatasetVisible(d)) return;
      ctx.save();
      ctx.strokeStyle = dataset.pointBorderColor;
      ctx.lineWidth = 1.25;
      ctx.globalAlpha = 0.55;
      dataset.data.forEach((datum, i) => {
        if (!has(datum.low)) return;
        const { x } = chart.getDatasetMeta(d).data[i];
        const top = within(scale.getPixelForValue(datum.high));
        const bottom = datum.low > 0 || scale.type !== "logarithmic" ? within(scale.getPixelForValue(datum.low)) : area.bottom;
        ctx.beginPath();
        ctx.moveTo(x, top);
        ctx.lineTo(x, bottom);
        ctx.stroke();
      });
      ctx.restore();
    });
  },
};

/// Horizontal lines at the source models' losses, named on the plot.
const sourcePlugin = {
  id: "source",
  beforeDatasetsDraw(chart, _args, options) {
    const { ctx, chartArea: area } = chart;
    for (const { y, text } of options.lines || []) {
      const height = chart.scales.y.getPixelForValue(y);
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = css("--muted");
      ctx.setLineDash([1, 3]);
      ctx.lineWidth = 1.5;
      ctx.beginPath();
      ctx.moveTo(area.left, height);
      ctx.lineTo(area.right, height);
      ctx.stroke();
      ctx.font = `${isNarrow() ? 11 : 12}px ${Chart.defaults.font.family}`;
      ctx.textBaseline = "top";
      ctx.fillText(text, area.left + 6, height + 5);
      ctx.restore();
    }
  },
};

function draw(canvas, label, options, data, extra = {}) {
  canvas.setAttribute("aria-label", label);
  charts.push(new Chart(canvas, {
    type: "scatter", data: { datasets: data },
    options: {
      animation: false, responsive: true, maintainAspectRatio: false,
      interaction: { mode: "nearest", intersect: true },
      onClick: (_event, hits, chart) => { if (hits.length) choose(chart.data.datasets[hits[0].datasetIndex].data[hits[0].index].point); },
      onHover: (event, hits) => { event.native.target.style.cursor = hits.length ? "pointer" : ""; },
      plugins: { legend: { display: false }, tooltip: tooltip(), ...extra }, ...options,
    },
    plugins: [ringPlugin, whiskerPlugin, sourcePlugin],
  }));
}

// ---------------------------------------------------------------- charts: cache size

const X_PAD = 0.03;

/// KV ratio below and, where all sources agree, bytes per token; both are the same length.
function cacheAxes(isSmall) {
  const bytes = sameForAll((run) => run.source.bytes);
  const ratio = axis("share of the source model’s KV cache", { min: 0, max: 1 + X_PAD, position: bytes ? "top" : "bottom" });
  ratio.afterBuildTicks = (scale) => { scale.ticks = [0, 0.25, 0.5, 0.75, 1].map((value) => ({ value })); };
  ratio.ticks.callback = (value) => String(value);
  if (!bytes) return { x: ratio };
  const parts = isSmall ? 4 : 8;
  const absolute = axis("KV cache, bytes per token", { type: "linear", min: 0, max: bytes * (1 + X_PAD), position: "bottom" });
  absolute.grid = { ...absolute.grid, drawOnChartArea: false };
  absolute.afterBuildTicks = (scale) => { scale.ticks = Array.from({ length: parts + 1 }, (_, i) => ({ value: (i * bytes) / parts })); };
  absolute.ticks.callback = (value) => grouped(value);
  absolute.ticks.autoSkip = ratio.ticks.autoSkip = false;
  return { x: ratio, bytes: absolute };
}

function niceValues(low, high, count) {
  const step = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(step));
  const size = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= step);
  const values = [];
  for (let i = Math.ceil(low / size); i * size <= high; ++i) values.push(Number((i * size).toPrecision(12)));
  return values;
}

function lossRange(values) {
  const low = Math.min(...values), high = Math.max(...values);
  const pad = (high - low || 0.1);
  return { min: low - 0.09 * pad, max: high + 0.05 * pad };
}

/// Loss on the left; on the right the same height as perplexity, at round numbers.
function lossAxes(values) {
  const range = lossRange(values);
  const loss = axis(`loss, ${nats}`, range);
  loss.afterBuildTicks = (scale) => { scale.ticks = niceValues(range.min, range.max, 7).map((value) => ({ value })); };
  loss.ticks.callback = (value) => minus(String(value));
  const right = axis("perplexity", { ...range, type: "linear", position: "right" });
  right.grid = { ...right.grid, drawOnChartArea: false };
  const round = niceValues(Math.exp(range.min), Math.exp(range.max), 9).filter((value) => value > 0);
  right.afterBuildTicks = (scale) => { scale.ticks = round.map((value) => ({ value: Math.log(value) })); };
  right.ticks.autoSkip = false;
  right.ticks.callback = (value) => general(Number(Math.exp(value).toPrecision(6)));
  return { y: loss, perplexity: right };
}

function deltaAxes(values) {
  const low = Math.min(...values), high = Math.max(...values);
  const y = axis(`Δloss against the source, ${nats}`, { type: "logarithmic", min: low / 1.4, max: high * 1.4 });
  y.afterBuildTicks = (scale) => {
    const from = Math.floor(Math.log10(low)) - 1, to = Math.ceil(Math.log10(high)) + 1;
    const marks = high / low > 1e3 ? [1] : [1, 2, 5];
    scale.ticks = Array.from({ length: to - from }, (_, i) => from + i).flatMap((e) => marks.map((m) => ({ value: m * 10 ** e, major: m === 1 })))
      .filter((tick) => tick.value >= low / 1.4 && tick.value <= high * 1.4);
  };
  y.ticks.callback = (value) => String(Number(value.toPrecision(3)));
  return { y };
}

function sourceLines() {
  const losses = new Map();
  for (const run of report.runs) if (has(run.source.loss)) losses.set(run.source.loss, run);
  return [...losses].map(([y, run]) => ({ y, text: losses.size > 1 ? `source of ${run.label}, ${fixed(y, 4)}` : `source model, ${fixed(y, 4)}` }));
}

const visiblePoints = () => drawnSeries.filter((s) => !state.hidden.has(s.id)).flatMap((s) => s.points);

function drawLossChart() {
  const lines = sourceLines();
  const shown = visiblePoints().filter((p) => has(p.loss));
  const values = [...shown.map((p) => p.loss), ...lines.map((line) => line.y)];
  if (values.length === 0) return;
  const label = `Scatter plot of KV cache size against loss for ${plural(shown.length, "grouping")}; the same numbers stand in the table of all points.`;
  draw(byId("front-chart"), label, { scales: { ...cacheAxes(isNarrow()), ...lossAxes(values) } },
    datasets((p) => p.kv, (p) => p.loss, (p) => p.run.source.loss), { source: { lines } });
  byId("front-caption").textContent = "Filled marks are on the measured front: no point of the run has both a smaller cache and a lower loss." + intervalSentence() + " Press a mark to see its grouping.";
}

const intervalSentence = () => (allPoints.some((p) => has(p.low))
  ? " Upright lines, where they are longer than the mark: 95\u202f% interval of Δloss (bootstrap over windows)." : "");

function drawAccuracyChart() {
  const sources = new Map(report.runs.filter((run) => has(run.source.accuracy)).map((run) => [run.source.accuracy, run]));
  const lines = [...sources].map(([y, run]) => ({ y, text: `${sources.size > 1 ? `source of ${run.label}` : "source model"}, ${percent(y)}` }));
  const shown = visiblePoints().filter((p) => has(p.accuracy));
  const values = [...shown.map((p) => p.accuracy), ...lines.map((line) => line.y)];
  if (values.length === 0) return;
  const range = lossRange(values);
  const y = axis("top-1 accuracy", range);
  y.afterBuildTicks = (scale) => { scale.ticks = niceValues(range.min, range.max, 7).map((value) => ({ value })); };
  y.ticks.callback = (value) => `${Number((100 * value).toPrecision(4))}\u202f%`;
  const label = `Scatter plot of KV cache size against accuracy for ${plural(shown.length, "grouping")}; the same numbers stand in the table of all points.`;
  draw(byId("front-chart"), label, { scales: { ...cacheAxes(isNarrow()), y } },
    datasets((p) => p.kv, (p) => p.accuracy), { source: { lines } });
  byId("front-caption").textContent = "Filled marks are on the measured front: no point of the run has both a smaller cache and a lower loss. Press a mark to see its grouping.";
}

function drawDeltaChart() {
  const positive = (p) => (deltaOf(p) > 0 ? deltaOf(p) : undefined);
  const shown = visiblePoints().filter((p) => has(deltaOf(p)));
  const values = shown.map(positive).filter(has);
  const left = shown.length - values.length;
  byId("front-caption").textContent = "Filled marks are on the measured front." + intervalSentence() +
    (left ? ` ${plural(left, "point")} at or below the source model’s loss cannot stand on a logarithmic scale and ${left === 1 ? "is" : "are"} left out.` : "");
  if (values.length === 0) return;
  draw(byId("front-chart"), `Scatter plot of KV cache size against the loss added to the source model, logarithmic, for ${plural(values.length, "grouping")}.`,
    { scales: { ...cacheAxes(isNarrow()), ...deltaAxes(values) } }, datasets((p) => p.kv, positive, () => 0));
}

function drawProxyFront(canvas) {
  const proxy = report.proxies.find((p) => p.key === state.proxy);
  const y = axis(proxy.axis, { beginAtZero: true });
  draw(canvas, `Scatter plot of KV cache size against ${proxy.axis}.`,
    { scales: { ...cacheAxes(true), y } }, datasets((p) => p.kv, (p) => p[proxy.key]));
}

function drawScatter() {
  const proxy = report.proxies.find((p) => p.key === state.proxy);
  const values = visiblePoints().filter((p) => has(p.loss) && has(p[proxy.key])).map((p) => p.loss);
  if (values.length === 0) return;
  const data = datasets((p) => p[proxy.key], (p) => p.loss).map((dataset) => ({ ...dataset, showLine: false }));
  const range = lossRange(values);
  const y = axis(`loss, ${nats}`, range);
  y.afterBuildTicks = (scale) => { scale.ticks = niceValues(range.min, range.max, 6).map((value) => ({ value })); };
  y.ticks.callback = (value) => minus(String(value));
  draw(byId("scatter-chart"), `Scatter plot of ${proxy.axis} against measured loss.`,
    { scales: { x: axis(proxy.axis, { beginAtZero: true }), y } }, data);
}

// ---------------------------------------------------------------- grouping and quantised caches

const cachedRuns = report.runs.filter((run) => run.caches);
/// By the place of a type among those of its run, the plain one first.
const CACHE_LOOKS = [
  { color: "--series-search", shape: "circle" }, { color: "--series-neighbour", shape: "rect" },
  { color: "--series-paper", shape: "triangle" }, { color: "--series-mqa", shape: "rectRounded" },
];
const cacheTypes = (run) => ["", ...run.caches.types];
const cacheName = (run, type) => type || run.model.dtype;

/// The source and the groupings of the search with one type of cache, by size.
function cacheMarks(run, type) {
  const measured = (model) => (type ? (model.caches || []).find((cache) => cache.type === type) : model);
  const groupings = run.series.filter((s) => s.name === "search").flatMap((s) => s.points).filter((p) => p.kv < 1);
  const marks = [{ run, type, cache: measured(run.source) },
    ...groupings.map((point) => ({ run, type, point, cache: measured(point) }))];
  return marks.filter((mark) => mark.cache && has(mark.cache.loss)).map((mark) => ({ ...mark, bytes: mark.cache.bytes, loss: mark.cache.loss,
    delta: mark.cache.loss - run.source.loss })).sort((a, b) => a.bytes - b.bytes);
}

const cacheLines = cachedRuns.flatMap((run, r) => cacheTypes(run).map((type, t) => ({
  run, type, look: at(CACHE_LOOKS, t), dash: several ? at(RUN_DASHES, r) : [], marks: cacheMarks(run, type),
  label: (several ? `${run.label} · ` : "") + cacheName(run, type) })));

/// Of all types of cache the marks of a run that no other one undercuts in bytes and in loss, by size.
function lowestMarks(run) {
  const marks = cacheLines.filter((line) => line.run === run).flatMap((line) => line.marks);
  let lowest = Infinity;
  return marks.sort((a, b) => a.bytes - b.bytes || a.loss - b.loss).filter((mark) => {
    const isLower = mark.loss < lowest;
    if (isLower) lowest = mark.loss;
    return isLower;
  });
}

const widthText = (model) => (has(model.width) ? `, width ${model.width}` : "");

function cacheMarkTitle({ point }) {
  return point ? `${point.name}` : "ungrouped model";
}

function cacheMarkLines({ run, type, point, cache, bytes, loss, delta }) {
  const lines = [`${cacheName(run, type)} cache${point ? ` · KV ${fixed(point.kv, 3)}${widthText(point)}` : ""}`,
    `${grouped(bytes)} bytes per token (${percent(bytes / run.source.bytes)})`,
    `loss ${fixed(loss, 4)} ${nats} · perplexity ${perplexity(loss)}`, `Δloss ${signed(delta, 4)}`];
  if (has(cache.kl)) lines.push(`KL from the source ${klText(cache)}`);
  return lines;
}

const cachePoints = (marks, y) => marks.filter((mark) => has(y(mark))).map((mark) => ({ x: mark.bytes, y: y(mark), point: mark.point, mark }));

/// Behind the types' lines a broad one through the marks that nothing undercuts.
function envelopeDatasets(y) {
  return cachedRuns.map((run) => ({ label: "lowest of all", borderColor: css("--envelope"), borderWidth: 9, showLine: true, pointRadius: 0,
    pointHitRadius: 0, pointHoverRadius: 0, order: 1, data: cachePoints(lowestMarks(run), y) }));
}

function cacheDatasets(y) {
  const page = css("--page");
  return cacheLines.map(({ label, look, dash, marks }) => {
    const color = css(look.color);
    const radius = (isNarrow() ? 3 : 3.8) * (look.shape === "triangle" ? 1.2 : 1);
    const isSource = (context) => context.raw && !context.raw.mark.point;
    return {
      label, borderColor: color, borderWidth: 1.5, borderDash: dash, showLine: true, pointStyle: look.shape,
      pointRadius: (context) => (isSource(context) ? radius + 3.2 : radius), pointHoverRadius: radius + 3.2, pointHitRadius: 8,
      pointBorderColor: color, pointHoverBorderColor: color, pointBorderWidth: 1.5, pointHoverBackgroundColor: color,
      pointBackgroundColor: (context) => (isSource(context) ? color : page),
      data: cachePoints(marks, y),
    };
  }).concat(envelopeDatasets(y));
}

/// Bytes per token, each tick half of the next; labels in the middle of a halving would crowd.
function cacheBytesAxis(marks) {
  const most = Math.max(...marks.map((mark) => mark.bytes));
  const least = Math.min(...marks.map((mark) => mark.bytes));
  const x = axis("KV cache, bytes per token, logarithmic", { type: "logarithmic", min: least / 1.15, max: most * 1.15 });
  const ticks = [];
  for (let value = most; value >= least / 1.15; value /= 2) ticks.unshift({ value });
  x.afterBuildTicks = (scale) => { scale.ticks = ticks; };
  x.ticks.callback = (value) => grouped(value);
  x.ticks.autoSkip = false;
  return x;
}

function drawCaches() {
  if (cacheLines.length === 0) return;
  const isDelta = state.cacheScale === "delta";
  const height = isDelta ? (mark) => (mark.delta > 0 ? mark.delta : undefined) : (mark) => mark.loss;
  const marks = cacheLines.flatMap((line) => line.marks).filter((mark) => has(height(mark)));
  if (marks.length === 0) return;
  const values = marks.map(height);
  const left = cacheLines.flatMap((line) => line.marks).length - marks.length;
  byId("caches-caption").textContent = "One line for each type of cache. The large filled mark is the ungrouped model, the others are the search’s groupings; of two marks above each other the lower one keeps more for the same bytes. The broad line goes through those that no other undercuts: the best of groups, widths and types of cache together. Press a mark to see its grouping."
    + (left ? ` ${plural(left, "mark")} at or below the source model’s loss cannot stand on a logarithmic scale and ${left === 1 ? "is" : "are"} left out.` : "");
  draw(byId("caches-chart"), `Scatter plot of KV cache bytes against loss for ${plural(cacheLines.length, "type")} of cache; the best of each size stands in the table below.`,
    { scales: { x: cacheBytesAxis(marks), ...(isDelta ? deltaAxes(values) : lossAxes(values)) },
      onClick: (_event, hits, chart) => { const hit = hits[0] && chart.data.datasets[hits[0].datasetIndex].data[hits[0].index]; if (hit && hit.point) choose(hit.point); } },
    cacheDatasets(height),
    { tooltip: { ...tooltip(), callbacks: { title: (items) => (items.length ? cacheMarkTitle(items[0].raw.mark) : ""), label: (item) => cacheMarkLines(item.raw.mark) } } });
}

function envelopeKey() {
  const holder = element("span", {});
  holder.innerHTML = `<svg viewBox="-17 -7 34 14" aria-hidden="true" stroke="${css("--envelope")}" stroke-width="7"><path d="M-17 0H17" fill="none"/></svg>`;
  holder.append("lowest of all");
  return holder;
}

function writeCacheLegend() {
  byId("caches-legend").classList.add("fixed");
  byId("caches-legend").replaceChildren(...cacheLines.map(({ type, label, look, dash }) => {
    const color = css(look.color);
    const holder = element("span", {});
    holder.innerHTML = `<svg viewBox="-17 -7 34 14" aria-hidden="true" stroke="${color}" fill="${color}" stroke-width="1.6"><path d="M-17 0H17" stroke-dasharray="${dash.join(" ")}" fill="none"/>${shapePath({ shape: look.shape, rotation: 0 })}</svg>`;
    holder.append(`${label} cache${type ? "" : ", not quantised"}`);
    return holder;
  }), envelopeKey());
}

function writeCacheSwitch() {
  const scales = [["loss", "Loss and perplexity"], ["delta", "Δloss, log scale"]];
  byId("caches-switch").replaceChildren(...scales.map(([scale, text]) => element("button", { type: "button", "aria-pressed": String(state.cacheScale === scale),
    onclick: () => { state.cacheScale = scale; writeCacheSwitch(); redraw(); } }, text)));
}

function cacheCell(run, cell, isBest) {
  if (!cell) return element("td", { role: "cell" }, "—");
  return element("td", { role: "cell", class: isBest ? "best" : null },
    element("span", { class: "figure" }, signed(cell.delta, 4)),
    element("span", { class: "small" }, cell.kv < 1 ? `grouping, KV ${fixed(cell.kv, 3)}${widthText(cell)}` : "ungrouped"),
    element("span", { class: "small" }, `${grouped(cell.bytes)} bytes`));
}

/// At equal bytes: the lowest loss of each type of cache within each size.
function cacheTable(run) {
  const types = cacheTypes(run);
  const head = element("thead", { role: "rowgroup" }, element("tr", { role: "row" },
    element("th", { class: "left", scope: "col", role: "columnheader" }, "Within bytes per token"),
    ...types.map((type) => element("th", { scope: "col", role: "columnheader" }, type || run.model.dtype))));
  const rows = run.caches.sizes.map(({ bytes, best }) => {
    const lowest = Math.min(...best.filter(has).map((cell) => cell.loss));
    return element("tr", { role: "row" },
      element("th", { class: "left", scope: "row", role: "rowheader" }, `${grouped(bytes)} (${percent(bytes / run.source.bytes)})`),
      ...best.map((cell) => cacheCell(run, cell, cell && cell.loss === lowest)));
  });
  const title = `Lowest Δloss of each type of cache within the same bytes${run.label ? `, ${run.label}` : ""}`;
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
    element("h3", {}, title), element("table", { class: "glance", role: "table" }, head, element("tbody", { role: "rowgroup" }, ...rows)));
}

/// The first sentence is the verdict, the others are its numbers.
function verdictLine(run, text) {
  const end = text.search(/[.:] /) + 1;
  return element("p", {}, run.label ? `${run.label}: ` : "", element("strong", {}, text.slice(0, end)), text.slice(end));
}

function setUpCaches() {
  if (cachedRuns.length === 0) return;
  byId("caches").hidden = false;
  byId("caches-verdict").replaceChildren(...cachedRuns.flatMap((run) => run.caches.verdict.map((text) => verdictLine(run, text))));
  byId("caches-tables").replaceChildren(...cachedRuns.filter((run) => run.caches.sizes.length > 0).map(cacheTable));
  writeCacheSwitch();
}

// ---------------------------------------------------------------- charts: history

function historyLines(stage) {
  const color = css("--series-search");
  return report.runs.flatMap((run, r) => run.history.filter((line) => line.stage === stage).map((line) => ({
    label: several ? `${run.label} · ${line.unit}` : line.unit, showLine: true, pointRadius: 0, pointHitRadius: 6,
    borderColor: (several ? css(`--run-${r % 6}`) : color) + (stage === "1" ? "99" : ""), borderWidth: stage === "1" ? 1 : 2,
    borderDash: several ? at(RUN_DASHES, r) : [],
    data: line.rows.map(([generation, hypervolume]) => ({ x: generation, y: hypervolume })),
  })));
}

/// What the model's front cannot exceed, beside the lines of stage 2.
function bestLines() {
  return report.runs.filter((run) => run.certificate && run.history.some((line) => line.stage === "2")).map((run) => {
    const { best, exact } = run.certificate;
    const name = exact ? "exact front" : "certified bound";
    const last = Math.max(...run.history.filter((line) => line.stage === "2").flatMap((line) => line.rows.map((row) => row[0])));
    return { label: run.label ? `${run.label} · ${name}` : name, showLine: true, pointRadius: 0, pointHitRadius: 6,
      borderColor: css("--muted"), borderWidth: 1, borderDash: [3, 3], data: [{ x: 0, y: best }, { x: last, y: best }] };
  });
}

/// A line that hardly changes is shown as one, not stretched over the chart.
function hypervolumeRange(data) {
  const values = data.flatMap((dataset) => dataset.data.map((point) => point.y));
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = Math.max(0.02 - (high - low), 0) / 2;
  return room > 0 ? { min: Math.max(0, low - room), max: Math.min(1, high + room) } : {};
}

function drawHistory(stage) {
  const data = historyLines(stage).concat(stage === "2" ? bestLines() : []);
  const figure = byId(`history-${stage}`);
  figure.hidden = historyLines(stage).length === 0;
  if (data.length === 0) return;
  const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
  const callbacks = { title: (items) => (items.length ? items[0].dataset.label : ""), label: (item) => `generation ${item.raw.x}: ${digits.format(item.raw.y)}` };
  const x = withTicks(axis("generation"), { precision: 0 });
  draw(figure.querySelector("canvas"), `Hypervolume by generation, stage ${stage}, ${plural(data.length, "line")}.`,
    { scales: { x, y: axis("hypervolume", hypervolumeRange(data)) }, onClick: undefined, onHover: undefined }, data,
    { tooltip: { ...tooltip(), callbacks } });
}

function showHistory() {
  const stages = ["1", "2"].filter((stage) => report.runs.some((run) => run.history.some((line) => line.stage === stage)));
  byId("history").hidden = stages.length === 0 && !report.runs.some((run) => run.certificate);
  byId("history-note").hidden = stages.length === 0;
  byId("history").querySelector(".halves").hidden = stages.length === 0;
  byId("history").querySelector(".halves").classList.toggle("single", stages.length === 1);
  byId("proof").replaceChildren(...report.runs.filter((run) => run.certificate).map(
    (run) => element("p", {}, (run.label ? `${run.label}: ` : "") + proofSentence(run.certificate))));
}

/// Never rounded up to a whole hundred that is not reached.
function percentDown(fraction) {
  return `${Math.floor(fraction * 1e5) / 1e3} %`;
}

function proofSentence(certificate) {
  const { hypervolume, best, exact, gap } = certificate;
  const share = best > 0 ? percentDown(hypervolume / best) : "100 %";
  const size = `${hypervolume.toFixed(5)} of ${best.toFixed(5)}`;
  if (exact && hypervolume >= best) return `By the proxy no grouping is better at any KV size: this is the exact front, proven (hypervolume ${best.toFixed(5)}).`;
  if (exact) return `By the proxy the search reached ${share} of the exact front’s hypervolume (${size}). Every point costs at most ${percentUp(gap)} of its price more than the best of its size.`;
  return `By the proxy the search reached at least ${share} of the best possible hypervolume (${size}, a certified upper bound; the exact front is not known). Every point costs at most ${percentUp(gap)} of its price more than the best of its size.`;
}

function percentUp(fraction) {
  return `${Math.ceil(fraction * 1e4) / 1e2} %`;
}

// ---------------------------------------------------------------- proxies

const usedProxies = report.proxies.filter((proxy) => allPoints.some((p) => has(p[proxy.key])));

function correlationRows() {
  const rows = [];
  for (const run of report.runs) {
    const all = run.correlations[state.proxy];
    if (all && run.series.length > 1) rows.push([several ? `${run.label} · all points` : "all points", all]);
    for (const series of run.series) {
      const entry = series.correlations[state.proxy];
      if (entry && !series.isDrawnElsewhere) rows.push([nameOf(series), entry]);
    }
  }
  return rows;
}

function writeCorrelations() {
  const rows = correlationRows();
  byId("correlation-block").hidden = rows.length === 0;
  byId("correlations").replaceChildren(
    element("thead", {}, element("tr", {}, element("th", { class: "left", scope: "col" }, "Series"),
      ...["Points", "Spearman ρ", "Kendall τ-b"].map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...rows.map(([name, entry]) => element("tr", {}, element("th", { class: "left", scope: "row" }, name),
      element("td", {}, grouped(entry.n)), element("td", {}, fixed(entry.rho, 3)), element("td", {}, fixed(entry.tau, 3))))));
}

function writeProxyNote() {
  byId("proxy-note").textContent = report.measured
    ? "A proxy is a cheap stand-in for the loss, and what a search usually minimises. Left: cache size against the proxy; filled marks are on the measured front. Right: how well the proxy foretells the loss."
    : "";
}

function setUpProxies() {
  if (usedProxies.length === 0) return;
  state.proxy = usedProxies[0].key;
  byId("proxy").hidden = !report.measured;
  byId("proxy-field").hidden = usedProxies.length < 2;
  const chooser = byId("proxy-chooser");
  chooser.replaceChildren(...usedProxies.map((proxy) => element("option", { value: proxy.key }, proxy.label)));
  chooser.addEventListener("change", () => { state.proxy = chooser.value; writeCorrelations(); redraw(); });
  writeProxyNote();
  writeCorrelations();
}

// ---------------------------------------------------------------- the chosen grouping

const HUES = [212, 32, 140, 325, 52, 265, 182, 2, 95, 295, 238, 72];
const SHIFTS = [0, 5, -6]; // of lightness, so that neighbours differ in grey, too

function letters(n) {
  const letter = String.fromCharCode(65 + (n % 26));
  return n < 26 ? letter : letters(Math.floor(n / 26) - 1) + letter;
}

/// Group of each head → letter and colour; colours go to groups of two heads and more, in order.
function cellsOf(partition) {
  const sizes = new Map();
  for (const group of partition) sizes.set(group, (sizes.get(group) || 0) + 1);
  const order = [...sizes.keys()].sort((a, b) => a - b);
  const shared = order.filter((group) => sizes.get(group) > 1);
  return partition.map((group) => {
    const i = shared.indexOf(group);
    return { letter: letters(group), isShared: i >= 0, style: i >= 0 ? `--hue: ${at(HUES, i)}; --shift: ${at(SHIFTS, i)}%` : null };
  });
}

function sheetRow(name, partition, kind) {
  const count = new Set(partition).size;
  const cells = cellsOf(partition).map(({ letter, isShared, style }, head) => element("td", {
    class: isShared ? "shared" : "alone", style,
    title: `layer ${name}, ${kind} head ${head}: group ${letter}${isShared ? "" : ", alone"}` }, letter));
  return element("tr", {}, element("th", { scope: "row", title: `layer ${name}` }, name), ...cells, element("td", { class: "tally" }, String(count)));
}

function sheet(caption, names, ids, kind) {
  const partitions = ids.map((id) => report.partitions[id]);
  const heads = Math.max(...partitions.map((p) => p.length));
  const isLong = names.some((name) => name.length > 4);
  const head = element("tr", {}, element("th", { scope: "col", class: isLong ? "corner wide" : "corner" }, "layer"),
    ...Array.from({ length: heads }, (_, h) => element("th", { scope: "col" }, String(h))), element("th", { scope: "col", class: "tally", title: "groups in the layer" }, "Σ"));
  const room = `min-width: ${heads * 17 + 80}px`; // two digits fit over a column; a narrow page scrolls
  return element("table", { class: heads > 10 ? "sheet dense" : "sheet", style: room }, element("caption", {}, caption),
    element("thead", {}, head), element("tbody", {}, ...names.map((name, l) => sheetRow(name, partitions[l], kind))));
}

function writePicture(point) {
  const sheets = [sheet(point.values ? "Keys: the group of each head" : "Keys and values: the group of each head", point.layers, point.keys, "KV")];
  if (point.values) sheets.push(sheet("Values: the group of each head", point.layers, point.values, "KV"));
  if (point.queries && point.queries.every(has)) sheets.push(sheet("Queries: the key group each one reads", point.layers, point.queries, "query"));
  const isWide = byId("front-grid").classList.contains("stacked") && sheets.length > 1 && !isNarrow();
  byId("picture").replaceChildren(element("div", { class: isWide ? "sheets paired" : "sheets" },
    ...sheets.map((table) => element("div", { class: "sheet-scroll", tabindex: "0", role: "region", "aria-label": table.caption.textContent }, table))),
    element("p", { class: "note" }, "One row a layer, one column a head. Heads with the same letter share one KV head; Σ counts the KV heads that remain."));
}

function writeFacts(point) {
  fillPairs(byId("chosen-facts"), [
    ["Series", nameOf(point.series)], ["KV cache", `${grouped(point.bytes)} bytes per token (${fixed(point.kv, 3)})`],
    ["Loss", has(point.loss) ? `${fixed(point.loss, 4)} ${nats}` : undefined],
    ["Δloss", has(deltaOf(point)) ? deltaText(point) : undefined],
    ["Accuracy", has(point.accuracy) ? accuracyText(point) : undefined],
    ["KL", has(point.kl) ? `${klText(point)} ${nats}` : undefined],
    ["Same top-1", has(point.agreement) ? `${percent(point.agreement)} of positions` : undefined],
    ["Loss after training", has(point.uptrained) ? `${fixed(point.uptrained, 4)} ${nats}` : undefined],
    ["Search better", has(point.search_better) ? `in ${percent(point.search_better)} of resamples` : undefined],
    ["Perplexity", has(point.loss) ? perplexity(point.loss) : undefined],
    ...usedProxies.map((proxy) => [proxy.label, has(point[proxy.key]) ? significant(point[proxy.key], 5) : undefined]),
    ["Merge", point.merge], ["Compute", has(point.compute) ? `${fixed(point.compute, 3)} of the source's attention, a decoded token` : undefined],
    ["Width of groups", has(point.width) ? point.width : undefined], ["File", element("a", { href: point.link }, `${point.name}.json`)],
  ]);
}

function choose(point) {
  state.chosen = point;
  byId("chooser").value = String(allPoints.indexOf(point));
  writeFacts(point);
  writePicture(point);
  for (const row of document.querySelectorAll("#points tbody tr")) {
    row.setAttribute("aria-current", String(Number(row.dataset.point) === allPoints.indexOf(point)));
  }
  charts.forEach((chart) => chart.draw());
}

/// The search point nearest half the cache; of two as near, the smaller one.
function defaultPoint() {
  const search = allPoints.filter((p) => p.series.name === "search");
  const from = search.length ? search : allPoints;
  return from.reduce((best, p) => {
    const closer = Math.abs(p.kv - 0.5) - Math.abs(best.kv - 0.5);
    return closer < 0 || (closer === 0 && p.kv < best.kv) ? p : best;
  });
}

function setUpChooser() {
  const chooser = byId("chooser");
  for (const run of report.runs) for (const series of run.series) {
    chooser.append(element("optgroup", { label: series.label }, ...series.points.map((p) =>
      element("option", { value: String(allPoints.indexOf(p)) }, `${p.name}, KV ${fixed(p.kv, 3)}${has(p.loss) ? `, loss ${fixed(p.loss, 4)}` : ""}`))));
  }
  chooser.addEventListener("change", () => choose(allPoints[Number(chooser.value)]));
  const heads = Math.max(...report.runs.map((run) => run.model.kv_heads));
  const layers = Math.max(...allPoints.map((p) => p.layers.length));
  byId("front-grid").classList.toggle("stacked", heads > 16 || layers > 16);
}

// ---------------------------------------------------------------- all points

function columns() {
  return [
    { name: "Grouping", left: true, key: (p) => p.name, cell: (p) => element("button", { type: "button", class: "pick", onclick: () => { choose(p); byId("front-title").scrollIntoView({ block: "start" }); } }, p.name) },
    { name: "Series", left: true, key: (p) => p.series.label, cell: (p) => p.series.label },
    { name: "Merge", left: true, key: (p) => p.merge, cell: (p) => p.merge },
    { name: "KV ratio", key: (p) => p.kv, cell: (p) => fixed(p.kv, 4) },
    { name: "Bytes per token", key: (p) => p.bytes, cell: (p) => grouped(p.bytes) },
    ...(allPoints.some((p) => has(p.compute)) ? [
      { name: "Compute", key: (p) => p.compute, cell: (p) => (has(p.compute) ? fixed(p.compute, 3) : "—") },
    ] : []),
    ...(allPoints.some((p) => has(p.width)) ? [
      { name: "Width", left: true, key: (p) => p.width, cell: (p) => (has(p.width) ? p.width : "head") },
    ] : []),
    ...usedProxies.map((proxy) => ({ name: proxy.label, key: (p) => p[proxy.key], cell: (p) => (has(p[proxy.key]) ? significant(p[proxy.key], 5) : "—") })),
    ...(report.measured ? [
      { name: "Loss", key: (p) => p.loss, cell: (p) => fixed(p.loss, 4) },
      { name: "Δloss", key: deltaOf, cell: (p) => deltaText(p) },
      ...optionalColumns(),
      { name: "Perplexity", key: (p) => p.loss, cell: (p) => perplexity(p.loss) },
      { name: "On front", key: (p) => Number(!p.front), cell: (p) => (p.front ? "yes" : "no") },
    ] : []),
    { name: "File", left: true, key: (p) => p.link, cell: (p) => element("a", { href: p.link, "aria-label": `JSON of ${p.name}` }, "JSON") },
  ];
}

/// What older runs do not have.
function optionalColumns() {
  return [
    { name: "Accuracy", field: "accuracy", cell: (p) => percent(p.accuracy) },
    { name: "KL", field: "kl", cell: (p) => (has(p.kl) ? kl(p, p.kl) : "—") },
    { name: "Same top-1", field: "agreement", cell: (p) => percent(p.agreement) },
    { name: "Search better", field: "search_better", cell: (p) => percent(p.search_better) },
    { name: "Loss, trained", field: "uptrained", cell: (p) => (has(p.uptrained) ? fixed(p.uptrained, 4) : "—") },
  ].filter(({ field }) => allPoints.some((p) => has(p[field]))).map((column) => ({ ...column, key: (p) => p[column.field] }));
}

function compare(a, b) {
  if (!has(a) || !has(b)) return Number(has(b)) - Number(has(a));
  return typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b;
}

function sortedPoints(shown) {
  if (!state.sort) return allPoints;
  const { column, sign } = state.sort;
  return [...allPoints].sort((a, b) => sign * compare(shown[column].key(a), shown[column].key(b)));
}

function sortBy(column) {
  const sign = state.sort && state.sort.column === column ? -state.sort.sign : 1;
  state.sort = { column, sign };
  writePoints();
}

function pointsNote() {
  const parts = [
    [(p) => has(p.low), "Δloss is followed by its 95\u202f% interval (bootstrap over windows)."],
    [(p) => has(p.kl), "KL is the divergence of the next-token distribution from the source’s, nats per token; it needs no labels."],
    [(p) => has(p.agreement), "Same top-1: positions where both find the same token most likely."],
    [(p) => has(p.search_better), "Search better: resamples of the windows in which the search has the lower loss, with its point for the same KV limit or, without limits, its largest one that is no larger."],
  ];
  return parts.filter(([isThere]) => allPoints.some(isThere)).map(([, text]) => text).join(" ");
}

function writePoints() {
  const shown = columns();
  const heads = shown.map((c, i) => element("th", { scope: "col", class: c.left ? "left" : null,
    "aria-sort": state.sort && state.sort.column === i ? (state.sort.sign > 0 ? "ascending" : "descending") : null },
  element("button", { type: "button", onclick: () => sortBy(i) }, c.name)));
  const rows = sortedPoints(shown).map((p) => element("tr", { "data-point": allPoints.indexOf(p), "aria-current": String(p === state.chosen) },
    ...shown.map((c, i) => element(i === 0 ? "th" : "td", { class: c.left ? "left" : null, scope: i === 0 ? "row" : null }, c.cell(p)))));
  byId("points-note").textContent = pointsNote();
  byId("points").replaceChildren(element("caption", { class: "hidden" }, "All points of the report"), element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows));
}

// ---------------------------------------------------------------- how it was made

const hash = (text) => (text ? element("span", { class: "hash" }, text) : undefined);
const ROLES = { calibration: "Calibration data", selection: "Selection data", eval: "Evaluation data" };

function dataPairs(data) {
  const parts = [data.sampled ? "text sampled from the model itself with a fixed seed" : data.file,
    has(data.images) && plural(data.images, "image"), has(data.tokens) && plural(data.tokens, "token"), has(data.windows) && plural(data.windows, "window"), has(data.context) && `context ${grouped(data.context)}`];
  return [[ROLES[data.role], parts.filter(Boolean).join(", ")], [`${ROLES[data.role]}, SHA-256`, hash(data.sha256)]];
}

function pairsBlock(title, pairs) {
  const list = element("dl", { class: "pairs" });
  fillPairs(list, pairs);
  return element("div", {}, element("h3", {}, title), list);
}

function madeBlock(run) {
  const model = run.model;
  const inputs = [["Model", model.name], ["Architecture", modelLine(model)], ["Weights, SHA-256", hash(model.weights_sha256)],
    ["KV cache of the source", `${grouped(run.source.bytes)} bytes per token`],
    ["Loss of the source", has(run.source.loss) ? `${fixed(run.source.loss, 4)} ${nats}, perplexity ${perplexity(run.source.loss)}` : undefined],
    ["Accuracy of the source", has(run.source.accuracy) ? percent(run.source.accuracy) : undefined],
    ...run.data.flatMap(dataPairs)];
  const choices = [["seed", String(run.seed)], ...run.options.filter(([name]) => name !== "seed").map(([name, value]) => [name, value])];
  return element("div", { class: "run-made" }, several ? element("h3", {}, run.label) : undefined,
    pairsBlock("Inputs", inputs),
    element("div", { class: "made-grid" }, pairsBlock("Options", choices), pairsBlock("Versions", run.versions)));
}

// ---------------------------------------------------------------- putting it together

function redraw() {
  charts.forEach((chart) => chart.destroy());
  charts = [];
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  if (!report.measured) { if (state.proxy) drawProxyFront(byId("front-chart")); }
  else {
    if (state.scale === "accuracy") drawAccuracyChart();
    else if (state.scale === "delta") drawDeltaChart(); else drawLossChart();
    if (state.proxy) { drawProxyFront(byId("proxy-chart")); drawScatter(); }
  }
  drawCaches();
  drawHistory("1");
  drawHistory("2");
}

function writeLegend() {
  byId("legend").replaceChildren(...drawnSeries.map((series) => element("button", {
    type: "button", "aria-pressed": String(!state.hidden.has(series.id)), onclick: (event) => toggleSeries(series, event.currentTarget) },
  markSvg(series, true), nameOf(series))));
}

function toggleSeries(series, button) {
  if (!state.hidden.delete(series.id)) state.hidden.add(series.id);
  button.setAttribute("aria-pressed", String(!state.hidden.has(series.id)));
  redraw();
}

function writeScaleSwitch() {
  if (!report.measured || !(hasAccuracy || allPoints.some((p) => deltaOf(p) > 0))) return;
  const scales = [...(hasAccuracy ? [["accuracy", "Accuracy"]] : []), ["loss", "Loss and perplexity"], ["delta", "Δloss, log scale"]];
  const holder = byId("scale-switch");
  holder.replaceChildren(...scales.map(([scale, text]) => element("button", { type: "button", "aria-pressed": String(state.scale === scale),
    onclick: () => { state.scale = scale; writeScaleSwitch(); redraw(); } }, text)));
}

function writeFrontSection() {
  if (hasAccuracy) {
    byId("front-title").textContent = "Cache size against accuracy";
    byId("glance-note").textContent = "Lowest measured loss of each series among its points within a cache limit, as a difference from the source model in nats per image; below it the accuracy.";
  }
  if (report.measured) return;
  byId("front-title").textContent = "Cache size against the proxy";
  byId("front-note").textContent = "No loss was measured.";
  byId("front-caption").textContent = "Filled marks are on the proxy front: no point of the run has both a smaller cache and a lower proxy. Press a mark to see its grouping.";
}

function writeThemed() {
  writeLegend();
  writeCacheLegend();
  writeGlance();
  redraw();
}

if (hasAccuracy) state.scale = "accuracy";
writeHead();
writeAnswer();
setUpCaches();
setUpProxies();
writeFrontSection();
writeScaleSwitch();
setUpChooser();
writePoints();
showHistory();
byId("made").replaceChildren(...report.runs.map(madeBlock));
choose(defaultPoint());
writeThemed();
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", writeThemed);
window.matchMedia("(max-width: 560px)").addEventListener("change", redraw);
})();
