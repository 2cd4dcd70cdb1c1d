// Accuracy against cost: every judged run as a point, and a frame drawn around some.
import { html, useRef } from "../../html.js";
import { go } from "../../state.js";
import { t, percent } from "../../i18n.js";
import { ticks } from "../../axes.js";
import { STROKES } from "../runs/tick.js";
import { frame, three, isFramed } from "./frame.js";

/** Round shares between these two, three to six of them. */
const round = (low, high) => {
  const step = [0.01, 0.02, 0.05, 0.1, 0.2].find((step) => (high - low) / step <= 5) ?? 0.2;
  return Array.from(
    { length: Math.floor(high / step + 1e-9) - Math.ceil(low / step - 1e-9) + 1 },
    (_, k) => (Math.ceil(low / step - 1e-9) + k) * step,
  );
};
/**
 * 1, 2, 5, 10 … between these two powers of ten, at most five of them; for runs of about the same cost, evenly spaced
 * numbers.
 */
export const decades = (low, high) => {
  const found = [];
  for (let k = Math.floor(low); k <= high; k++)
    for (const m of [1, 2, 5])
      if (Math.log10(m) + k >= low && Math.log10(m) + k <= high) found.push(Number(`${m}e${k}`));
  if (found.length < 2) return ticks(10 ** low, 10 ** high, 4);
  return found.filter((_, k) => found.length <= 5 || k % Math.ceil(found.length / 5) === 0);
};
const clip = (v, a, b) => Math.max(a, Math.min(b, v));

/** Converts cost and accuracy of these runs to places in the picture, and back. */
export const scalesOf = (known, cost) => {
  const logs = known.map((run) => Math.log10(cost(run)));
  const low = Math.min(...logs) - 0.1;
  const high = Math.max(...logs) + 0.1;
  const least = Math.max(0, Math.min(...known.map((run) => run.accuracy.low)) - 0.02);
  return {
    low,
    high,
    least,
    across: (value) => 8 + (86 * (Math.log10(value) - low)) / (high - low || 1),
    y: (value) => 54 - (50 * (value - least)) / (1 - least || 1),
    cost: (x) => three(10 ** (low + ((x - 8) / 86) * (high - low))),
    share: (y) => Math.max(0, Math.min(1, three(least + ((54 - y) / 50) * (1 - least)))),
  };
};

/** The frame [left, top, right, bottom] as it is drawn. */
const boxOf = (kept, { across, y }) => [
  clip(kept.cost_low > 0 ? across(kept.cost_low) : 8, 4, 100),
  clip(kept.high != null ? y(kept.high) : 2, 2, 54),
  clip(kept.cost_high > 0 ? across(kept.cost_high) : 96, 4, 100),
  clip(kept.low != null ? y(kept.low) : 54, 2, 54),
];

const Ticks = ({ says, scales: { low, high, least, across, y } }) => html`
  ${round(least, 1).map(
    (v) => html`
      <line x1="8" x2="96" y1=${y(v)} y2=${y(v)} stroke="var(--grid)" stroke-width=".2" />
      <text x="7" y=${y(v) + 0.8} font-size="2.4" text-anchor="end" fill="var(--soft)">${percent(v, 0)}</text>
    `,
  )}
  ${decades(low, high).map(
    (v) => html`
      <text x=${across(v)} y="58" font-size="2.4" text-anchor="middle" fill="var(--soft)">${says(v)}</text>
    `,
  )}
`;

const Mark = ({ run, cost, says, x, y, inside, names }) => html`
  <g opacity=${inside ? 1 : 0.15}>
    <line
      x1=${x}
      x2=${x}
      y1=${y(run.accuracy.low)}
      y2=${y(run.accuracy.high)}
      stroke="var(--soft)"
      stroke-width=".3"
    />
    <circle
      cx=${x}
      cy=${y(run.accuracy.value)}
      r="1.1"
      fill=${names.includes(run.name) ? `var(${STROKES[names.indexOf(run.name)]})` : "var(--ink)"}
    >
      <title>${run.name}: ${percent(run.accuracy.value)}, ${says(cost(run))}</title>
    </circle>
  </g>
`;

const Kept = ({ box }) => html`
  <rect
    x=${box[0]}
    y=${box[1]}
    width=${Math.max(0, box[2] - box[0])}
    height=${Math.max(0, box[3] - box[1])}
    fill="var(--accent)"
    fill-opacity=".08"
    stroke="var(--accent)"
    stroke-width=".2"
  />
`;

const Name = ({ y, x, run }) => html`
  <text
    x=${x(run) + 1.6}
    y=${y(run.accuracy.value) - 1.2}
    font-size="2.2"
    text-anchor=${x(run) > 75 ? "end" : "start"}
    fill="var(--soft)"
  >
    ${run.name}
  </text>
`;

// The pointer draws the frame, and when it is lifted, the URL takes it.
export const Chart = ({ known, costs: { by, cost, says }, scales, kept, inside, names, dragged, hold }) => {
  const from = useRef(null);
  const { across, y } = scales;
  const x = (run) => across(cost(run));
  const box = boxOf(kept, scales);
  const at = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * 104 - 4, ((event.clientY - box.top) / box.height) * 64];
  };
  const drag = (event) => {
    if (!from.current) return;
    const to = at(event);
    const [x0, x1] = [from.current[0], to[0]].sort((a, b) => a - b);
    const [y0, y1] = [from.current[1], to[1]].sort((a, b) => a - b);
    if (x1 - x0 < 1) return;
    hold({ cost_low: scales.cost(x0), cost_high: scales.cost(x1), low: scales.share(y1), high: scales.share(y0) });
  };
  const lift = () => {
    from.current = null;
    if (dragged) frame(dragged);
    hold(null);
  };
  return html`
    <svg
      viewBox="-4 0 104 64"
      role="img"
      aria-label=${t("compare.label", { cost: t(`compare.${by}`) })}
      style="width: 100%; touch-action: none; cursor: crosshair"
      onPointerDown=${(event) => {
        from.current = at(event);
        event.currentTarget.setPointerCapture?.(event.pointerId);
        go({ frame: null }, { replace: true });
      }}
      onPointerMove=${drag}
      onPointerUp=${lift}
      onPointerCancel=${lift}
    >
      <line x1="8" y1="54" x2="96" y2="54" stroke="var(--ink)" stroke-width=".2" />
      <${Ticks} says=${says} scales=${scales} />
      ${known.length <= 12 && known.map((run) => html`<${Name} y=${y} x=${x} run=${run} />`)}
      <text x="52" y="62.5" font-size="2.4" text-anchor="middle" fill="var(--soft)">
        ${t(`compare.${by}`)}, ${t("compare.log")}
      </text>
      ${known.map(
        (run) => html`
          <${Mark}
            run=${run}
            cost=${cost}
            says=${says}
            x=${x(run)}
            y=${y}
            inside=${inside(run)}
            names=${names}
          />
        `,
      )}
      ${isFramed(kept) && html`<${Kept} box=${box} />`}
    </svg>
  `;
};
