// A small network on two inputs: every unit is a picture of its output on the plane. While it learns, the page's
// framework draws nothing: a frame is one pass over the points, one over the plane (network.js), and the pictures
// painted.
import { html, useEffect, useRef, useState } from "../../html.js";
import { place, go, language, theme } from "../../state.js";
import { t, count, percent, number } from "../../i18n.js";
import { Axes, sharp } from "../../axes.js";
import { Scale, signed } from "../../color_scale.js";
import { Network, dice } from "./network.js";

const VALUES = 80_000; // of all units, computed in one frame
const FINE = 192; // pixels of a picture's side when nothing moves
const CALM = 100; // ms between two changes of the numbers
const UNIT = 54;
const GAP = 6; // pixels of the page
const LEARNED = 150;
const POINTS = 300; // the first LEARNED of them are learned from

export const DATA = {
  xor: (r) => {
    const x = 2 * r() - 1;
    const y = 2 * r() - 1;
    return [x, y, x * y > 0 ? 1 : -1];
  },
  circle: (r) => {
    const inner = r() < 0.5;
    const a = 2 * Math.PI * r();
    const d = inner ? 0.45 * r() : 0.65 + 0.3 * r();
    return [d * Math.cos(a), d * Math.sin(a), inner ? 1 : -1];
  },
  halves: (r) => {
    const one = r() < 0.5;
    const a = 2 * Math.PI * r();
    const d = 0.35 * r();
    return [(one ? 0.4 : -0.4) + d * Math.cos(a), (one ? 0.4 : -0.4) + d * Math.sin(a), one ? 1 : -1];
  },
  spiral: (r) => {
    const one = r() < 0.5;
    const s = r();
    const a = 1.75 * s * 2 * Math.PI + (one ? 0 : Math.PI);
    return [0.9 * s * Math.sin(a), 0.9 * s * Math.cos(a), one ? 1 : -1];
  },
};

/** Paints pictures of units: canvases of a layer, one unit below the other, and the large one of the output. */
class Painter {
  colours() {
    if (this.theme !== theme.value) {
      this.theme = theme.value;
      this.table = Uint32Array.from({ length: 513 }, (_, k) => {
        const [r, g, b] = signed(k / 256 - 1, 1);
        return (255 << 24) | (b << 16) | (g << 8) | r;
      });
      this.line = getComputedStyle(document.documentElement).getPropertyValue("--line");
    }
    return this.table;
  }

  paint(net, side, columns, output) {
    const table = this.colours();
    const values = net.draw(side);
    if (this.pixels?.width !== side || this.pixels.height !== side * net.units) {
      this.sheet = new OffscreenCanvas(side, side * net.units);
      this.context = this.sheet.getContext("2d");
      this.pixels = this.context.createImageData(side, side * net.units);
      // a separate sheet: smoothing includes neighbouring pixels
      this.large = new OffscreenCanvas(side, side).getContext("2d");
      this.words = new Uint32Array(this.pixels.data.buffer);
    }
    for (let k = 0; k < values.length; k++) this.words[k] = table[(256.5 + 256 * values[k]) | 0];
    this.context.putImageData(this.pixels, 0, 0);
    let unit = 0;
    for (const [k, canvas] of columns.entries()) {
      const context = canvas.getContext("2d");
      const by = canvas.width / UNIT;
      const size = canvas.width;
      context.imageSmoothingQuality = side === FINE ? "high" : "low"; // smaller than it was computed, or larger
      context.strokeStyle = this.line;
      for (let u = 0; u < net.shape[k + 1]; u++, unit++) {
        const top = Math.round(u * (UNIT + GAP) * by);
        context.drawImage(this.sheet, 0, unit * side, side, side, 0, top, size, size);
        context.strokeRect(0.5, top + 0.5, size - 1, size - 1);
      }
    }
    if (!output) return;
    this.large.putImageData(this.pixels, 0, -unit * side, 0, unit * side, side, side);
    output.getContext("2d", { alpha: false }).drawImage(this.large.canvas, 0, 0, output.width, output.height);
  }
}

const LayerOf = ({ shape, columns, layers, n, k }) => html`
  <div>
    <p class="small">
      ${t("learn.hidden", { n: k + 1 })}
      <br />
      <button
        class="plain"
        aria-label=${t("learn.unit_less", { n: k + 1 })}
        disabled=${n <= 1}
        onClick=${() => layers(shape.map((n, i) => (i === k ? n - 1 : n)))}
      >
        −
      </button>
      ${n}
      <button
        class="plain"
        aria-label=${t("learn.unit_more", { n: k + 1 })}
        disabled=${n >= 8}
        onClick=${() => layers(shape.map((n, i) => (i === k ? n + 1 : n)))}
      >
        +
      </button>
    </p>
    <canvas
      ref=${(element) => (columns.current[k] = element)}
      role="img"
      aria-label=${t("learn.units", { n, k: k + 1 })}
    ></canvas>
  </div>
`;

const Ground = ({ of, output, points, still }) => html`
  <${Axes}
    x=${[-1, 1]}
    y=${[-1, 1]}
    xTicks=${[-1, -0.5, 0, 0.5, 1]}
    yTicks=${[-1, -0.5, 0, 0.5, 1]}
    xLabel="x₁"
    yLabel="x₂"
    most=${480}
    label=${t("learn.output")}
    canvas=${output}
    ground=${still}
    of=${[of]}
  >
    ${({ across, up }) =>
      points.slice(LEARNED).map(
        ([x, y, c]) => html`
          <circle
            cx=${across(x)}
            cy=${up(y)}
            r="3.5"
            fill=${c > 0 ? "var(--plus)" : "var(--minus)"}
            stroke="var(--paper)"
            stroke-width="1.2"
          />
        `,
      )}
  <//>
`;

