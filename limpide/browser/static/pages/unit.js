// One number of the network, taken apart: what it saw, times its weights, summed; what becomes of it; what it speaks
// for.
import { html, useState, useEffect } from "../html.js";
import { alone, keyboard, place, link, go, snapshot, looked, lookedAt, other } from "../state.js";
import { t, number, fixed, percent, count, tiny } from "../i18n.js";
import { ask, path, picture } from "../api.js";
import { useFetched, Fetched } from "../use_fetched.js";
import { signed, cell, most, Framed } from "../color_scale.js";
import { Chain, LayerChoice, useKey } from "./layer.js";

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

const Unit = ({ run, unit }) => {
  const flat = unit.shape.length < 3;
  const [channels, height, width] = flat
    ? [unit.shape.at(-1), unit.shape.length > 1 ? unit.shape[0] : 1, 1]
    : unit.shape;
  // From where we are at this moment, which neither what is drawn nor what listens may have caught up with.
  const move = (dc, dy, dx) => {
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
  useEffect(() => {
    const keys = {
      ArrowUp: [0, -1, 0],
      ArrowDown: [0, 1, 0],
      ArrowLeft: [0, 0, -1],
      ArrowRight: [0, 0, 1],
      PageUp: [-1, 0, 0],
      PageDown: [1, 0, 0],
    };
    const press = (event) => {
      if (
        !keys[event.key] ||
        event.altKey ||
        event.ctrlKey ||
        event.metaKey ||
        /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)
      )
        return;
      event.preventDefault();
      move(...keys[event.key]);
    };
    const heard = keyboard();
    heard.addEventListener("keydown", press);
    return () => heard.removeEventListener("keydown", press);
  });
  return html`
    <h1>
      ${t(`unit.claim.${unit.kind}${unit.kind === "products" && unit.bias ? ".bias" : ""}`, {
        value: number(unit.value, 4),
        n: count(unit.terms),
        rule: t(`rule.${unit.rule}`) === `rule.${unit.rule}` ? unit.rule : t(`rule.${unit.rule}`),
      })}
    </h1>
    <div class="row" role="group" aria-label=${t("unit.move")}>
      ${
        !flat &&
        html`
          <button onClick=${() => move(0, -1, 0)} aria-label=${t("unit.up")}>↑</button>
          <button onClick=${() => move(0, 1, 0)} aria-label=${t("unit.down")}>↓</button>
          <button onClick=${() => move(0, 0, -1)} aria-label=${t("unit.left")}>←</button>
          <button onClick=${() => move(0, 0, 1)} aria-label=${t("unit.right")}>→</button>
        `
      }
      <button onClick=${() => move(-1, 0, 0)}>${t("unit.before")}</button>
      <button onClick=${() => move(1, 0, 0)}>${t("unit.next")}</button>
      <span class="small">${t("unit.keys")}</span>
    </div>
    <div class="two">
      <div>
        ${unit.kind !== "opaque" && html`<${Terms} unit=${unit} run=${run} />`}
        <${Written} unit=${unit} />
        ${
          Object.keys(unit.parts).length > 0 &&
          html`
            <h2>${t("unit.parts")}</h2>
            <table class="written">
              ${Object.entries(unit.parts).map(
                ([name, value]) => html`
                  <tr>
                    <td></td>
                    <td>${fixed(value, 4)}</td>
                    <td>${name}</td>
                  </tr>
                `,
              )}
            </table>
          `
        }
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

const down = (unit, k) => {
  const source = unit.sources[k];
  if (source < 0 || !unit.places[k].length) return null;
  const [c, y, x] = unit.places[k];
  return link({ page: "unit", key: unit.names[source], c, y, x });
};

// patch ⊙ kernel = products, channel by channel; of many channels the ones that matter most.
const Terms = ({ unit }) => {
  const [at, hover] = useState(null);
  const products = unit.values.map((value, k) => value * unit.weights[k]);
  const wide = unit.grid.length === 3 && unit.grid[1] * unit.grid[2] > 1 && unit.grid[2] <= 11;
  if (wide) {
    const [channels, height, width] = unit.grid;
    const size = height * width;
    const sums = Array.from({ length: channels }, (_, c) =>
      products.slice(c * size, (c + 1) * size).reduce((a, b) => a + b, 0),
    );
    // A kernel of a group sees some channels of the layer before: which, its places say.
    const named = Array.from(
      { length: channels },
      (_, c) =>
        unit.places[Array.from({ length: size }, (_, k) => c * size + k).find((i) => unit.sources[i] !== -2)]?.[0] ?? c,
    );
    const shown = Array.from({ length: channels }, (_, c) => c)
      .sort((a, b) => Math.abs(sums[b]) - Math.abs(sums[a]))
      .slice(0, 3)
      .sort((a, b) => a - b);
    const grid = (title, values, c) => {
      const scale = most(values) || 1;
      return html`
        <figure>
          <div class="grid" style=${`grid-template-columns: repeat(${width}, auto)`}>
            ${Array.from({ length: size }, (_, k) => {
              const i = c * size + k;
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
            })}
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
      ${
        channels > 3 &&
        html`
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
        `
      }
    `;
  }
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
          ${order.map(
            (k) => html`
              <tr>
                <td>
                  ${
                    down(unit, k)
                      ? html`
                        <a href=${down(unit, k)}>
                          ${unit.names[unit.sources[k]]} [${unit.places[k].join(", ")}]
                        </a>
                      `
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
            `,
          )}
        </tbody>
      </table>
    </div>
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

const Strongest = ({ run, unit }) => {
  const [asked, askFor] = useState(0);
  const state = useFetched(
    () =>
      asked
        ? ask(run, "strongest", {
            snapshot: snapshot(),
            key: unit.key,
            channel: unit.channel,
            among: asked === 16 ? undefined : asked,
          })
        : Promise.resolve(null),
    [run, asked, unit.key, unit.channel, snapshot()],
  );
  const name = (one) => (one.row === undefined ? `probe-${one.probe}` : `row-${one.row}`);
  const choice = html`
    <div class="row">
      <button aria-pressed=${asked === 16} onClick=${() => askFor(16)}>${t("unit.find")}</button>
      <button aria-pressed=${asked === 200} onClick=${() => askFor(200)}>${t("unit.find_data")}</button>
    </div>
  `;
  return html`
    <h2>${t("unit.strongest")}</h2>
    ${choice}
    ${
      asked > 0 &&
      html`
        <${Fetched} state=${state} doing=${t("many.doing")}>
          ${(found) =>
            found &&
            html`
              <p class="small">${t("unit.among", { n: count(found.among) })}</p>
              <div class="probes">
                ${found.top.map(
                  (one) => html`
                    <a
                      class="probe"
                      style="text-decoration: none"
                      href=${link({ ...other(name(one)), y: one.y, x: one.x })}
                    >
                      <img
                        alt=${one.row === undefined ? t("probe", { n: one.probe + 1 }) : t("row", { n: one.row + 1 })}
                        src=${path(run, "/look/picture", { image: name(one), snapshot: snapshot() })}
                      />
                      ${number(one.value)}
                    </a>
                  `,
                )}
              </div>
            `}
        <//>
      `
    }
  `;
};

// Not one of the images: one that is made, step by step, to wake this channel as much as an image of like contrast can.
const Maximised = ({ run, unit }) => {
  const [asked, askFor] = useState(false);
  const state = useFetched(
    () =>
      asked
        ? picture(run, "maximised", { snapshot: snapshot(), key: unit.key, channel: unit.channel })
        : Promise.resolve(null),
    [run, asked, unit.key, unit.channel, snapshot()],
  );
  return html`
    <h2>${t("unit.maximised")}</h2>
    ${
      !asked
        ? html`<button onClick=${() => askFor(true)}>${t("unit.climb")}</button>`
        : html`
          <${Fetched} state=${state} doing=${t("unit.climbing")}>
            ${(found) =>
              found &&
              html`
                <${Framed} src=${found.url} box=${found.about.box} label=${t("unit.maximised")} />
                <p class="small">
                  ${t("unit.climbed", { before: number(found.about.before), after: number(found.about.after) })}
                </p>
              `}
          <//>
        `
    }
  `;
};

const MOST_WEIGHT = 1e6; // as in inspector/questions.py

const Effect = ({ run, unit }) => {
  const [edit, change] = useState(null);
  const weights = unit.kind === "products" && ["conv2d", "linear"].includes(unit.name);
  const [place_, put] = useState("0");
  const [value, set] = useState(null); // null: as it is
  const known = /^\d+$/.test(place_) && Number(place_) < unit.terms;
  const present = known ? unit.weights[Number(place_)] : undefined; // of very many only the first were sent
  const shown = value ?? (present === undefined ? "" : String(Number(present.toFixed(6))));
  const weight = value === null ? present : Number(value);
  const problem = !known
    ? t("effect.no_place", { last: count(unit.terms - 1) })
    : shown === "" || !(Math.abs(weight) <= MOST_WEIGHT)
      ? t("effect.no_weight", { most: count(MOST_WEIGHT) })
      : "";
  const state = useFetched(
    () =>
      edit ? ask(run, "effect", { ...looked(), key: unit.key, channel: unit.channel, ...edit }) : Promise.resolve(null),
    [run, edit, unit.key, unit.channel, lookedAt()],
  );
  return html`
    <h2>${t("effect")}</h2>
    <div class="row">
      <button onClick=${() => change({})}>${t("effect.off", { n: unit.channel })}</button>
      ${
        weights &&
        html`
          <label>
            ${t("effect.weight")}${" "}
            <input
              id="place"
              type="number"
              min="0"
              max=${unit.terms - 1}
              value=${place_}
              style="width: 5rem"
              onInput=${(event) => {
                put(event.target.value);
                set(null);
              }}
            />
          </label>
          <label>
            =${" "}
            <input
              id="weight"
              type="number"
              step="any"
              value=${shown}
              style="width: 8rem"
              onInput=${(event) => set(event.target.value)}
            />
          </label>
          <button disabled=${problem !== ""} onClick=${() => change({ place: place_, weight })}>
            ${t("effect.try")}
          </button>
        `
      }
    </div>
    ${
      weights &&
      (problem
        ? html`<p class="error" role="alert">${problem}</p>`
        : value !== null &&
          present !== undefined &&
          html`<p class="small">${t("effect.was", { value: number(present, 6) })}</p>`)
    }
    <${Fetched} state=${state}>${(found) => found && html`<${Before} rows=${found.rows} />`}<//>
  `;
};

export const Before = ({ rows }) => html`
  <table>
    <thead>
      <tr>
        <th>${t("effect.class")}</th>
        <th class="n">${t("effect.before")}</th>
        <th class="n">${t("effect.after")}</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) => html`
          <tr>
            <td>${row.class}</td>
            <td class="n">${percent(row.before)}</td>
            <td class="n">${percent(row.after)}</td>
          </tr>
        `,
      )}
    </tbody>
  </table>
`;
