// One number of the network, taken apart: what it saw, times its weights, summed; the next operations; the classes that
// it supports.
import { html, useEffect } from "../html.js";
import { alone, keyboard, place, link, go, looked, lookedAt } from "../state.js";
import { t, number, fixed, count, tiny } from "../i18n.js";
import { ask, path } from "../api.js";
import { MOVES } from "../keys.js";
import { useFetched, Fetched } from "../use_fetched.js";
import { Framed } from "../color_scale.js";
import { Chain, LayerChoice, useKey } from "./layer.js";
import { Terms } from "./unit/terms.js";
import { Strongest, Maximised } from "./unit/images.js";
import { Effect } from "./unit/effect.js";

export default () => {
  const { run, c, y, x } = place.value;
  const { value: key, error } = useKey(run);
  const at = c === undefined ? {} : { channel: Number(c), y: Number(y ?? 0), x: Number(x ?? 0) };
  const state = useFetched(
    () => (key === undefined ? new Promise(() => {}) : ask(run, "unit", { ...looked(), key, ...at })),
    [run, key, lookedAt(), at.channel, at.y, at.x],
    { keep: true },
  );
  return html`
    ${
      key !== undefined &&
      html`
        <${Chain}
          key_=${key}
          unit=${state.value ? t("unit.place", { c: state.value.channel, y: state.value.y, x: state.value.x }) : "…"}
        />
        <${LayerChoice} run=${run} key_=${key} />
      `
    }
    <${Fetched} state=${key === undefined && error ? { error } : state}>
      ${(unit) => html`<${Unit} run=${run} unit=${unit} />`}
    <//>
  `;
};

/**
 * Go to another channel, row and column, by these differences from the present place, which neither the drawing nor the
 * listeners may have caught up with.
 */
const moveFrom = (unit, [dc, dy, dx]) => {
  const { shape } = unit;
  const [channels, height, width] = shape.length < 3 ? [shape.at(-1), shape.length > 1 ? shape[0] : 1, 1] : shape;
  const { c = unit.channel, y = unit.y, x = unit.x } = place.value;
  go(
    {
      c: (Number(c) + dc + channels) % channels,
      y: (Number(y) + dy + height) % height,
      x: (Number(x) + dx + width) % width,
    },
    { replace: true },
  );
};

/** The keys of the whole page, except for those pressed in a field. */
const useKeys = (unit) =>
  useEffect(() => {
    const press = (event) => {
      if (
        !MOVES[event.key] ||
        event.altKey ||
        event.ctrlKey ||
        event.metaKey ||
        /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)
      )
        return;
      event.preventDefault();
      moveFrom(unit, MOVES[event.key]);
    };
    const heard = keyboard();
    heard.addEventListener("keydown", press);
    return () => heard.removeEventListener("keydown", press);
  });

const Moves = ({ unit }) => {
  const by =
    (...steps) =>
    () =>
      moveFrom(unit, steps);
  return html`
    <div class="row" role="group" aria-label=${t("unit.move")}>
      ${
        unit.shape.length >= 3 &&
        html`
          <button onClick=${by(0, -1, 0)} aria-label=${t("unit.up")}>↑</button>
          <button onClick=${by(0, 1, 0)} aria-label=${t("unit.down")}>↓</button>
          <button onClick=${by(0, 0, -1)} aria-label=${t("unit.left")}>←</button>
          <button onClick=${by(0, 0, 1)} aria-label=${t("unit.right")}>→</button>
        `
      }
      <button onClick=${by(-1, 0, 0)}>${t("unit.before")}</button>
      <button onClick=${by(1, 0, 0)}>${t("unit.next")}</button>
      <span class="small">${t("unit.keys")}</span>
    </div>
  `;
};

const Claim = ({ unit: { kind, bias, value, terms, rule } }) => html`
  <h1>
    ${t(`unit.claim.${kind}${kind === "products" && bias ? ".bias" : ""}`, {
      value: number(value, 4),
      n: count(terms),
      rule: t(`rule.${rule}`) === `rule.${rule}` ? rule : t(`rule.${rule}`),
    })}
  </h1>
`;