/** The choices in the address: the data, the units of the hidden layers, the start and the learning rate. */
const chosen = () => {
  const { data, shape = "4,2", seed = 1, eta = 0.1 } = place.value;
  return {
    kind: DATA[data] ? data : "xor",
    shape: shape
      .split(",")
      .map(Number)
      .filter((n) => n > 0 && n <= 8)
      .slice(0, 6),
    seed: Number(seed),
    rate: Number(eta),
  };
};

/** {key, net, points, passes}: the network and the points that it learns from; new ones when the choices change. */
const useNetwork = ({ kind, shape, seed }) => {
  const key = `${kind}/${shape}/${seed}`;
  const known = useRef({ key: "" });
  if (known.current.key !== key) {
    const r = dice(seed + 7);
    known.current = {
      key,
      net: new Network([2, ...shape, 1], seed),
      points: Array.from({ length: POINTS }, () => DATA[kind](r)),
      passes: 0,
    };
  }
  return known.current;
};

/** Learns and paints, frame by frame, while it is going. columns, output, figures: the elements that are painted. */
const useLearning = (known, { shape, rate }, going, { columns, output, figures }) => {
  const painter = useRef(new Painter());
  const { key, net, points } = known;
  const tell = () => {
    const { passes, learned, right } = figures.current;
    if (!passes) return;
    passes.textContent = count(known.passes);
    learned.textContent = percent(net.right(points, 0, LEARNED));
    right.textContent = percent(net.right(points, LEARNED, POINTS));
  };
  const paint = (side) => painter.current.paint(net, side, columns.current.slice(0, shape.length), output.current);
  const still = () => paint(FINE);
  useEffect(() => {
    columns.current.slice(0, shape.length).forEach((canvas, k) => sharp(canvas, UNIT, shape[k] * (UNIT + GAP) - GAP));
    tell();
    if (!going) return still();
    const side = Math.max(32, Math.min(96, Math.round(Math.sqrt(VALUES / net.units))));
    let frame = 0,
      told = 0;
    const step = (now) => {
      for (let k = 0; k < LEARNED; k++) net.learn(points[k], rate);
      known.passes += 1;
      paint(side);
      if (now - told > CALM) ((told = now), tell());
      frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
    return () => {
      cancelAnimationFrame(frame);
      still();
      tell();
    };
  }, [going, rate, key, theme.value, language.value]);
  return still;
};

const Controls = ({ chosen: { kind, shape, seed, rate }, layers, going, play }) => html`
  <div class="row">
    ${Object.keys(DATA).map(
      (each) => html`
        <button aria-pressed=${each === kind} onClick=${() => go({ data: each })}>
          ${t(`learn.data.${each}`)}
        </button>
      `,
    )}
  </div>
  <div class="row">
    <button onClick=${() => play(!going)}>${going ? t("learn.pause") : t("learn.start")}</button>
    <button onClick=${() => go({ seed: String(seed + 1) })}>${t("learn.again")}</button>
    <label>
      ${t("learn.rate")}${" "}
      <select value=${String(rate)} onChange=${(event) => go({ eta: event.target.value })}>
        ${[0.01, 0.03, 0.1, 0.3].map((v) => html`<option value=${String(v)}>${number(v)}</option>`)}
      </select>
    </label>
    <button disabled=${shape.length >= 6} onClick=${() => layers([...shape, 4])}>${t("learn.more")}</button>
    <button disabled=${shape.length <= 1} onClick=${() => layers(shape.slice(0, -1))}>
      ${t("learn.less")}
    </button>
  </div>
`;

const FIGURES = { passes: "learn.passes", learned: "learn.right_train", right: "learn.right_test" };

/** Empty: `tell` writes into them. */
const Figures = ({ figures }) => html`
  <dl class="figures">
    ${Object.entries(FIGURES).map(
      ([id, name]) => html`
        <div>
          <dt>${t(name)}</dt>
          <dd id=${id} ref=${(element) => (figures.current[id] = element)}></dd>
        </div>
      `,
    )}
  </dl>
`;

export default () => {
  const wanted = chosen();
  const { shape } = wanted;
  const [going, play] = useState(false);
  const columns = useRef([]);
  const output = useRef(null);
  const figures = useRef({});
  const known = useNetwork(wanted);
  const still = useLearning(known, wanted, going, { columns, output, figures });
  const layers = (next) => go({ shape: next.join(",") });
  return html`
    <${Controls} chosen=${wanted} layers=${layers} going=${going} play=${play} />
    <${Figures} figures=${figures} />
    <div class="layers">
      ${shape.map(
        (n, k) => html`<${LayerOf} key=${k} shape=${shape} columns=${columns} layers=${layers} n=${n} k=${k} />`,
      )}
      <div style="flex: 1; min-width: 14rem; max-width: 30rem">
        <p class="small">${t("learn.output")}</p>
        <${Ground} of=${known.key} output=${output} points=${known.points} still=${still} />
        <${Scale} most=${1} />
      </div>
    </div>
  `;
};
