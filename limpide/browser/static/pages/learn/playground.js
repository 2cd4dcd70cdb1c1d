// A small network on two inputs: every unit is a picture of what it says of the plane.
import { html, useEffect, useRef, useState } from "../../html.js";
import { place, go } from "../../state.js";
import { t, count, percent, number } from "../../words.js";
import { Plane, Scale } from "../../paint.js";

const FINE = 32, COARSE = 22; // pixels of a unit's picture, and where there are many of them

const dice = (seed) => () => { // mulberry32
  seed = (seed + 0x6d2b79f5) | 0;
  let v = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  v = (v + Math.imul(v ^ (v >>> 7), 61 | v)) ^ v;
  return ((v ^ (v >>> 14)) >>> 0) / 4294967296;
};

export const DATA = {
  xor: (r) => { const x = 2 * r() - 1, y = 2 * r() - 1; return [x, y, x * y > 0 ? 1 : -1]; },
  circle: (r) => { const inner = r() < 0.5, a = 2 * Math.PI * r(), d = inner ? 0.45 * r() : 0.65 + 0.3 * r(); return [d * Math.cos(a), d * Math.sin(a), inner ? 1 : -1]; },
  halves: (r) => { const one = r() < 0.5, a = 2 * Math.PI * r(), d = 0.35 * r(); return [(one ? 0.4 : -0.4) + d * Math.cos(a), (one ? 0.4 : -0.4) + d * Math.sin(a), one ? 1 : -1]; },
  spiral: (r) => { const one = r() < 0.5, s = r(), a = 1.75 * s * 2 * Math.PI + (one ? 0 : Math.PI); return [0.9 * s * Math.sin(a), 0.9 * s * Math.cos(a), one ? 1 : -1]; },
};

/** A fully connected network with tanh, learned by plain descent on the squared error, one example after another. */
export class Network {
  constructor(shape, seed = 1) {
    const r = dice(seed);
    this.shape = shape;
    this.layers = shape.slice(1).map((n, k) => ({ w: Array.from({ length: n }, () => Float64Array.from({ length: shape[k] }, () => (2 * r() - 1) * Math.sqrt(3 / shape[k]))), b: new Float64Array(n) }));
  }
  forward(input) {
    const seen = [input];
    for (const { w, b } of this.layers) {
      const before = seen.at(-1);
      seen.push(w.map((row, j) => { let sum = b[j]; for (let i = 0; i < row.length; i++) sum += row[i] * before[i]; return Math.tanh(sum); }));
    }
    return seen;
  }
  learn([x, y, target], rate) {
    const seen = this.forward([x, y]);
    let delta = seen.at(-1).map((out) => (target - out) * (1 - out * out));
    const error = 0.5 * (target - seen.at(-1)[0]) ** 2;
    for (let k = this.layers.length - 1; k >= 0; k--) {
      const { w, b } = this.layers[k], before = seen[k];
      const below = k ? before.map((out, i) => w.reduce((sum, row, j) => sum + delta[j] * row[i], 0) * (1 - out * out)) : null;
      w.forEach((row, j) => { for (let i = 0; i < row.length; i++) row[i] += rate * delta[j] * before[i]; b[j] += rate * delta[j]; });
      delta = below;
    }
    return error;
  }
}

