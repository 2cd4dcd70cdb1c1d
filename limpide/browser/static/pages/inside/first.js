// The first layer: the image, the maps that it becomes, and any place of any map as the sum that it is.
import { html, useLayoutEffect, useMemo, useRef, useState } from "../../html.js";
import { t as say, count, number } from "../../i18n.js";
import { Plane, Scale, most } from "../../color_scale.js";
import { stepsOf, unitOf } from "../../arithmetic.js";
import { added, among, plain, Written } from "./shared.js";
import { DRAWN, Terms } from "./terms.js";

const Entry = ({ first, height, width, flat, c, y, x, set, scale, heaviest, maps, weights, name, k }) => html`
  <div class=${`map places ${flat ? "flat" : ""}`}>
    <${Weights}
      planes=${weights[k]}
      first=${first}
      scale=${heaviest}
      label=${say("inside.weights")}
      onClick=${flat ? () => set([k, y, x]) : undefined}
    />
    ${
      !flat &&
      html`
        <${Plane}
          values=${maps[k]}
          height=${height}
          width=${width}
          scale=${scale}
          label=${say("inside.channel", { n: name })}
          className="place"
          onClick=${(row, column) => set([k, row, column])}
        />
      `
    }
    <button tabindex=${k === c ? 0 : -1} aria-pressed=${String(k === c)} onClick=${() => set([k, y, x])}>
      <span class="unseen">${say(flat ? "inside.unit" : "inside.channel", { n: name })}</span>
      <span aria-hidden="true">${name}</span>
      <span>${plain(maps[k][y * width + x], 2)}</span>
    </button>
  </div>
`;

const Kernel = ({ first, c, heaviest, n, weights }) => html`
  <figure>
    <${Weights}
      planes=${weights[c]}
      first=${first}
      scale=${heaviest}
      label=${say("inside.weights_of", { n, layer: first.name })}
    />
    <${Scale} most=${heaviest} />
    <figcaption>${say("inside.weights_of", { n, layer: first.name })}</figcaption>
  </figure>
`;

const Seen = ({ first, mean, std, flat, unit }) => html`
  <figure>
    <div class="over">
      <${Picture} input=${first.input} mean=${mean} std=${std} />
      ${!flat && html`<${Frame} box=${unit.box} of=${first.input.shape.slice(1)} />`}
    </div>
    <figcaption>
      ${say("inside.image", { side: count(first.input.shape[1]) })}
      ${
        !flat &&
        html`
          <br />
          ${say("inside.frame")}
        `
      }
    </figcaption>
  </figure>
`;

const PlaceMap = ({ first, height, width, c, y, x, set, scale, n, maps, press, arrow }) => html`
  <figure>
    <div
      class="over places"
      role="application"
      tabindex="0"
      id="inside-map"
      aria-label=${say("inside.map", { n, layer: first.name })}
      aria-describedby="inside-keys"
      onKeyDown=${press}
    >
      <${Plane}
        values=${maps[c]}
        height=${height}
        width=${width}
        scale=${scale}
        label=${say("inside.channel", { n })}
        onClick=${(row, column) => set([c, row, column])}
      />
      <${Frame} box=${[y, x, y + 1, x + 1]} of=${[height, width]} />
    </div>
    <${Scale} most=${scale} />
    <figcaption>${say("inside.map", { n, layer: first.name })}</figcaption>
    <div class="steps" role="group" aria-label=${say("inside.move")}>
      ${arrow("←", "inside.left", 0, 0, -1)}
      ${arrow("↑", "inside.up", 0, -1, 0)}
      ${arrow("↓", "inside.down", 0, 1, 0)}
      ${arrow("→", "inside.right", 0, 0, 1)}
      <span class="small" id="inside-keys">${say("inside.keys")}</span>
    </div>
  </figure>
`;

