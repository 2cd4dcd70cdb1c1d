// A time series with uPlot, in the colours of the page.
import { html, useRef, useEffect, useLayoutEffect } from "./html.js";
import uPlot from "uplot";
import { theme, language } from "./state.js";
import { labels, ticks } from "./axes.js";
import { number } from "./i18n.js";

const fromZero = (_, low, high) => [Math.min(0, low), high || 1];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const SPACE = [60, 36]; // pixels at least between two ticks, across and up

/**
 * data: [x, …series]; series: [{label, stroke: css variable, dash, points, width, bars}].
 * bars: a histogram, from zero up. whole: x is counted, although it may have parts: passes.
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
  chosen.current = onPoint; // the newest: what can be chosen may come after the plot was drawn
  useEffect(() => {
    const counted = (u, k) =>
      k === 0
        ? whole || u.data[0].every(Number.isInteger)
        : Boolean(series[0].bars) && u.data[1].every(Number.isInteger);
    const axis = (label) => ({
      stroke: colour("--soft"),
      grid: { stroke: colour("--grid"), width: 1 },
      ticks: { stroke: colour("--line"), width: 1 },
      label,
      labelSize: 16,
      labelGap: 0,
      size: 34,
      labelFont: "12px system-ui",
      font: "12px system-ui",
      splits: (u, k, low, high) => ticks(low, high, Math.max(2, [u.width, u.height][k] / SPACE[k]), counted(u, k)),
      values: (_, values) => labels(values),
    });
    const made = new uPlot(
      {
        width: box.current.clientWidth,
        height,
        scales: { x: { time: false }, ...(yRange ? { y: { range: yRange } } : {}) },
        cursor: { drag: { x: true, y: false } },
        series: [
          { label: xLabel, value: (_, value) => (value == null ? "" : number(value, 5)) },
          ...series.map((one) => ({
            label: one.label === yLabel ? "\u00a0" : one.label,
            stroke: colour(one.stroke),
            width: one.bars ? 0 : (one.width ?? 1.5),
            dash: one.dash,
            spanGaps: true,
            ...(one.bars ? { fill: colour(one.stroke), paths: uPlot.paths.bars({ size: [0.9, 100] }) } : {}),
            points: { show: one.points ?? false, size: 6, fill: colour(one.stroke) },
            value: (_, value) => (value == null ? "" : number(value, 4)),
          })),
        ],
        axes: [
          axis(xLabel),
          {
            ...axis(yLabel),
            size: (_, values) => 20 + 7 * Math.max(4, ...(values ?? []).map((text) => text.length)),
          },
        ],
        hooks: {
          drawAxes: [
            (u) => {
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
            },
          ],
        },
      },
      data,
      box.current,
    );
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
  useLayoutEffect(() => plot.current?.setData(data), [data]); // in the same frame as the figures beside it
  return html`<div class="plot" ref=${box} role="img" aria-label=${`${yLabel} · ${xLabel}`}></div>`;
};
