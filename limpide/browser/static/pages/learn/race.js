// Six optimisers down a long valley and off a saddle, step by step (update rules: ladder/optimizers.py).
import { html, useEffect, useState } from "../../html.js";
import { place, go } from "../../state.js";
import { t, count, number } from "../../i18n.js";
import { Axes } from "../../axes.js";

// The grounds, the starts and the grid of rates are those of ladder/race.py; a test holds the paths to it.
export const GROUNDS = {
  valley: {
    f: ([x, y]) => 0.5 * ((x * x) / 400 + y * y),
    slope: ([x, y]) => [x / 400, y],
    start: [-20, 1],
    box: [-22, 22, -1.6, 1.6],
  },
  saddle: {
    f: ([x, y]) => 25 * x * x - 0.5 * y * y + 0.25 * y ** 4,
    slope: ([x, y]) => [50 * x, y ** 3 - y],
    start: [0.2, 1e-3],
    box: [-0.45, 0.45, -1.4, 1.4],
  },
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
  Adam: (rate) => (s, g, n) => (
    (s.m = 0.9 * (s.m ?? 0) + 0.1 * g),
    (s.v = 0.999 * (s.v ?? 0) + 0.001 * g * g),
    (-rate * (s.m / (1 - 0.9 ** n))) / (Math.sqrt(s.v / (1 - 0.999 ** n)) + 1e-8)
  ),
};
export const COLOURS = {
  SGD: "var(--ink)",
  momentum: "var(--accent)",
  Nesterov: "var(--minus)",
  Adagrad: "var(--plus)",
  RMSprop: "var(--bad)",
  Adam: "var(--ok)",
};

/** Path [[x, y] …] of `steps` steps. */
export const run = (name, ground, rate, steps = STEPS) => {
  const { slope, start } = GROUNDS[ground];
  const rule = RULES[name](rate);
  const states = [{}, {}];
  let at = start;
  const path = [at];
  for (let n = 1; n <= steps; n++) {
    const g = slope(at);
    at = at.map((v, k) => v + rule(states[k], g[k], n));
    path.push(at);
  }
  return path;
};

/** The rate of the grid that ends lowest: with another rate, each of them can lose. */
export const bestRate = (name, ground) => {
  const heights = GRID.map((rate) => GROUNDS[ground].f(run(name, ground, rate).at(-1))).map((height) =>
    isFinite(height) ? height : Infinity,
  );
  return GRID[heights.indexOf(Math.min(...heights))];
};

const BANDS = 9;

/**
 * The heights of a ground as bands, evenly spaced in the square root of the height; their edges are smoothed over one
 * pixel of the screen.
 */
const contours = (canvas, { f, box: [x0, x1, y0, y1] }) => {
  const { width, height } = canvas;
  const style = getComputedStyle(document.documentElement);
  const at = [0, 0];
  const [paper, soft] = ["--raised", "--soft"].map((name) =>
    style
      .getPropertyValue(name)
      .match(/[0-9a-f]{2}/gi)
      .map((two) => parseInt(two, 16)),
  );
  const colour = (k, i) => paper[i] + 0.06 * Math.max(0, Math.min(BANDS, k)) * (soft[i] - paper[i]);
  const level = new Float32Array(width * height);
  let low = Infinity,
    high = -Infinity;
  for (let k = 0, j = 0; j < height; j++)
    for (let i = 0; i < width; i++, k++) {
      at[0] = x0 + ((i + 0.5) / width) * (x1 - x0);
      at[1] = y1 - ((j + 0.5) / height) * (y1 - y0);
      const value = (level[k] = f(at));
      if (value < low) low = value;
      if (value > high) high = value;
    }
  for (let k = 0; k < level.length; k++) level[k] = BANDS * Math.sqrt((level[k] - low) / (high - low));
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  for (let k = 0, j = 0; j < height; j++)
    for (let i = 0; i < width; i++, k++) {
      const v = level[k];
      const slope =
        Math.hypot(level[i + 1 < width ? k + 1 : k - 1] - v, level[j + 1 < height ? k + width : k - width] - v) || 1e-6;
      const edge = Math.round(v);
      // the part of this pixel above the nearest edge
      const above = Math.max(0, Math.min(1, (v - edge) / slope + 0.5));
      for (let c = 0; c < 3; c++) pixels.data[4 * k + c] = colour(edge - 1, c) * (1 - above) + colour(edge, c) * above;
      pixels.data[4 * k + 3] = 255;
    }
  context.putImageData(pixels, 0, 0);
};

