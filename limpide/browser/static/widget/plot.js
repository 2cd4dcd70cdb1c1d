// plot.js for a notebook: one series of few points, without uPlot, which would be the larger part of what a notebook
// keeps.
import { html } from "./html.js";
import { count, number } from "./i18n.js";

export const Plot = ({ data: [xs, ys], height, xLabel, yLabel, series: [{ stroke }] }) => {
  const high = Math.max(...ys) || 1;
  const wide = 100 / xs.length;
  const bars = ys.map((y, k) => `M${k * wide} ${height}v${(-height * y) / high}h${0.85 * wide}V${height}z`).join("");
  return html`
    <figure class="bars">
      <figcaption>${yLabel} · ${count(high)}</figcaption>
      <svg
        viewBox=${`0 0 100 ${height}`}
        preserveAspectRatio="none"
        style=${`height: ${height}px`}
        role="img"
        aria-label=${`${yLabel} · ${xLabel}`}
      >
        <path d=${bars} style=${`fill: var(${stroke})`} />
      </svg>
      <figcaption>
        <span>${number(xs[0])}</span>
        <span>${xLabel}</span>
        <span>${number(xs.at(-1))}</span>
      </figcaption>
    </figure>
  `;
};
