// All runs of the folder.
import { html, useEffect, useState } from "../html.js";
import { language, go, place } from "../state.js";
import { t, percent, duration, number, standing, date } from "../i18n.js";
import { runs } from "../api.js";
import { useFetched, Fetched } from "../use_fetched.js";
import { Start } from "./runs/start.js";
import { named } from "./runs/data.js";
import { linkToRun } from "./runs/link.js";
import { Tick, ticked } from "./runs/tick.js";

const AGAIN = 5000; // ms between two requests, while a run is working

const Accuracy = ({ run }) => html`
  <td class="n">
    ${
      run.accuracy
        ? html`
          ${percent(run.accuracy.value)}
          <br />
          <span class="small">${percent(run.accuracy.low)}–${percent(run.accuracy.high)}</span>
        `
        : "–"
    }
    ${
      run.shortcut &&
      html`
        <br />
        <a class="small" href=${linkToRun(run, "audit")}>${t("runs.shortcut")}</a>
      `
    }
  </td>
`;

const Energy = ({ energy }) => html`
  <td class="n">
    ${
      energy
        ? html`
          ${number(energy.joules / 3600)} Wh${" "}
          <span class="small">${t(`energy.${energy.how}`)}</span>
        `
        : "–"
    }
  </td>
`;

const Row = ({ run, runs, names }) => html`
  <tr>
    <td><${Tick} name=${run.name} names=${names} /></td>
    <td>
      <a href=${linkToRun(run, "live")}>${run.name}</a>
      ${
        run.model &&
        html`
          <br />
          <span class="small">${run.model}</span>
        `
      }
    </td>
    <${Accuracy} run=${run} />
    <td>${named(run, runs)}</td>
    <td>
      ${standing(run)}
      ${
        run.said &&
        html`
          <br />
          <span class="small">${run.said}</span>
        `
      }
    </td>
    <td><${Spark} values=${run.spark} /></td>
    <td class="n">${duration(run.seconds)}</td>
    <${Energy} energy=${run.energy} />
    <td class="n">${date(run.created)}</td>
  </tr>
`;

/** All runs, requested again and again while one of them is working. */
const useRuns = () => {
  const [round, again] = useState(0);
  const state = useFetched(runs, [round, language.value], { keep: true, still: true, of: "runs" });
  const working = state.value?.runs.some((run) => ["running", "paused"].includes(run.status));
  useEffect(() => {
    if (!working) return;
    const timer = setInterval(() => document.hidden || again((n) => n + 1), AGAIN);
    return () => clearInterval(timer);
  }, [working]);
  return state;
};

const Search = ({ wanted, names }) => html`
  <div class="row">
    <input
      type="search"
      aria-label=${t("search")}
      placeholder=${t("search")}
      value=${wanted}
      onInput=${(event) => go({ find: event.target.value }, { replace: true })}
    />
    <button disabled=${names.length < 2} onClick=${() => go({ page: "compare", run: null, find: null })}>
      ${t("runs.compare")}
    </button>
    <a href="#page=compare">${t("runs.all")}</a>
  </div>
`;

const List = ({ runs, wanted, names }) => html`
  <div class="scroll">
    <table>
      <thead>
        <tr>
          <th><span class="small">${t("runs.tick")}</span></th>
          <th>${t("runs.name")}</th>
          <th class="n">${t("runs.accuracy")}</th>
          <th>${t("runs.of")}</th>
          <th>${t("runs.status")}</th>
          <th>${t("runs.spark")}</th>
          <th class="n">${t("runs.time")}</th>
          <th class="n">${t("runs.energy")}</th>
          <th class="n">${t("runs.begun")}</th>
        </tr>
      </thead>
      <tbody>
        ${runs
          .filter((run) => `${run.name} ${run.model} ${run.data}`.toLowerCase().includes(wanted.toLowerCase()))
          .map((run) => html`<${Row} run=${run} runs=${runs} names=${names} />`)}
      </tbody>
    </table>
  </div>
`;

export default () => {
  const state = useRuns();
  const wanted = place.value.find ?? ""; // in the address, so that it is there when the user comes back
  const names = ticked();
  return html`
    <h1>${t("page.runs")}</h1>
    <${Fetched} state=${state}>
      ${({ runs, folder }) =>
        runs.length === 0
          ? html`
            <p class="claim">${t("runs.none", { folder })}</p>
            <${Start} />
            <p class="read">
              <code>limpide train photos/ --watch</code> · <a href="#page=learn">${t("runs.learn")}</a>
            </p>
          `
          : html`
            <${Search} wanted=${wanted} names=${names} />
            <${Start} />
            <${List} runs=${runs} wanted=${wanted} names=${names} />
          `}
    <//>
  `;
};

// The loss, from the first step to the last, in miniature.
const Spark = ({ values }) => {
  if (values.length < 2) return "–";
  const most = Math.max(...values);
  const least = Math.min(...values);
  const y = (v) => 18 - (16 * (v - least)) / (most - least || 1);
  return html`
    <svg
      viewBox="0 0 80 20"
      width="80"
      height="20"
      role="img"
      aria-label=${t("runs.spark_label", { from: number(values[0], 2), to: number(values.at(-1), 2) })}
    >
      <polyline
        fill="none"
        stroke="var(--accent)"
        stroke-width="1.5"
        points=${values.map((v, k) => `${(80 * k) / (values.length - 1)},${y(v)}`).join(" ")}
      />
    </svg>
  `;
};
