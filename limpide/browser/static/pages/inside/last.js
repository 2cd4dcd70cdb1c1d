// The last layer: the score of each class as a sum, with the evidence for it and against it.
import { html, useMemo, useState } from "../../html.js";
import { t as say, count } from "../../i18n.js";
import { most } from "../../color_scale.js";
import { scoreOf } from "../../arithmetic.js";
import { added, among, plain, Written } from "./shared.js";

const STRONGEST = 12;

const Scores = ({ names, logits, chosen, choose, shown }) => {
  const low = Math.min(0, ...logits);
  const high = Math.max(0, ...logits);
  // when a class beyond these is chosen, the first of them is still reachable
  const stop = Math.max(0, shown.indexOf(chosen));
  return html`
    <table class="scores">
      <tbody onKeyDown=${among(stop, shown.length, (k) => choose(shown[k]))}>
        ${shown.map(
          (k, place) => html`
            <tr key=${k}>
              <th scope="row">
                <button
                  tabindex=${place === stop ? 0 : -1}
                  aria-pressed=${String(k === chosen)}
                  onClick=${() => choose(k)}
                >
                  <bdi>${names[k]}</bdi>
                </button>
              </th>
              <td class="n">${plain(logits[k], 3)}</td>
              <td class="beams"><${Beam} value=${logits[k]} low=${low} high=${high} /></td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  `;
};

/** Any class, beyond those that are shown. */
const Choice = ({ names, order, chosen, choose }) => html`
  <p>
    <label class="small">
      ${say("inside.any")}${" "}
      <select value=${String(chosen)} onChange=${(event) => choose(Number(event.target.value))}>
        ${order.map((k) => html`<option value=${String(k)}>${names[k]}</option>`)}
      </select>
    </label>
  </p>
`;

const Products = ({ score, largest, places }) => html`
  <table class="weighed">
    <thead>
      <tr>
        <th scope="col">${say("inside.feature")}</th>
        <th scope="col" class="n">${say("inside.feature.value")}</th>
        <th scope="col" class="n">${say("inside.weight")}</th>
        <th scope="col" class="n">${say("inside.product")}</th>
        <th></th>
      </tr>
    </thead>
    <tbody>
      ${places.map(
        (k) => html`
          <tr>
            <th scope="row">${k}</th>
            <td class="n">${plain(score.values[k])}</td>
            <td class="n">${plain(score.weights[k])}</td>
            <td class="n">${plain(score.products[k])}</td>
            <td class="beams">
              <${Beam}
                value=${Math.abs(score.products[k])}
                high=${largest}
                minus=${score.products[k] < 0}
              />
            </td>
          </tr>
        `,
      )}
    </tbody>
  </table>
`;

/** The evidence for a class or against it. */
const Side = ({ score, places, title }) => html`
  <div>
    <h3>${title}</h3>
    ${
      !places.length
        ? html`<p class="small">${say("inside.nothing")}</p>`
        : html`
          <div class="scroll" tabindex="0" role="region" aria-label=${title}>
            <${Products} score=${score} largest=${most(score.products) || 1} places=${places} />
          </div>
        `
    }
  </div>
`;

/** The places of the largest products for a class, and of those against it. */
const sidesOf = ({ products }) => {
  const by = products.map((_, k) => k).sort((a, b) => products[b] - products[a]);
  const plus = by.filter((k) => products[k] > 0).slice(0, STRONGEST);
  const minus = by
    .reverse()
    .filter((k) => products[k] < 0)
    .slice(0, STRONGEST);
  return [plus, minus];
};

/** The score as a sum: the products shown on each side, the others together, the bias. */
const Sum = ({ score, plus, minus, name }) => {
  const total = (places) => places.reduce((sum, k) => sum + score.products[k], 0);
  return html`
    <${Written}
      lines=${[
        ["", plain(total(plus), 6), say("inside.for.strongest", { n: plus.length })],
        added(total(minus), say("inside.against.strongest", { n: minus.length })),
        added(score.sum - total(plus) - total(minus), say("inside.features.rest")),
        score.bias && added(score.bias, say("inside.bias.class")),
      ]}
      sum=${score}
      total=${say("inside.score", { name })}
    />
  `;
};

export const Last = ({ last, names }) => {
  const logits = last.logits.values;
  const order = useMemo(() => names.map((_, k) => k).sort((a, b) => logits[b] - logits[a]), []);
  const [chosen, choose] = useState(order[0]);
  const score = useMemo(() => scoreOf(last, chosen), [chosen]);
  const [plus, minus] = sidesOf(score);
  const shown = order.slice(0, STRONGEST);
  const name = names[chosen];
  return html`
    <h3>${say("inside.scores")}</h3>
    <p class="read">${say("inside.scores.read", { layer: last.name, n: count(score.values.length) })}</p>
    <${Scores} names=${names} logits=${logits} chosen=${chosen} choose=${choose} shown=${shown} />
    ${
      order.length > shown.length && html`<${Choice} names=${names} order=${order} chosen=${chosen} choose=${choose} />`
    }
    <p class="here" role="status">${say("inside.score", { name })} = ${plain(score.value)}</p>
    <div class="sides">
      <${Side} score=${score} places=${plus} title=${say("inside.for", { name })} />
      <${Side} score=${score} places=${minus} title=${say("inside.against", { name })} />
    </div>
    <${Sum} score=${score} plus=${plus} minus=${minus} name=${name} />
  `;
};

// Begins at zero, whose position depends on the range of all of them.
const Beam = ({ value, low = 0, high = 0, minus = value < 0 }) => {
  const part = (v) => `${(100 * v) / (high - low || 1)}%`;
  return html`
    <span
      class=${`beam ${minus ? "minus" : ""}`}
      style=${`margin-left: ${part(Math.min(value, 0) - low)}; width: ${part(Math.abs(value))}`}
    ></span>
  `;
};