export const First = ({ first, begin, mean, std }) => {
  const [channels, height, width] = first.output.shape;
  const flat = height * width === 1; // a linear layer, drawn as a convolution whose kernel is as large as the image
  const known = begin.layer === first.name ? first.channels.indexOf(begin.channel) : -1;
  const [[c, y, x], set] = useState(
    known < 0 || begin.y >= height || begin.x >= width ? [0, height >> 1, width >> 1] : [known, begin.y, begin.x],
  );
  const unit = useMemo(() => unitOf(first, c, y, x), [c, y, x]);
  const scale = useMemo(() => most(first.output.values), []);
  const heaviest = useMemo(() => most(first.weight.values), []);
  const n = first.channels[c];
  const size = height * width;
  // The section's own sentence, which Python wrote (interpret/unit.py): it speaks of the unit that is shown now,
  // from the same frame on.
  useLayoutEffect(() => {
    const claim = document.querySelector("#inside > .claim");
    if (claim)
      claim.textContent = say(flat ? "inside.unit.claim" : "inside.place.claim", {
        n,
        layer: first.name,
        y,
        x,
        terms: count(unit.products.length),
        value: number(unit.value),
      });
  }, [unit]);
  // The same arrays at every step: only a map that changes is painted again.
  const maps = useMemo(() => first.channels.map((_, k) => first.output.values.subarray(k * size, (k + 1) * size)), []);
  const weights = useMemo(() => first.channels.map((_, k) => weightsOf(first, k)), []);
  const move = (dc, dy, dx) =>
    set([(c + dc + channels) % channels, (y + dy + height) % height, (x + dx + width) % width]);
  const keys = {
    ArrowUp: [0, -1, 0],
    ArrowDown: [0, 1, 0],
    ArrowLeft: [0, 0, -1],
    ArrowRight: [0, 0, 1],
    PageUp: [-1, 0, 0],
    PageDown: [1, 0, 0],
  };
  const press = (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    move(...keys[event.key]);
  };
  const all =
    channels === first.outputs
      ? say(flat ? "inside.units" : "inside.channels")
      : say(flat ? "inside.units.strongest" : "inside.channels.strongest", {
          n: channels,
          of: count(first.outputs),
        });
  const arrow = (sign, name, ...by) => html`
    <button aria-label=${say(name)} onClick=${() => move(...by)}>${sign}</button>
  `;
  return html`
    <p class="read">
      ${say(first.bias.values.some(Boolean) ? "inside.intro" : "inside.intro.no_bias")}${" "}
      ${say(flat ? "inside.click.unit" : "inside.click.place")}
    </p>
    <div class="looks">
      <${Seen} first=${first} mean=${mean} std=${std} flat=${flat} unit=${unit} />
      ${
        flat
          ? html`<${Kernel} first=${first} c=${c} heaviest=${heaviest} n=${n} weights=${weights} />`
          : html`
            <${PlaceMap}
              first=${first}
              height=${height}
              width=${width}
              c=${c}
              y=${y}
              x=${x}
              set=${set}
              scale=${scale}
              n=${n}
              maps=${maps}
              press=${press}
              arrow=${arrow}
            />
          `
      }
    </div>
    <p class="here" role="status">
      ${flat ? say("inside.unit", { n }) : say("inside.channel.place", { n, y, x })} = ${plain(unit.value)}
    </p>
    <${Terms} unit=${unit} channels=${first.input.shape[0]} />
    <${Written}
      lines=${[
        ["", plain(unit.sum, 6), say("inside.sum", { n: count(unit.products.length) })],
        unit.bias && added(unit.bias, say("inside.bias")),
      ]}
      sum=${unit}
      total=${say("inside.value")}
      after=${stepsOf(first, c, unit.value).map(stepWords)}
    />
    <h3>${all}</h3>
    <p class="small">${say(flat ? "inside.below.units" : "inside.below")}</p>
    <div class="maps" role="group" aria-label=${all} onKeyDown=${among(c, channels, (k) => set([k, y, x]))}>
      ${first.channels.map(
        (name, k) => html`
          <${Entry}
            key=${name}
            first=${first}
            height=${height}
            width=${width}
            flat=${flat}
            c=${c}
            y=${y}
            x=${x}
            set=${set}
            scale=${scale}
            heaviest=${heaviest}
            maps=${maps}
            weights=${weights}
            name=${name}
            k=${k}
          />
        `,
      )}
    </div>
  `;
};

// as in report/unit_grid.py
const NAMES = { batch_norm: "inside.batch_norm", relu: "ReLU", relu6: "ReLU6", silu: "SiLU" };
const stepWords = ({ layer, name, value }, k, all) => [
  plain(value, 6),
  say(k === all.length - 1 ? "inside.after.next" : "inside.after", {
    name: say(NAMES[name] ?? name),
    layer,
  }),
];

const weightsOf = ({ weight: { shape, values } }, k) => {
  const size = shape[2] * shape[3];
  return Array.from({ length: Math.min(DRAWN, shape[1]) }, (_, i) =>
    values.subarray((k * shape[1] + i) * size, (k * shape[1] + i + 1) * size),
  );
};

const Weights = ({ planes, first, scale, label, onClick }) => html`
  <div class="weights">
    ${planes.map(
      (values) => html`
        <${Plane}
          values=${values}
          height=${first.weight.shape[2]}
          width=${first.weight.shape[3]}
          scale=${scale}
          label=${label}
          onClick=${onClick}
        />
      `,
    )}
  </div>
`;

// Centred on what it marks, so that it can be larger than that where a pixel is too small to see.
const Frame = ({ box: [top, left, bottom, right], of: [height, width] }) => {
  const part = (value, whole) => `${(100 * value) / whole}%`;
  const middle = `top: ${part((top + bottom) / 2, height)}; left: ${part((left + right) / 2, width)}`;
  return html`
    <span
      class="frame"
      style=${`${middle}; height: ${part(bottom - top, height)}; width: ${part(right - left, width)}`}
    ></span>
  `;
};

/** Back from normalised numbers to colours. */
const Picture = ({
  input: {
    shape: [channels, height, width],
    values,
  },
  mean,
  std,
}) => {
  const canvas = useRef(null);
  useLayoutEffect(() => {
    const context = canvas.current.getContext("2d");
    const pixels = context.createImageData(width, height);
    for (let k = 0; k < height * width; k++) {
      for (let i = 0; i < 3; i++) {
        const from = i % channels; // one channel is grey
        pixels.data[4 * k + i] = values[from * height * width + k] * std[from % std.length] + mean[from % mean.length];
      }
      pixels.data[4 * k + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
  }, []);
  return html`
    <canvas
      ref=${canvas}
      width=${width}
      height=${height}
      class=${width > 100 ? "smooth" : ""}
      role="img"
      aria-label=${say("inside.image", { side: height })}
    ></canvas>
  `;
};
