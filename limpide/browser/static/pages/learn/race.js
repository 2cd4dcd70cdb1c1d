// Six optimisers down a long valley and off a saddle, step by step (update rules: ladder/optimisers.py).
import { html, useEffect, useState } from "../../html.js";
import { place, go } from "../../state.js";
import { t, count, number } from "../../words.js";

// The grounds, the starts and the grid of rates are those of ladder/race.py; a test holds the paths to it.
export const GROUNDS = {
  valley: { f: ([x, y]) => 0.5 * ((x * x) / 400 + y * y), slope: ([x, y]) => [x / 400, y], start: [-20, 1], box: [-22, 22, -1.6, 1.6] },
  saddle: { f: ([x, y]) => 25 * x * x - 0.5 * y * y + 0.25 * y ** 4, slope: ([x, y]) => [50 * x, y ** 3 - y], start: [0.2, 1e-3], box: [-0.45, 0.45, -1.4, 1.4] },
};
const GRID = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 1.9];
const STEPS = 100;

/** Every optimiser: (state, slope, n) → step of one coordinate. */
const RULES = {
  SGD: (rate) => (_, g) => -rate * g,
  momentum: (rate) => (s, g) => ((s.v = 0.9 * (s.v ?? 0) + g), -rate * s.v),
  Nesterov: (rate) => (s, g) => ((s.v = 0.9 * (s.v ?? 0) + g), -rate * (g + 0.9 * s.v)),
  Adagrad: (rate) => (s, g) => ((s.v = (s.v ?? 0) + g * g), (-rate * g) / (Math.sqrt(s.v) + 1e-10)),
  RMSprop: (rate) => (s, g) => ((s.v = 0.99 * (s.v ?? 0) + 0.01 * g * g), (-rate * g) / (Math.sqrt(s.v) + 1e-8)),
  Adam: (rate) => (s, g, n) => ((s.m = 0.9 * (s.m ?? 0) + 0.1 * g), (s.v = 0.999 * (s.v ?? 0) + 0.001 * g * g), (-rate * (s.m / (1 - 0.9 ** n))) / (Math.sqrt(s.v / (1 - 0.999 ** n)) + 1e-8)),
};
export const COLOURS = { SGD: "var(--ink)", momentum: "var(--accent)", Nesterov: "var(--minus)", Adagrad: "var(--plus)", RMSprop: "var(--bad)", Adam: "var(--ok)" };

/** Path [[x, y] …] of `steps` steps. */
export const run = (name, ground, rate, steps = STEPS) => {
  const { slope, start } = GROUNDS[ground];
  const rule = RULES[name](rate), states = [{}, {}];
  let at = start;
  const path = [at];
  for (let n = 1; n <= steps; n++) {
    const g = slope(at);
    at = at.map((v, k) => v + rule(states[k], g[k], n));
    path.push(at);
  }
  return path;
};

/** The rate of the grid that ends lowest: with another one each of them can lose. */
export const bestRate = (name, ground) => {
  const heights = GRID.map((rate) => GROUNDS[ground].f(run(name, ground, rate).at(-1))).map((height) => (isFinite(height) ? height : Infinity));
  return GRID[heights.indexOf(Math.min(...heights))];
};

export default () => {
  const ground = GROUNDS[place.value.ground] ? place.value.ground : "valley";
  const scale = Number(place.value.scale ?? 1);
  const [step, set] = useState(STEPS);
  const [going, play] = useState(false);
  useEffect(() => {
    if (!going) return;
    const timer = setInterval(() => set((n) => (n >= STEPS ? (play(false), STEPS) : n + 1)), 40);
    return () => clearInterval(timer);
  }, [going]);
  const [x0, x1, y0, y1] = GROUNDS[ground].box;
  const across = (x) => (600 * (x - x0)) / (x1 - x0), up = (y) => 300 - (300 * (y - y0)) / (y1 - y0);
  const names = Object.keys(RULES);
  const rates = Object.fromEntries(names.map((name) => [name, bestRate(name, ground) * scale]));
  const paths = Object.fromEntries(names.map((name) => [name, run(name, ground, rates[name]).map((at) => at.map((v) => (isFinite(v) ? Math.max(-1e4, Math.min(1e4, v)) : 1e4)))]));
  const level = (i, j) => GROUNDS[ground].f([x0 + ((i + 0.5) / 60) * (x1 - x0), y0 + ((j + 0.5) / 30) * (y1 - y0)]);
  const levels = Array.from({ length: 1800 }, (_, k) => level(k % 60, Math.floor(k / 60)));
  const low = Math.min(...levels), high = Math.max(...levels);
  return html`<div class="row">${Object.keys(GROUNDS).map((each) => html`<button aria-pressed=${each === ground} onClick=${() => go({ ground: each })}>${t(`learn.ground.${each}`)}</button>`)}
      <label>${t("learn.times")} <input type="range" min="0.2" max="2" step="0.05" value=${scale} onInput=${(event) => go({ scale: event.target.value }, { replace: true })} /> ${number(scale)}×</label>
      <button onClick=${() => { set(0); play(true); }}>${t("learn.start")}</button><input type="range" min="0" max=${STEPS} value=${step} aria-label=${t("learn.step")} onInput=${(event) => set(Number(event.target.value))} /> <span class="small">${t("learn.after", { n: count(step) })}</span></div>
    <svg viewBox="0 0 600 300" style="width: 100%; max-width: 60rem; background: var(--raised)" role="img" aria-label=${t("learn.race.title")}>${levels.map((v, k) => html`<rect x=${(k % 60) * 10} y=${290 - Math.floor(k / 60) * 10} width="10" height="10" shape-rendering="crispEdges" fill="var(--soft)" opacity=${(0.06 * Math.floor(9 * Math.sqrt((v - low) / (high - low)))).toFixed(2)} />`)}
      ${names.map((name) => html`<polyline fill="none" stroke=${COLOURS[name]} stroke-width="1.8" points=${paths[name].slice(0, step + 1).map(([x, y]) => `${across(x)},${up(y)}`).join(" ")} /><circle cx=${across(paths[name][step][0])} cy=${up(paths[name][step][1])} r="5" fill=${COLOURS[name]} />`)}</svg>
    <table style="width: auto"><thead><tr><th></th><th>${t("learn.optimiser")}</th><th class="n">${t("learn.rate")}</th><th class="n">${t("learn.height", { n: count(step) })}</th></tr></thead><tbody>${names.map((name) => html`<tr><td><svg width="22" height="8" aria-hidden="true"><rect width="22" height="4" y="2" fill=${COLOURS[name]} /></svg></td><td>${name}</td><td class="n">${number(rates[name])}</td><td class="n">${number(GROUNDS[ground].f(paths[name][step]))}</td></tr>`)}</tbody></table>`;
};
