// Rosenblatt's perceptron on two inputs: every presentation with x, w, y and t (ladder/perceptron.py has the same
// trace).
import { html, useState } from "../../html.js";
import { place, go } from "../../state.js";
import { t } from "../../i18n.js";
import { Axes } from "../../axes.js";

const TABLES = { OR: [0, 1, 1, 1], AND: [0, 0, 0, 1], NAND: [1, 1, 1, 0], XOR: [0, 1, 1, 0] };
const INPUTS = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];

/** Rows {x, before, y, t, after, pass} until a clean pass, or until `passes` of them. */
export const trace = (targets, start = [0, 1, 0], rate = 1, passes = 8) => {
  const rows = [];
  let w = start;
  for (let pass = 0; pass < passes; pass++) {
    let mistakes = 0;
    INPUTS.forEach((input, k) => {
      const x = [1, ...input];
      const y = x.reduce((sum, v, i) => sum + v * w[i], 0) > 0 ? 1 : 0;
      const after = w.map((v, i) => v + rate * (targets[k] - y) * x[i]);
      rows.push({ x, before: w, y, t: targets[k], after, pass });
      if (y !== targets[k]) mistakes++;
      w = after;
    });
    if (!mistakes) return { rows, learned: true };
  }
  return { rows, learned: false };
};

const Truth = ({ shown }) => html`
  <div class="scroll">
    <table>
      <thead>
        <tr>
          <th class="n">#</th>
          <th>x₀, x₁, x₂</th>
          <th>${t("learn.w_before")}</th>
          <th class="n">y</th>
          <th class="n">t</th>
          <th>${t("learn.w_after")}</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map(
          (row, k) => html`
            <tr style=${row.y !== row.t ? "color: var(--bad); font-weight: 600" : ""}>
              <td class="n">${k + 1}</td>
              <td>${row.x.join(", ")}</td>
              <td>${row.before.join(", ")}</td>
              <td class="n">${row.y}</td>
              <td class="n">${row.t}</td>
              <td>${row.after.join(", ")}</td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  </div>
`;

export default () => {
  const name = TABLES[place.value.gate] ? place.value.gate : "OR";
  const { rows, learned } = trace(TABLES[name]);
  const [step, set] = useState(rows.length);
  const at = Math.min(step, rows.length);
  const shown = rows.slice(0, at);
  const w = at ? rows[at - 1].after : [0, 1, 0];
  const updates = rows.filter((row) => row.y !== row.t).length;
  return html`
    <div class="row" role="group" aria-label=${t("learn.gate")}>
      ${Object.keys(TABLES).map(
        (gate) => html`
          <button
            aria-pressed=${gate === name}
            onClick=${() => {
              go({ gate });
              set(99);
            }}
          >
            ${gate}
          </button>
        `,
      )}
    </div>
    <p class="claim">
      ${learned ? t("learn.neuron.learned", { n: rows.length, k: updates }) : t("learn.neuron.never")}
    </p>
    <div class="row">
      <button onClick=${() => set(Math.max(0, at - 1))}>←</button>
      <input
        type="range"
        min="0"
        max=${rows.length}
        value=${at}
        aria-label=${t("learn.step")}
        onInput=${(event) => set(Number(event.target.value))}
      />
      <button onClick=${() => set(Math.min(rows.length, at + 1))}>→</button>
      <span class="small">${t("learn.presentation", { n: at, of: rows.length })}</span>
    </div>
    <div class="two">
      <${Truth} shown=${shown} />
      <${Line} w=${w} targets=${TABLES[name]} />
    </div>
  `;
};

const SPAN = [-0.25, 1.25]; // of either input

/**
 * Corners of the part of the square where w₀ + w₁·x₁ + w₂·x₂ > 0, in order; the square is cut along the line
 * (Sutherland & Hodgman 1974).
 */
export const half = ([w0, w1, w2], [low, high] = SPAN) => {
  const corners = [
    [low, low],
    [high, low],
    [high, high],
    [low, high],
  ];
  const value = ([a, b]) => w0 + w1 * a + w2 * b;
  const kept = [];
  corners.forEach((to, k) => {
    const from = corners[(k + 3) % 4];
    const [u, v] = [value(from), value(to)];
    if (u > 0 !== v > 0) {
      const s = u / (u - v);
      kept.push(from.map((one, i) => one + s * (to[i] - one)));
    }
    if (v > 0) kept.push(to);
  });
  return kept;
};

// The plane of inputs: where the neuron outputs 1, and the four examples.
const Line = ({ w, targets }) => {
  const area = half(w);
  const edge = area.filter(([a, b]) => Math.abs(w[0] + w[1] * a + w[2] * b) < 1e-9);
  return html`
    <figure style="margin: 0">
      <${Axes}
        x=${SPAN}
        y=${SPAN}
        xTicks=${[0, 1]}
        yTicks=${[0, 1]}
        most=${400}
        xLabel="x₁"
        yLabel="x₂"
        label=${t("learn.neuron.plane", { w: w.join(", ") })}
      >
        ${({ across, up }) => html`
          <polygon
            fill="var(--plus)"
            fill-opacity=".18"
            points=${area.map(([a, b]) => `${across(a)},${up(b)}`).join(" ")}
          ></polygon>
          ${
            edge.length === 2 &&
            html`
              <line
                x1=${across(edge[0][0])}
                y1=${up(edge[0][1])}
                x2=${across(edge[1][0])}
                y2=${up(edge[1][1])}
                stroke="var(--plus)"
                stroke-width="1.5"
              />
            `
          }
          ${INPUTS.map(
            ([a, b], k) => html`
              <circle
                cx=${across(a)}
                cy=${up(b)}
                r="12"
                fill=${targets[k] ? "var(--plus)" : "var(--paper)"}
                stroke="var(--ink)"
                stroke-width="1.5"
              />
              <text
                x=${across(a)}
                y=${up(b) + 4.5}
                text-anchor="middle"
                style=${`font-size: .8125rem; fill: ${targets[k] ? "var(--on-accent)" : "var(--ink)"}`}
              >
                ${targets[k]}
              </text>
            `,
          )}
        `}
      <//>
      <figcaption class="small">${t("learn.neuron.caption", { w0: w[0], w1: w[1], w2: w[2] })}</figcaption>
    </figure>
  `;
};
