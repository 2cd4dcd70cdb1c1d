// A time series with uPlot, in the colours of the page.
import { html, useRef, useEffect, useLayoutEffect } from "./html.js";
import uPlot from "uplot";
import { theme, language } from "./state.js";
import { labels, ticks } from "./axes.js";
import { number } from "./i18n.js";

const fromZero = (_, low, high) => [Math.min(0, low), high || 1];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const SPACE = [60, 36]; // minimum pixels between two ticks, across and up

/** The options of an axis. counted: whether it shows only whole numbers. */
const axisOf = (label, counted) => ({
  stroke: colour("--soft"),
  grid: { stroke: colour("--grid"), width: 1 },
  ticks: { stroke: colour("--line"), width: 1 },
  label,
  labelSize: 16,
  labelGap: 0,
  size: 34,
  labelFont: "12px system-ui",
  font: "12px system-ui",
  splits: (u, k, low, high) => ticks(low, high, Math.max(2, [u.width, u.height][k] / SPACE[k]), counted(u)),
  values: (_, values) => labels(values),
});

/** A value in the legend, with this many digits. */
const read = (digits) => (_, value) => (value == null ? "" : number(value, digits));

/** The options of one of the lines, or of the bars; a label that the axis has already is not repeated. */
const seriesOf = ({ label, stroke, width = 1.5, dash, bars, points = false }, yLabel) => ({
  label: label === yLabel ? "\u00a0" : label,
  stroke: colour(stroke),
  width: bars ? 0 : width,
  dash,
  spanGaps: true,
  ...(bars ? { fill: colour(stroke), paths: uPlot.paths.bars({ size: [0.9, 100] }) } : {}),
  points: { show: points, size: 6, fill: colour(stroke) },
  value: read(4),
});

/** A dashed line from top to bottom at each of these. */
const mark = (u, marks) => {
  u.ctx.save();
  u.ctx.strokeStyle = colour("--accent");
  u.ctx.setLineDash([3, 3]);
  for (const x of marks) {
    const at = Math.round(u.valToPos(x, "x", true));
    u.ctx.beginPath();
    u.ctx.moveTo(at, u.bbox.top);
    u.ctx.lineTo(at, u.bbox.top + u.bbox.height);
    u.ctx.stroke();
  }
  u.ctx.restore();
};

/** The options of uPlot, from the properties of `Plot`. */
const optionsOf = ({ series, width, height, xLabel, yLabel, yRange, marks, whole }) => ({
  width,
  height,
  scales: { x: { time: false }, ...(yRange ? { y: { range: yRange } } : {}) },
  cursor: { drag: { x: true, y: false } },
  series: [{ label: xLabel, value: read(5) }, ...series.map((one) => seriesOf(one, yLabel))],
  axes: [
    axisOf(xLabel, (u) => whole || u.data[0].every(Number.isInteger)),
    {
      ...axisOf(yLabel, (u) => Boolean(series[0].bars) && u.data[1].every(Number.isInteger)),
      size: (_, values) => 20 + 7 * Math.max(4, ...(values ?? []).map((text) => text.length)),
    },
  ],
  hooks: { drawAxes: [(u) => mark(u, marks)] },
});

/**
 * data: [x, …series]; series: [{label, stroke: css variable, dash, points, width, bars}].
 * bars: a histogram, from zero up. whole: x is counted, although it may have fractions: epochs.
 */
export const Plot = ({
  data,
  series,
  height = 220,
  xLabel,
  yLabel,
  yRange = series[0].bars ? fromZero : undefined,
  onPoint,
  marks = [],
  whole = false,
}) => {
  const box = useRef(null);
  const plot = useRef(null);
  const chosen = useRef(onPoint);
  chosen.current = onPoint; // the newest: what can be chosen may arrive after the plot was drawn
  useEffect(() => {
    const width = box.current.clientWidth;
    const options = optionsOf({ series, width, height, xLabel, yLabel, yRange, marks, whole });
    const made = new uPlot(options, data, box.current);
    plot.current = made;
    const click = () => made.cursor.idx != null && chosen.current?.(made.cursor.idx);
    made.over.addEventListener("click", click);
    const observer = new ResizeObserver(() => made.setSize({ width: box.current.clientWidth, height }));
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [
    theme.value,
    language.value,
    series.map((one) => one.label + one.stroke).join(),
    height,
    xLabel,
    yLabel,
    whole,
    marks.join(),
  ]);
  useLayoutEffect(() => plot.current?.setData(data), [data]); // in the same frame as the figures next to it
  return html`<div class="plot" ref=${box} role="img" aria-label=${`${yLabel} · ${xLabel}`}></div>`;
};
