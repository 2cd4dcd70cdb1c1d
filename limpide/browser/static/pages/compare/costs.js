// Accuracy against cost: every judged run as a point, a frame that keeps some, and a list of those.
import { html, useState } from "../../html.js";
import { place, go } from "../../state.js";
import { t, count, percent, duration, number, bytes } from "../../i18n.js";
import { runs } from "../../api.js";
import { useFetched, Fetched } from "../../use_fetched.js";
import { named, same } from "../runs/data.js";
import { linkToRun } from "../runs/link.js";
import { Tick } from "../runs/tick.js";
import { bounds, Frame } from "./frame.js";
import { scalesOf, Chart } from "./chart.js";

const COSTS = {
  energy: [(run) => run.energy && run.energy.joules / 3600, (value) => `${number(value)} Wh`, "Wh", 1],
  time: [(run) => run.seconds, duration, "s", 1],
  size: [(run) => run.cost?.bytes, bytes, "kB", 1000],
  latency: [(run) => run.cost?.ms, (value) => `${number(value)} ms`, "ms", 1],
};

const costOf = (by) => {
  const [cost, says, unit, scale] = COSTS[by];
  return { by, cost, says, scale, unit: unit === "kB" ? t("unit.kB") : unit };
};

const isWithin = (value, least, most) => (least == null || value >= least) && (most == null || value <= most);

const Row = ({ run, costs: { cost, says }, names }) => html`
  <tr>
    <td><${Tick} name=${run.name} names=${names} /></td>
    <td>
      <a href=${linkToRun(run, "live")}>${run.name}</a>
      <br />
      <span class="small">${run.model}</span>
    </td>
    <td class="n">
      ${percent(run.accuracy.value)}${" "}
      <span class="small">${percent(run.accuracy.low)}–${percent(run.accuracy.high)}</span>
    </td>
    <td class="n">${says(cost(run))}</td>
  </tr>
`;

const Listed = ({ shown, costs, names }) => html`
  <div class="scroll">
    <table>
      <thead>
        <tr>
          <th><span class="small">${t("runs.tick")}</span></th>
          <th>${t("runs.name")}</th>
          <th class="n">${t("runs.accuracy")}</th>
          <th class="n">${t(`compare.${costs.by}`)}</th>
        </tr>
      </thead>
      <tbody>${shown.map((run) => html`<${Row} run=${run} costs=${costs} names=${names} />`)}</tbody>
    </table>
  </div>
`;

const DataChoice = ({ data, sets, judged }) => html`
  <div class="row">
    <label>
      ${t("runs.of")}${" "}
      <select
        value=${data}
        onChange=${(event) => go({ data: event.target.value, frame: null }, { replace: true })}
      >
        ${sets.map(
          (run) => html`
            <option value=${same(run)}>
              ${t("compare.data", {
                data: named(run, judged),
                n: count(judged.filter((other) => same(other) === same(run)).length),
              })}
            </option>
          `,
        )}
      </select>
    </label>
  </div>
`;

// An axis belongs to one data set: accuracies on other images cannot be compared with it.
const Judged = ({ runs, costs, names }) => {
  // the frame while it is drawn: the URL takes it when the pointer is lifted
  const [dragged, hold] = useState(null);
  const { cost } = costs;
  const judged = runs.filter((run) => run.accuracy && cost(run) > 0);
  const sets = [...new Map(judged.map((run) => [same(run), run])).values()];
  if (!judged.length) return html`<p class="read">${t("compare.none")}</p>`;
  const data = same(
    sets.find((run) => same(run) === place.value.data) ?? judged.find((run) => names.includes(run.name)) ?? judged[0],
  );
  const known = judged.filter((run) => same(run) === data);
  const kept = dragged ?? bounds();
  const inside = (run) =>
    isWithin(cost(run), kept.cost_low, kept.cost_high) && isWithin(run.accuracy.value, kept.low, kept.high);
  const shown = known.filter(inside).sort((a, b) => b.accuracy.value - a.accuracy.value);
  return html`
    <${DataChoice} data=${data} sets=${sets} judged=${judged} />
    <div class="two">
      <div>
        <${Chart}
          known=${known}
          costs=${costs}
          scales=${scalesOf(known, cost)}
          kept=${kept}
          inside=${inside}
          names=${names}
          dragged=${dragged}
          hold=${hold}
        />
        <${Frame} costs=${costs} kept=${kept} />
      </div>
      <div>
        <p class="small" role="status">${t("compare.drag", { n: count(shown.length), of: count(known.length) })}</p>
        <${Listed} shown=${shown} costs=${costs} names=${names} />
      </div>
    </div>
  `;
};

// Every judged run as a point: a frame, drawn with the pointer or written as numbers, keeps those in it.
export const Costs = ({ names }) => {
  const by = Object.hasOwn(COSTS, place.value.by) ? place.value.by : "energy";
  const state = useFetched(runs, []);
  return html`
    <div class="row" role="group" aria-label=${t("compare.cost")}>
      ${Object.keys(COSTS).map(
        (name) => html`
          <button
            aria-pressed=${by === name}
            onClick=${() => {
              const { low, high } = bounds();
              go(
                { by: name, frame: low != null || high != null ? `,,${low ?? ""},${high ?? ""}` : null },
                { replace: true },
              );
            }}
          >
            ${t(`compare.${name}`)}
          </button>
        `,
      )}
    </div>
    <${Fetched} state=${state}>
      ${({ runs }) => html`<${Judged} runs=${runs} costs=${costOf(by)} names=${names} />`}
    <//>
  `;
};
