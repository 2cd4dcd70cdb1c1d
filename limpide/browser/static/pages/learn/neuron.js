// Rosenblatt's perceptron on two inputs: every presentation with x, w, y and t (ladder/perceptron.py has the same trace).
import { html, useState } from "../../html.js";
import { place, go } from "../../state.js";
import { t, count } from "../../words.js";

const TABLES = { OR: [0, 1, 1, 1], AND: [0, 0, 0, 1], NAND: [1, 1, 1, 0], XOR: [0, 1, 1, 0] };
const INPUTS = [[0, 0], [0, 1], [1, 0], [1, 1]];

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

export default () => {
  const name = TABLES[place.value.gate] ? place.value.gate : "OR";
  const { rows, learned } = trace(TABLES[name]);
  const [step, set] = useState(rows.length);
  const at = Math.min(step, rows.length);
  const shown = rows.slice(0, at);
  const w = at ? rows[at - 1].after : [0, 1, 0];
  const updates = rows.filter((row) => row.y !== row.t).length;
  return html`<div class="row" role="group" aria-label=${t("learn.gate")}>${Object.keys(TABLES).map((gate) => html`<button aria-pressed=${gate === name} onClick=${() => { go({ gate }); set(99); }}>${gate}</button>`)}</div>
    <p class="claim">${learned ? t("learn.neuron.learned", { n: rows.length, k: updates }) : t("learn.neuron.never")}</p>
    <div class="row"><button onClick=${() => set(Math.max(0, at - 1))}>←</button><input type="range" min="0" max=${rows.length} value=${at} aria-label=${t("learn.step")} onInput=${(event) => set(Number(event.target.value))} /><button onClick=${() => set(Math.min(rows.length, at + 1))}>→</button><span class="small">${t("learn.presentation", { n: at, of: rows.length })}</span></div>
    <div class="two"><div class="scroll"><table><thead><tr><th class="n">#</th><th>x₀, x₁, x₂</th><th>${t("learn.w_before")}</th><th class="n">y</th><th class="n">t</th><th>${t("learn.w_after")}</th></tr></thead>
      <tbody>${shown.map((row, k) => html`<tr style=${row.y !== row.t ? "color: var(--bad); font-weight: 600" : ""}><td class="n">${k + 1}</td><td>${row.x.join(", ")}</td><td>${row.before.join(", ")}</td><td class="n">${row.y}</td><td class="n">${row.t}</td><td>${row.after.join(", ")}</td></tr>`)}</tbody></table></div>
      <${Line} w=${w} targets=${TABLES[name]} /></div>`;
};

// The plane of inputs: where the neuron says 1, and the four examples.
const Line = ({ w, targets }) => {
  const at = (v) => 40 + v * 200;
  const cells = [];
  for (let i = 0; i < 24; i++) for (let j = 0; j < 24; j++) {
    const a = -0.2 + (1.4 * (i + 0.5)) / 24, b = -0.2 + (1.4 * (j + 0.5)) / 24;
    if (w[0] + w[1] * a + w[2] * b > 0) cells.push(html`<rect x=${(280 * i) / 24} y=${280 - (280 * (j + 1)) / 24} width="11.8" height="11.8" fill="var(--plus)" opacity="0.22" />`);
  }
  return html`<figure style="margin: 0"><svg viewBox="0 0 280 280" style="width: 100%; max-width: 22rem; background: var(--raised)" role="img" aria-label=${t("learn.neuron.plane", { w: w.join(", ") })}>${cells}
    ${INPUTS.map(([a, b], k) => html`<circle cx=${at(a)} cy=${280 - at(b)} r="11" fill=${targets[k] ? "var(--plus)" : "var(--paper)"} stroke="var(--ink)" stroke-width="2" /><text x=${at(a)} y=${285 - at(b)} text-anchor="middle" font-size="13" fill=${targets[k] ? "var(--on-accent)" : "var(--ink)"}>${targets[k]}</text>`)}</svg>
    <figcaption class="small">${t("learn.neuron.caption", { w0: w[0], w1: w[1], w2: w[2] })}</figcaption></figure>`;
};