const Reached = ({ ground, step, race }) => html`
  <table style="width: auto">
    <thead>
      <tr>
        <th></th>
        <th>${t("learn.optimiser")}</th>
        <th class="n">${t("learn.rate")}</th>
        <th class="n">${t("learn.height", { n: count(step) })}</th>
      </tr>
    </thead>
    <tbody>
      ${race.map(
        ({ name, rate, path }) => html`
          <tr>
            <td>
              <svg width="22" height="8" aria-hidden="true">
                <rect width="22" height="4" y="2" fill=${COLOURS[name]} />
              </svg>
            </td>
            <td>${name}</td>
            <td class="n">${number(rate)}</td>
            <td class="n">${number(GROUNDS[ground].f(path[step]))}</td>
          </tr>
        `,
      )}
    </tbody>
  </table>
`;

const Controls = ({ ground, scale, step, set, play }) => html`
  <div class="row">
    ${Object.keys(GROUNDS).map(
      (each) => html`
        <button aria-pressed=${each === ground} onClick=${() => go({ ground: each })}>
          ${t(`learn.ground.${each}`)}
        </button>
      `,
    )}
    <label>
      ${t("learn.times")}${" "}
      <input
        type="range"
        min="0.2"
        max="2"
        step="0.05"
        value=${scale}
        onInput=${(event) => go({ scale: event.target.value }, { replace: true })}
      />${" "}
      ${number(scale)}×
    </label>
    <button
      onClick=${() => {
        set(0);
        play(true);
      }}
    >
      ${t("learn.start")}
    </button>
    <input
      type="range"
      min="0"
      max=${STEPS}
      value=${step}
      aria-label=${t("learn.step")}
      onInput=${(event) => set(Number(event.target.value))}
    />${" "}
    <span class="small">${t("learn.after", { n: count(step) })}</span>
  </div>
`;

/** [{name, rate, path}]: every optimiser with a multiple of its best rate; a diverging path stays finite. */
const raced = (ground, scale) =>
  Object.keys(RULES).map((name) => {
    const rate = bestRate(name, ground) * scale;
    const path = run(name, ground, rate).map((at) =>
      at.map((v) => (isFinite(v) ? Math.max(-1e4, Math.min(1e4, v)) : 1e4)),
    );
    return { name, rate, path };
  });

/** A sentence that names the first, the second and the last. */
const ended = (race, ground) => {
  const last = race.map(({ name, path }) => [name, GROUNDS[ground].f(path.at(-1))]).sort((a, b) => a[1] - b[1]);
  const [[first, low], [second, next]] = last;
  const [worst, high] = last.at(-1);
  return t("learn.race.end", {
    n: count(STEPS),
    first,
    low: number(low),
    second,
    next: number(next),
    worst,
    high: number(high),
  });
};

/** The step shown, which advances by itself while it is played: [step, set, play]. */
const useSteps = () => {
  const [step, set] = useState(STEPS);
  const [going, play] = useState(false);
  useEffect(() => {
    if (!going) return;
    const timer = setInterval(() => set((n) => (n >= STEPS ? (play(false), STEPS) : n + 1)), 40);
    return () => clearInterval(timer);
  }, [going]);
  return [step, set, play];
};

/** A path up to a step, and its place at that step. */
const Path = ({ path, colour, step, across, up }) => html`
  <polyline
    fill="none"
    stroke=${colour}
    stroke-width="1.8"
    stroke-linejoin="round"
    points=${path
      .slice(0, step + 1)
      .map(([x, y]) => `${across(x)},${up(y)}`)
      .join(" ")}
  />
  <circle
    cx=${across(path[step][0])}
    cy=${up(path[step][1])}
    r="5"
    fill=${colour}
    stroke="var(--paper)"
    stroke-width="1.5"
  />
`;

const Begin = ({ at: [x, y], across, up }) => html`
  <circle cx=${across(x)} cy=${up(y)} r="3" fill="var(--paper)" stroke="var(--ink)" stroke-width="1.5" />
`;

export default () => {
  const ground = GROUNDS[place.value.ground] ? place.value.ground : "valley";
  const scale = Number(place.value.scale ?? 1);
  const [step, set, play] = useSteps();
  const { box, start } = GROUNDS[ground];
  const race = raced(ground, scale);
  return html`
    <p class="read" id="end">${ended(race, ground)} ${scale === 1 && t(`learn.race.so.${ground}`)}</p>
    <${Controls} ground=${ground} scale=${scale} step=${step} set=${set} play=${play} />
    <${Axes}
      x=${box.slice(0, 2)}
      y=${box.slice(2)}
      ratio=${0.5}
      most=${960}
      xLabel="x"
      yLabel="y"
      label=${t("learn.race.title")}
      ground=${(canvas) => contours(canvas, GROUNDS[ground])}
      of=${[ground]}
    >
      ${({ across, up }) => html`
        ${race.map(
          ({ name, path }) =>
            html`<${Path} path=${path} colour=${COLOURS[name]} step=${step} across=${across} up=${up} />`,
        )}
        <${Begin} at=${start} across=${across} up=${up} />
      `}
    <//>
    <${Reached} ground=${ground} step=${step} race=${race} />
  `;
};
