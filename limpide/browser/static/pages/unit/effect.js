// The answer when a channel is switched off or a weight is changed.
import { html, useState } from "../../html.js";
import { looked, lookedAt } from "../../state.js";
import { t, number, percent, count } from "../../i18n.js";
import { ask } from "../../api.js";
import { useFetched, Fetched } from "../../use_fetched.js";

const MOST_WEIGHT = 1e6; // as in inspector/questions.py

const Weights = ({ unit, change, weights, place_, put, set, shown, weight, problem }) => html`
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
`;

export const Effect = ({ run, unit }) => {
  const [edit, change] = useState(null);
  const weights = unit.kind === "products" && ["conv2d", "linear"].includes(unit.name);
  const [place_, put] = useState("0");
  const [value, set] = useState(null); // null: unchanged
  const known = /^\d+$/.test(place_) && Number(place_) < unit.terms;
  const present = known ? unit.weights[Number(place_)] : undefined; // of very many weights, only the first were sent
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
    <${Weights}
      unit=${unit}
      change=${change}
      weights=${weights}
      place_=${place_}
      put=${put}
      set=${set}
      shown=${shown}
      weight=${weight}
      problem=${problem}
    />
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