export default () => {
  const kind = DATA[place.value.data] ? place.value.data : "xor";
  const shape = (place.value.shape ?? "4,2").split(",").map(Number).filter((n) => n > 0 && n <= 8).slice(0, 6);
  const seed = Number(place.value.seed ?? 1), rate = Number(place.value.eta ?? 0.1);
  const net = useRef(null), points = useRef([]), frame = useRef(0);
  const [tick, redraw] = useState(0);
  const [going, play] = useState(false);
  const [passes, count_] = useState(0);
  const key = `${kind}/${shape}/${seed}`;
  const made = useRef("");
  if (made.current !== key) {
    made.current = key;
    net.current = new Network([2, ...shape, 1], seed);
    const r = dice(seed + 7);
    points.current = Array.from({ length: 300 }, () => DATA[kind](r));
  }
  useEffect(() => { count_(0); redraw((n) => n + 1); }, [key]);
  useEffect(() => {
    if (!going) return;
    let alive = true;
    const step = () => {
      if (!alive) return;
      for (const point of points.current.slice(0, 150)) net.current.learn(point, rate);
      count_((n) => n + 1);
      frame.current = requestAnimationFrame(step);
    };
    frame.current = requestAnimationFrame(step);
    return () => { alive = false; cancelAnimationFrame(frame.current); };
  }, [going, rate, key]);
  const train = points.current.slice(0, 150), test = points.current.slice(150);
  const right = (some) => some.filter(([x, y, t]) => Math.sign(net.current.forward([x, y]).at(-1)[0]) === t).length / some.length;
  const SIDE = shape.reduce((a, b) => a + b, 0) > 24 ? COARSE : FINE;
  // One forward pass for every pixel fills the pictures of all units.
  const pictures = net.current.layers.map(({ w }) => w.map(() => new Float32Array(SIDE * SIDE)));
  for (let i = 0; i < SIDE; i++) for (let j = 0; j < SIDE; j++) {
    const seen = net.current.forward([-1 + (2 * (j + 0.5)) / SIDE, 1 - (2 * (i + 0.5)) / SIDE]);
    for (let k = 0; k < pictures.length; k++) for (let u = 0; u < pictures[k].length; u++) pictures[k][u][i * SIDE + j] = seen[k + 1][u];
  }
  const layers = (next) => go({ shape: next.join(",") });
  return html`<div class="row">${Object.keys(DATA).map((each) => html`<button aria-pressed=${each === kind} onClick=${() => go({ data: each })}>${t(`learn.data.${each}`)}</button>`)}</div>
    <div class="row"><button onClick=${() => play(!going)}>${going ? t("learn.pause") : t("learn.start")}</button><button onClick=${() => go({ seed: String(seed + 1) })}>${t("learn.again")}</button>
      <label>${t("learn.rate")} <select value=${String(rate)} onChange=${(event) => go({ eta: event.target.value })}>${[0.01, 0.03, 0.1, 0.3].map((v) => html`<option value=${String(v)}>${number(v)}</option>`)}</select></label>
      <button disabled=${shape.length >= 6} onClick=${() => layers([...shape, 4])}>${t("learn.more")}</button><button disabled=${shape.length <= 1} onClick=${() => layers(shape.slice(0, -1))}>${t("learn.less")}</button></div>
    <dl class="figures"><div><dt>${t("learn.passes")}</dt><dd id="passes">${count(passes)}</dd></div><div><dt>${t("learn.right_train")}</dt><dd>${percent(right(train))}</dd></div><div><dt>${t("learn.right_test")}</dt><dd id="right">${percent(right(test))}</dd></div></dl>
    <div style="display: flex; gap: 1.5rem; flex-wrap: wrap; align-items: flex-start">${pictures.slice(0, -1).map((units, k) => html`<div><p class="small">${t("learn.hidden", { n: k + 1 })}<br />
      <button class="plain" aria-label=${t("learn.unit_less", { n: k + 1 })} disabled=${units.length <= 1} onClick=${() => layers(shape.map((n, i) => (i === k ? n - 1 : n)))}>−</button>${units.length}<button class="plain" aria-label=${t("learn.unit_more", { n: k + 1 })} disabled=${units.length >= 8} onClick=${() => layers(shape.map((n, i) => (i === k ? n + 1 : n)))}>+</button></p>
      ${units.map((values, u) => html`<div style="margin-bottom: .4rem; width: 3.4rem"><${Plane} values=${values} height=${SIDE} width=${SIDE} scale=${1} label=${t("layer.unit", { n: u })} className="unit" /></div>`)}</div>`)}
      <div style="flex: 1; min-width: 14rem; max-width: 24rem"><p class="small">${t("learn.output")}</p><div class="over" style="width: 100%"><${Plane} values=${pictures.at(-1)[0]} height=${SIDE} width=${SIDE} scale=${1} label=${t("learn.output")} className="big" />
        <svg viewBox="-1 -1 2 2" style="position: absolute; inset: 0; width: 100%; height: 100%" aria-hidden="true">${test.map(([x, y, c]) => html`<circle cx=${x} cy=${-y} r="0.022" fill=${c > 0 ? "var(--plus)" : "var(--minus)"} stroke="var(--paper)" stroke-width="0.008" />`)}</svg></div><${Scale} most=${1} /></div></div>`;
};
