// What a unit saw, times its weights: a kernel channel by channel, anything else as a list.
import { html, useState } from "../../html.js";
import { link } from "../../state.js";
import { t, fixed, count } from "../../i18n.js";
import { signed, cell, most } from "../../color_scale.js";

const down = (unit, k) => {
  const source = unit.sources[k];
  if (source < 0 || !unit.places[k].length) return null;
  const [c, y, x] = unit.places[k];
  return link({ page: "unit", key: unit.names[source], c, y, x });
};

/** One place of a kernel: a number, and a link to the unit that it came from. */
const Cell = ({ unit, products, values, scale, i, at, hover }) => {
  const padded = unit.sources[i] === -2;
  const to = down(unit, i);
  const style = cell(signed(values[i], scale));
  const text = padded ? "·" : fixed(values[i], 2);
  const label = padded
    ? t("unit.padding")
    : `${fixed(unit.values[i], 4)} × ${fixed(unit.weights[i], 4)} = ${fixed(products[i], 5)}`;
  return to
    ? html`
      <a
        class=${`cell ${at === i ? "at" : ""}`}
        style=${style + "; text-decoration: none"}
        href=${to}
        title=${label}
        onMouseEnter=${() => hover(i)}
        onFocus=${() => hover(i)}
      >
        ${text}
      </a>
    `
    : html`
      <span
        class=${`cell ${at === i ? "at" : ""}`}
        style=${style}
        title=${label}
        onMouseEnter=${() => hover(i)}
      >
        ${text}
      </span>
    `;
};

/** The sources of the numbers of this unit's channels: a kernel of a group sees some channels of the layer before. */
const channelsOf = (unit, products) => {
  const [channels, height, width] = unit.grid;
  const size = height * width;
  const sums = Array.from({ length: channels }, (_, c) =>
    products.slice(c * size, (c + 1) * size).reduce((a, b) => a + b, 0),
  );
  const named = Array.from(
    { length: channels },
    (_, c) =>
      unit.places[Array.from({ length: size }, (_, k) => c * size + k).find((i) => unit.sources[i] !== -2)]?.[0] ?? c,
  );
  const shown = Array.from({ length: channels }, (_, c) => c)
    .sort((a, b) => Math.abs(sums[b]) - Math.abs(sums[a]))
    .slice(0, 3)
    .sort((a, b) => a - b);
  return { channels, size, sums, named, shown };
};

const Channels = ({ channels, sums, named }) => html`
  <details>
    <summary>${t("unit.all_channels", { n: channels })}</summary>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>${t("unit.channel_head")}</th>
            <th class="n">${t("unit.sum")}</th>
          </tr>
        </thead>
        <tbody>
          ${sums.map(
            (sum, c) => html`
              <tr>
                <td>${named[c]}</td>
                <td class="n">${fixed(sum, 5)}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  </details>
`;

// patch ⊙ kernel = products, channel by channel; of many channels, those that matter most.
const Kernel = ({ unit, products }) => {
  const [at, hover] = useState(null);
  const { channels, size, sums, named, shown } = channelsOf(unit, products);
  const grid = (title, values, c) => {
    const scale = most(values) || 1;
    return html`
      <figure>
        <div class="grid" style=${`grid-template-columns: repeat(${unit.grid[2]}, auto)`}>
          ${Array.from(
            { length: size },
            (_, k) => html`
              <${Cell}
                unit=${unit}
                products=${products}
                values=${values}
                scale=${scale}
                i=${c * size + k}
                at=${at}
                hover=${hover}
              />
            `,
          )}
        </div>
        <figcaption>${title}</figcaption>
      </figure>
    `;
  };
  return html`
    ${shown.map(
      (c) => html`
        <h2>${t("unit.channel", { n: named[c] })}</h2>
        <div class="sum">
          ${grid(t("unit.patch"), unit.values, c)}
          <div class="term">
            <span>⊙</span>
            ${grid(t("unit.kernel"), unit.weights, c)}
          </div>
          <div class="term">
            <span>=</span>
            ${grid(t("unit.products"), products, c)}
          </div>
          <div class="term"><span>Σ ${fixed(sums[c], 4)}</span></div>
        </div>
      `,
    )}
    <p class="small" role="status">
      ${
        at === null
          ? t("unit.hover")
          : `${fixed(unit.values[at], 6)} × ${fixed(unit.weights[at], 6)} = ${fixed(products[at], 6)}`
      }
    </p>
    <p class="small">${at === null ? "" : t("unit.number", { n: at })} ${t("unit.colours")}</p>
    ${channels > 3 && html`<${Channels} channels=${channels} sums=${sums} named=${named} />`}
  `;
};

const Term = ({ unit, products, k, scale }) => html`
  <tr>
    <td>
      ${
        down(unit, k)
          ? html`<a href=${down(unit, k)}>${unit.names[unit.sources[k]]} [${unit.places[k].join(", ")}]</a>`
          : unit.sources[k] === -1
            ? t("unit.pixel", { place: unit.places[k].join(", ") })
            : t("unit.padding")
      }
    </td>
    <td class="n">${fixed(unit.values[k], 5)}</td>
    ${
      unit.kind === "products" &&
      html`
        <td class="n">${fixed(unit.weights[k], 5)}</td>
        <td class="n">${fixed(products[k], 5)}</td>
        <td>
          <span
            class=${`beam ${products[k] < 0 ? "minus" : "plus"}`}
            style=${`width: ${(5 * Math.abs(products[k])) / scale}rem`}
          ></span>
        </td>
      `
    }
  </tr>
`;

/** The largest of them, or all those over which a maximum was taken. */
const Largest = ({ unit, products }) => {
  const order = products
    .map((_, k) => k)
    .sort((a, b) =>
      unit.kind === "products" ? Math.abs(products[b]) - Math.abs(products[a]) : unit.values[b] - unit.values[a],
    )
    .slice(0, 25);
  const scale = most(products) || 1;
  return html`
    <h2>
      ${t(unit.kind === "products" ? "unit.largest" : "unit.inputs", {
        n: count(order.length),
        of: count(unit.terms),
      })}
    </h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>${t("unit.from")}</th>
            <th class="n">${t("unit.patch")}</th>
            ${
              unit.kind === "products" &&
              html`
                <th class="n">${t("unit.kernel")}</th>
                <th class="n">${t("unit.products")}</th>
                <th></th>
              `
            }
          </tr>
        </thead>
        <tbody>
          ${order.map((k) => html`<${Term} unit=${unit} products=${products} k=${k} scale=${scale} />`)}
        </tbody>
      </table>
    </div>
  `;
};

export const Terms = ({ unit }) => {
  const products = unit.values.map((value, k) => value * unit.weights[k]);
  const wide = unit.grid.length === 3 && unit.grid[1] * unit.grid[2] > 1 && unit.grid[2] <= 11;
  return wide
    ? html`<${Kernel} unit=${unit} products=${products} />`
    : html`<${Largest} unit=${unit} products=${products} />`;
};
