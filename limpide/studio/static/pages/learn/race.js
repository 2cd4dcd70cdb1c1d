// Six optimisers down a long valley and off a saddle, step by step (update rules: ladder/optimisers.py).
import { html, useEffect, useState } from "../../html.js";
import { place, go } from "../../state.js";
import { t, count, number } from "../../words.js";

export const GROUNDS = {
  valley: { f: ([x, y]) => (x * x) / 2 + 12.5 * y * y, slope: ([x, y]) => [x, 25 * y], start: [-2.6, 0.9], box: [-3, 3, -1.2, 1.2] },
  saddle: { f: ([x, y]) => x * x / 2 - y * y / 2 + y ** 4 / 8, slope: ([x, y]) => [x, -y + y ** 3 / 2], start: [-2, 0], box: [-2.6, 2.6, -2, 2] },
};

/** Every optimiser: (state, slope, n) → step of one coordinate. */
const RULES = {
  SGD: (rate) => (_, g) => -rate * g,
  momentum: (rate) => (s, g) => ((s.v = 0.9 * (s.v ?? 0) + g), -rate * s.v),
  Nesterov: (rate) => (s, g) => ((s.v = 0.9 * (s.v ?? 0) + g), -rate * (g + 0.9 * s.v)),
  Adagrad: (rate) => (s, g) => ((s.v = (s.v ?? 0) + g * g), (-rate * g) / (Math.sqrt(s.v) + 1e-10)),
  RMSprop: (rate) => (s, g) => ((s.v = 0.99 * (s.v ?? 0) + 0.01 * g * g), (-rate * g) / (Math.sqrt(s.v) + 1e-8)),
  Adam: (rate) => (s, g, n) => ((s.m = 0.9 * (s.m ?? 0) + 0.1 * g), (s.v = 0.999 * (s.v ?? 0) + 0.001 * g * g), (-rate * (s.m / (1 - 0.9 ** n))) / (Math.sqrt(s.v / (1 - 0.999 ** n)) + 1e-8)),
};
const RATES = { SGD: 0.07, momentum: 0.02, Nesterov: 0.02, Adagrad: 0.5, RMSprop: 0.03, Adam: 0.15 };
export const COLOURS = { SGD: "var(--ink)", momentum: "var(--accent)", Nesterov: "var(--minus)", Adagrad: "var(--plus)", RMSprop: "var(--bad)", Adam: "var(--ok)" };

/** Path [[x, y] …] of `steps` steps. */
export const run = (name, ground, steps, scale = 1) => {
  const { slope, start } = GROUNDS[ground];
  const rule = RULES[name](RATES[name] * scale), states = [{}, {}];
  let at = start;
  const path = [at];
  for (let n = 1; n <= steps; n++) {
    const g = slope(at);
    at = at.map((v, k) => v + rule(states[k], g[k], n));
    path.push(at);
  }
  return path;
};

export default () => {
  const ground = GROUNDS[place.value.ground] ? place.value.ground : "valley";
  const scale = Number(place.value.scale ?? 1);
  const [step, set] = useState(200);
  const [going, play] = useState(false);
  useEffect(() => {
    if (!going) return;
    const timer = setInterval(() => set((n) => (n >= 200 ? (play(false), 200) : n + 2)), 40);
    return () => clearInterval(timer);
  }, [going]);
  const [x0, x1, y0, y1] = GROUNDS[ground].box;
  const across = (x) => (600 * (x - x0)) / (x1 - x0), up = (y) => 300 - (300 * (y - y0)) / (y1 - y0);
  const tint = [];
  for (let i = 0; i < 40; i++) for (let j = 0; j < 20; j++) {
    const v = GROUNDS[ground].f([x0 + ((i + 0.5) / 40) * (x1 - x0), y0 + ((j + 0.5) / 20) * (y1 - y0)]);
    const level = Math.round(6 * Math.log1p(Math.max(0, v + 0.6)));
    tint.push(html`<rect x=${i * 15} y=${285 - j * 15} width="15.5" height="15.5" fill="var(--soft)" opacity=${Math.min(0.5, level * 0.035)} />`);
  }
  const names = Object.keys(RULES);
  const paths = Object.fromEntries(names.map((name) => [name, run(name, ground, 200, scale)]));
  return html`<div class="row">${Object.keys(GROUNDS).map((each) => html`<button aria-pressed=${each === ground} onClick=${() => go({ ground: each })}>${t(`learn.ground.${each}`)}</button>`)}
      <label>${t("learn.times")} <input type="range" min="0.2" max="2" step="0.05" value=${scale} onInput=${(event) => go({ scale: event.target.value }, { replace: true })} /> ${number(scale)}×</label>
      <button onClick=${() => { set(0); play(true); }}>${t("learn.start")}</button><input type="range" min="0" max="200" value=${step} aria-label=${t("learn.step")} onInput=${(event) => set(Number(event.target.value))} /> <span class="small">${t("learn.after", { n: count(step) })}</span></div>
    <svg viewBox="0 0 600 300" style="width: 100%; max-width: 60rem; background: var(--raised)" role="img" aria-label=${t("learn.race.title")}>${tint}
      ${names.map((name) => html`<polyline fill="none" stroke=${COLOURS[name]} stroke-width="1.8" points=${paths[name].slice(0, step + 1).map(([x, y]) => `${across(x)},${up(y)}`).join(" ")} /><circle cx=${across(paths[name][step][0])} cy=${up(paths[name][step][1])} r="5" fill=${COLOURS[name]} />`)}</svg>
    <table style="width: auto"><thead><tr><th></th><th>${t("learn.optimiser")}</th><th class="n">${t("learn.rate")}</th><th class="n">${t("learn.height", { n: count(step) })}</th></tr></thead><tbody>${names.map((name) => html`<tr><td><svg width="22" height="8" aria-hidden="true"><rect width="22" height="4" y="2" fill=${COLOURS[name]} /></svg></td><td>${name}</td><td class="n">${number(RATES[name] * scale)}</td><td class="n">${number(GROUNDS[ground].f(paths[name][step]))}</td></tr>`)}</tbody></table>`;
};
