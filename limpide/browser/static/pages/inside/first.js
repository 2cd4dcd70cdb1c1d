// The first layer: the image, its maps, and any place of any map as a sum.
import { html, useLayoutEffect, useMemo, useRef, useState } from "../../html.js";
import { t as say, count, number } from "../../i18n.js";
import { MOVES } from "../../keys.js";
import { Plane, Scale, most } from "../../color_scale.js";
import { stepsOf, unitOf } from "../../arithmetic.js";
import { added, among, plain, Written } from "./shared.js";
import { DRAWN, Terms } from "./terms.js";

/** The data drawn for a layer at every place: the same arrays, so that only a map that changes is painted again. */
const drawnOf = (first) => {
  const [channels, height, width] = first.output.shape;
  const size = height * width;
  return {
    first,
    channels,
    height,
    width,
    flat: size === 1, // a linear layer, drawn as a convolution whose kernel is as large as the image
    maps: first.channels.map((_, k) => first.output.values.subarray(k * size, (k + 1) * size)),
    scale: most(first.output.values),
    weights: first.channels.map((_, k) => weightsOf(first, k)),
    heaviest: most(first.weight.values),
  };
};

/** The current place, {at: [c, y, x], set, move}: at first that of the still page, if it exists here. */
const usePlace = ({ first, channels, height, width }, begin) => {
  const known = begin.layer === first.name ? first.channels.indexOf(begin.channel) : -1;
  const [at, set] = useState(
    known < 0 || begin.y >= height || begin.x >= width ? [0, height >> 1, width >> 1] : [known, begin.y, begin.x],
  );
  const [c, y, x] = at;
  const move = (dc, dy, dx) =>
    set([(c + dc + channels) % channels, (y + dy + height) % height, (x + dx + width) % width]);
  return { at, set, move };
};

// The section's own sentence, which Python wrote (interpret/unit.py): it now describes the unit shown, from the same
// frame on.
const useClaim = ({ first, flat }, [c, y, x], unit) =>
  useLayoutEffect(() => {
    const claim = document.querySelector("#inside > .claim");
    if (claim)
      claim.textContent = say(flat ? "inside.unit.claim" : "inside.place.claim", {
        n: first.channels[c],
        layer: first.name,
        y,
        x,
        terms: count(unit.products.length),
        value: number(unit.value),
      });
  }, [unit]);

const Entry = ({ drawn, place, k }) => {
  const { first, height, width, flat, maps, weights, scale, heaviest } = drawn;
  const { at, set } = place;
  const [c, y, x] = at;
  const n = first.channels[k];
  return html`
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
            label=${say("inside.channel", { n })}
            className="place"
            onClick=${(row, column) => set([k, row, column])}
          />
        `
      }
      <button tabindex=${k === c ? 0 : -1} aria-pressed=${String(k === c)} onClick=${() => set([k, y, x])}>
        <span class="unseen">${say(flat ? "inside.unit" : "inside.channel", { n })}</span>
        <span aria-hidden="true">${n}</span>
        <span>${plain(maps[k][y * width + x], 2)}</span>
      </button>
    </div>
  `;
};

/** The kernels of all channels: a group of buttons with one stop of the tab key. */
const Entries = ({ drawn, place }) => {
  const { first, channels, flat } = drawn;
  const [c, y, x] = place.at;
  const all =
    channels === first.outputs
      ? say(flat ? "inside.units" : "inside.channels")
      : say(flat ? "inside.units.strongest" : "inside.channels.strongest", {
          n: channels,
          of: count(first.outputs),
        });
  return html`
    <h3>${all}</h3>
    <p class="small">${say(flat ? "inside.below.units" : "inside.below")}</p>
    <div class="maps" role="group" aria-label=${all} onKeyDown=${among(c, channels, (k) => place.set([k, y, x]))}>
      ${first.channels.map((name, k) => html`<${Entry} key=${name} drawn=${drawn} place=${place} k=${k} />`)}
    </div>
  `;
};

const Kernel = ({ drawn: { first, weights, heaviest }, c }) => {
  const label = say("inside.weights_of", { n: first.channels[c], layer: first.name });
  return html`
    <figure>
      <${Weights} planes=${weights[c]} first=${first} scale=${heaviest} label=${label} />
      <${Scale} most=${heaviest} />
      <figcaption>${label}</figcaption>
    </figure>
  `;
};

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

const STEPS = [
  ["←", "inside.left", "ArrowLeft"],
  ["↑", "inside.up", "ArrowUp"],
  ["↓", "inside.down", "ArrowDown"],
  ["→", "inside.right", "ArrowRight"],
];

/** The map of the channel, on which the user moves from place to place. */
const PlaceMap = ({ drawn: { first, height, width, maps, scale }, place: { at, set, move } }) => {
  const [c, y, x] = at;
  const n = first.channels[c];
  const press = (event) => {
    if (!MOVES[event.key]) return;
    event.preventDefault();
    move(...MOVES[event.key]);
  };
  return html`
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
        ${STEPS.map(
          ([sign, name, key]) => html`
            <button aria-label=${say(name)} onClick=${() => move(...MOVES[key])}>${sign}</button>
          `,
        )}
        <span class="small" id="inside-keys">${say("inside.keys")}</span>
      </div>
    </figure>
  `;
};

export const First = ({ first, begin, mean, std }) => {
  const drawn = useMemo(() => drawnOf(first), []);
  const place = usePlace(drawn, begin);
  const [c, y, x] = place.at;
  const unit = useMemo(() => unitOf(first, c, y, x), [c, y, x]);
  useClaim(drawn, place.at, unit);
  const { flat } = drawn;
  const n = first.channels[c];
  return html`
    <p class="read">
      ${say(first.bias.values.some(Boolean) ? "inside.intro" : "inside.intro.no_bias")}${" "}
      ${say(flat ? "inside.click.unit" : "inside.click.place")}
    </p>
    <div class="looks">
      <${Seen} first=${first} mean=${mean} std=${std} flat=${flat} unit=${unit} />
      ${flat ? html`<${Kernel} drawn=${drawn} c=${c} />` : html`<${PlaceMap} drawn=${drawn} place=${place} />`}
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
    <${Entries} drawn=${drawn} place=${place} />
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

// Centred on its place, so that it can be larger than that where a pixel is too small to see.
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

/** From normalised numbers back to colours. */
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
