// Gradient descent on one parabola: f(x) = x² − x + 2 from −2 (ladder/descent.py).
import { html } from "../../html.js";
import { place, go } from "../../state.js";
import { t, fixed } from "../../i18n.js";
import { Axes } from "../../axes.js";

const f = (x) => x * x - x + 2;
const slope = (x) => 2 * x - 1;

/** [[x, f, f′] …] of ten rows; forget: gradients accumulate, as if they were never cleared. */
export const descend = (rate, forget, steps = 10, start = -2) => {
  const rows = [];
  let x = start,
    piled = 0;
  for (let k = 0; k < steps; k++) {
    rows.push([x, f(x), slope(x)]);
    piled = (forget ? piled : 0) + slope(x);
    x -= rate * piled;
  }
  return rows;
};

const Controls = ({ rate, forget }) => html`
  <div class="row">
    <label>
      ${t("learn.rate")}${" "}
      <input
        type="range"
        min="0.01"
        max="1.1"
        step="0.01"
        value=${rate}
        onInput=${(event) => go({ rate: event.target.value }, { replace: true })}
      />${" "}
      ${fixed(rate)}
    </label>
    <label>
      <input
        type="checkbox"
        checked=${forget}
        onChange=${() => go({ forget: forget ? null : "1" }, { replace: true })}
      />${" "}
      ${t("learn.forget")}
    </label>
  </div>
`;

const Steps = ({ rows }) => html`
  <div class="scroll">
    <table>
      <thead>
        <tr>
          <th class="n">n</th>
          <th class="n">x</th>
          <th class="n">f(x) = x² − x + 2</th>
          <th class="n">f′(x) = 2x − 1</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row, k) => html`
            <tr>
              <td class="n">${k}</td>
              ${row.map((v) => html`<td class="n">${fixed(v, 5)}</td>`)}
            </tr>
          `,
        )}
      </tbody>
    </table>
  </div>
`;

export default () => {
  const rate = Number(place.value.rate ?? 0.25);
  const forget = place.value.forget === "1";
  const rows = descend(rate, forget);
  const curve = Array.from({ length: 141 }, (_, k) => -3 + (7 * k) / 140);
  const inside = rows.filter(([x]) => Math.abs(x) < 100);
  return html`
    <${Controls} rate=${rate} forget=${forget} />
    <div class="two">
      <${Axes}
        x=${[-3, 4]}
        y=${[0, 14]}
        ratio=${0.56}
        most=${760}
        xLabel="x"
        yLabel="f(x) = x² − x + 2"
        label=${t("learn.descent.title")}
      >
        ${({ across, up }) => html`
          <polyline
            fill="none"
            stroke="var(--soft)"
            stroke-width="1.5"
            points=${curve.map((x) => `${across(x)},${up(f(x))}`).join(" ")}
          />
          <polyline
            fill="none"
            stroke="var(--plus)"
            stroke-width="1.5"
            points=${inside.map(([x, y]) => `${across(x)},${up(y)}`).join(" ")}
          />
          ${inside.map(
            ([x, y], k) => html`
              <circle
                cx=${across(x)}
                cy=${up(y)}
                r="4.5"
                fill="var(--plus)"
                stroke="var(--paper)"
                stroke-width="1.5"
              >
                <title>${k}</title>
              </circle>
              ${k < 3 && html`<text class="on" x=${across(x) + 9} y=${up(y) + 4}>${k}</text>`}
            `,
          )}
        `}
      <//>
      <${Steps} rows=${rows} />
    </div>
  `;
};