const Parts = ({ parts }) => html`
  <h2>${t("unit.parts")}</h2>
  <table class="written">
    ${Object.entries(parts).map(
      ([name, value]) => html`
        <tr>
          <td></td>
          <td>${fixed(value, 4)}</td>
          <td>${name}</td>
        </tr>
      `,
    )}
  </table>
`;

const Unit = ({ run, unit }) => {
  useKeys(unit);
  return html`
    <${Claim} unit=${unit} />
    <${Moves} unit=${unit} />
    <div class="two">
      <div>
        ${unit.kind !== "opaque" && html`<${Terms} unit=${unit} run=${run} />`}
        <${Written} unit=${unit} />
        ${Object.keys(unit.parts).length > 0 && html`<${Parts} parts=${unit.parts} />`}
        <${Effect} key=${`${unit.key} ${unit.channel}`} run=${run} unit=${unit} />
      </div>
      <div>
        <h2>${t("unit.sees")}</h2>
        <${Seen} run=${run} unit=${unit} />
        <h2>${t("unit.votes")}</h2>
        <p class="small">${t("unit.votes_read")}</p>
        <${Votes} votes=${unit.votes} />
        ${!alone && html`<${Strongest} run=${run} unit=${unit} />`}
        <${Maximised} run=${run} unit=${unit} />
      </div>
    </div>
  `;
};

const Seen = ({ run, unit }) => {
  const [top, left, bottom, right] = unit.box;
  return html`
    <${Framed} src=${path(run, "/look/picture", looked())} box=${unit.box} label=${t("unit.input")} />
    <p class="small">
      <span class=${`badge ${unit.status === "EXACT" ? "ok" : unit.status === "BOUND" ? "unknown" : "warn"}`}>
        ${unit.status}
      </span>${" "}
      ${t(`unit.${unit.status}`, { top, left, bottom: bottom - 1, right: right - 1 })}
    </p>
  `;
};

const Written = ({ unit }) => html`
  <h2>${t("unit.sum_head")}</h2>
  <table class="written">
    ${
      unit.kind === "products" &&
      html`
        <tr>
          <td></td>
          <td>${fixed(unit.value - unit.bias, 6)}</td>
          <td>${t("unit.sum_of", { n: count(unit.terms) })}</td>
        </tr>
        ${
          unit.bias !== 0 &&
          html`
            <tr>
              <td>${unit.bias < 0 ? "−" : "+"}</td>
              <td>${fixed(Math.abs(unit.bias), 6)}</td>
              <td>${t("unit.bias")}</td>
            </tr>
          `
        }
      `
    }
    <tr class="line">
      <td>=</td>
      <td>${fixed(unit.value, 6)}</td>
      <td>${t("unit.value")}</td>
    </tr>
    <tr>
      <td></td>
      <td>${fixed(unit.torch, 6)}</td>
      <td>
        ${t("unit.torch")}${" "}
        ${
          unit.kind === "opaque"
            ? html`<span class="badge warn">OPAQUE</span>`
            : html`
              <span class=${`badge ${unit.agrees ? "ok" : "bad"}`}>
                ${unit.agrees ? t("unit.agrees") : t("unit.differs")}
              </span>${" "}
              ${t("unit.residual", { value: tiny(unit.residual), most: tiny(unit.tolerance) })}
            `
        }
      </td>
    </tr>
    ${unit.after.map(
      (after) => html`
        <tr>
          <td>→</td>
          <td>${fixed(after.value, 6)}</td>
          <td><a href=${link({ page: "unit", key: after.layer })}>${after.layer}</a> (${after.name})</td>
        </tr>
      `,
    )}
  </table>
`;

const Votes = ({ votes }) => {
  const scale = Math.max(...votes.map(({ slope }) => Math.abs(slope)));
  if (!scale) return html`<p class="small">${t("unit.silent")}</p>`;
  return html`
    <table>
      <tbody>
        ${votes.map(
          (vote) => html`
            <tr>
              <td>${vote.class}</td>
              <td class="n">${number(vote.slope, 2)}</td>
              <td>
                <span
                  class=${`beam ${vote.slope < 0 ? "minus" : "plus"}`}
                  style=${`width: ${(6 * Math.abs(vote.slope)) / scale}rem`}
                ></span>
              </td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  `;
};
