// Gradient descent on one parabola: f(x) = x² − x + 2 from −2 (ladder/descent.py).
import { html } from "../../html.js";
import { place, go } from "../../state.js";
import { t, fixed } from "../../words.js";

const f = (x) => x * x - x + 2;
const slope = (x) => 2 * x - 1;

/** [[x, f, f′] …] of ten rows; forget: slopes pile up, as when nobody clears them. */
export const descend = (rate, forget, steps = 10, start = -2) => {
  const rows = [];
  let x = start, piled = 0;
  for (let k = 0; k < steps; k++) {
    rows.push([x, f(x), slope(x)]);
    piled = (forget ? piled : 0) + slope(x);
    x -= rate * piled;
  }
  return rows;
};

export default () => {
  const rate = Number(place.value.rate ?? 0.25), forget = place.value.forget === "1";
  const rows = descend(rate, forget);
  const across = (x) => 20 + ((x + 3) / 7) * 460, up = (y) => 230 - Math.min(1.05, (y - 1.5) / 12.5) * 210;
  const curve = Array.from({ length: 90 }, (_, k) => -3 + (7 * k) / 89);
  const inside = rows.filter(([x]) => Math.abs(x) < 4);
  return html`<div class="row"><label>${t("learn.rate")} <input type="range" min="0.01" max="1.1" step="0.01" value=${rate} onInput=${(event) => go({ rate: event.target.value }, { replace: true })} /> ${fixed(rate)}</label>
    <label><input type="checkbox" checked=${forget} onChange=${() => go({ forget: forget ? null : "1" }, { replace: true })} /> ${t("learn.forget")}</label></div>
    <div class="two"><svg viewBox="0 0 500 250" style="width: 100%; background: var(--raised)" role="img" aria-label=${t("learn.descent.title")}>
      <polyline fill="none" stroke="var(--soft)" stroke-width="2" points=${curve.map((x) => `${across(x)},${up(f(x))}`).join(" ")} />
      <polyline fill="none" stroke="var(--plus)" stroke-width="1.5" points=${inside.map(([x, y]) => `${across(x)},${up(y)}`).join(" ")} />
      ${inside.map(([x, y], k) => html`<circle cx=${across(x)} cy=${up(y)} r="5" fill="var(--plus)"><title>${k}</title></circle>`)}</svg>
    <div class="scroll"><table><thead><tr><th class="n">n</th><th class="n">x</th><th class="n">f(x) = x² − x + 2</th><th class="n">f′(x) = 2x − 1</th></tr></thead><tbody>${rows.map((row, k) => html`<tr><td class="n">${k}</td>${row.map((v) => html`<td class="n">${fixed(v, 5)}</td>`)}</tr>`)}</tbody></table></div></div>`;
};
