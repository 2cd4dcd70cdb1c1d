// A unit of the first layer: patch × kernel = products, channel by channel.
import { html } from "../../html.js";
import { t as say } from "../../i18n.js";
import { Plane, Scale, signed, cell, most } from "../../color_scale.js";
import { digitsFor, plain } from "./shared.js";

export const DRAWN = 3; // input channels
const READABLE = 7; // cells of a kernel's side that can be read as numbers
const LISTED = 12;
const COLOURS = ["inside.red", "inside.green", "inside.blue"];

const Sum = ({ unit, grid, i }) => html`
  <div class="sum">
    ${grid(say("inside.sees"), unit.values, i)}
    <div class="term">
      <span class="sign">×</span>
      ${grid(say("inside.weights"), unit.weights, i)}
    </div>
    <div class="term">
      <span class="sign">=</span>
      ${grid(say("inside.products"), unit.products, i)}
    </div>
    <div class="term">
      <span class="sign">→</span>
      <p class="total">
        <span class="small">${say("inside.adds_up")}</span> <b>${plain(unit.sums[i])}</b>
      </p>
    </div>
  </div>
`;

// patch × kernel = products: the input channels that matter most, as numbers where these are readable.
export const Terms = ({ unit, channels }) => {
  const named = (i) => `${say("inside.input", { n: i })}${channels === 3 ? ` (${say(COLOURS[i])})` : ""}`;
  const [into, height, width] = unit.grid;
  const size = height * width;
  const shown = unit.sums
    .map((_, i) => i)
    .sort((a, b) => Math.abs(unit.sums[b]) - Math.abs(unit.sums[a]))
    .slice(0, DRAWN)
    .sort((a, b) => a - b);
  const rest = unit.sums.reduce((sum, value, i) => (shown.includes(i) ? sum : sum + value), 0);
  const readable = height <= READABLE && width <= READABLE;
  const grid = (title, values, i) => {
    const plane = values.slice(i * size, (i + 1) * size);
    const scale = most(values) || 1;
    if (!readable)
      return html`
        <figure class="plane">
          <${Plane} values=${plane} height=${height} width=${width} scale=${scale} label=${title} />
          <${Scale} most=${scale} />
          <figcaption>${title}</figcaption>
        </figure>
      `;
    const one = (v) => {
      const outside = !unit.inside[i * size + v] && values !== unit.weights;
      return html`
        <td style=${cell(signed(plane[v], scale))} title=${outside ? say("inside.outside") : null}>
          ${outside ? "·" : plain(plane[v], digitsFor(scale))}
        </td>
      `;
    };
    return html`
      <table class="grid">
        <caption>${title}</caption>
        <tbody>
          ${Array.from(
            { length: height },
            (_, u) => html`<tr>${Array.from({ length: width }, (_, v) => one(u * width + v))}</tr>`,
          )}
        </tbody>
      </table>
    `;
  };
  return html`
    ${shown.map(
      (i) => html`
        <div class="scroll" tabindex="0" role="region" aria-label=${named(unit.from + i)}>
          ${into > 1 && html`<p class="small">${named(unit.from + i)}</p>`}
          <${Sum} unit=${unit} grid=${grid} i=${i} />
        </div>
      `,
    )}
    ${into > DRAWN && html`<p class="small">${say("inside.rest", { n: into - DRAWN })}: ${plain(rest)}</p>`}
    ${!readable && html`<${Largest} unit=${unit} />`}
  `;
};

const Largest = ({ unit }) => {
  const [, height, width] = unit.grid;
  const order = unit.products
    .map((_, k) => k)
    .sort((a, b) => Math.abs(unit.products[b]) - Math.abs(unit.products[a]))
    .slice(0, LISTED);
  const place = (k) =>
    [unit.from + Math.floor(k / (height * width)), Math.floor(k / width) % height, k % width].join(", ");
  return html`
    <details>
      <summary>${say("inside.largest")}</summary>
      <div class="scroll" tabindex="0" role="region" aria-label=${say("inside.largest")}>
        <table class="weighed">
          <thead>
            <tr>
              <th scope="col">${say("inside.place_of")}</th>
              <th scope="col" class="n">${say("inside.sees")}</th>
              <th scope="col" class="n">${say("inside.weights")}</th>
              <th scope="col" class="n">${say("inside.product")}</th>
            </tr>
          </thead>
          <tbody>
            ${order.map(
              (k) => html`
                <tr>
                  <td>${place(k)}</td>
                  <td class="n">${plain(unit.values[k])}</td>
                  <td class="n">${plain(unit.weights[k])}</td>
                  <td class="n">${plain(unit.products[k])}</td>
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
    </details>
  `;
};
