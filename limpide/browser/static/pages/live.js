// A training while it happens, or as it was: the curves, a diagnosis in plain words, and the answers for its watched
// images.
import { html, useState, useEffect, useRef, useMemo } from "../html.js";
import { place, link, go, snapshot, language, news } from "../state.js";
import { t, count } from "../i18n.js";
import { get, path } from "../api.js";
import { Fetched } from "../use_fetched.js";
import { CALM, useSeries } from "./live/series.js";
import { Control } from "./live/control.js";
import { Probes } from "./live/probes.js";
import { useAxis, useCharts, Axes, Charts } from "./live/charts.js";
import { Figures } from "./live/figures.js";

// ms between two requests, each of which runs the network
const patience = (watched) => Math.min(30000, Math.max(CALM, watched / 3));
const SOON = 500; // ms after a step until its snapshot is on the disk

export default ({ about }) => {
  const { run } = place.value;
  const [state, newest] = useSeries(run);
  return html`
    <${Fetched} state=${state}>
      ${(series) => html`<${Live} run=${run} about=${about} series=${series} newest=${newest} />`}
    <//>
  `;
};

/** Requests the images again when weights were kept, less often the longer it goes on. */
const useNewWeights = (about, { total, epochs, notes }, now) => {
  // Weights are kept after 1, 2, 4 … steps and after each epoch: then there are more to choose from, and the images are
  // requested again.
  const kept = epochs.length + (total ? 1 + Math.floor(Math.log2(total)) : 0) + notes.length;
  const turn = `${now.phase} ${now.status} ${notes.length}`;
  const stage = about && `${kept} ${turn}`;
  const asking = useRef({ opened: performance.now(), since: -Infinity });
  useEffect(() => {
    const { stage: before, turn: had, timer, since, opened } = asking.current;
    Object.assign(asking.current, { stage, turn });
    // epochs may be shorter than the wait: it must not start again with each
    if (!before || before === stage || (timer && turn === had)) return;
    clearTimeout(timer);
    const ask = () => {
      Object.assign(asking.current, { since: performance.now(), timer: null });
      news.value += 1;
    };
    const wait = turn === had ? since - performance.now() + patience(performance.now() - opened) : 0;
    asking.current.timer = setTimeout(ask, Math.max(SOON, wait));
  }, [stage]);
  useEffect(() => () => clearTimeout(asking.current.timer), []);
};

/** Opens the kept weights nearest to a step. */
const useClosest = (run, about) => {
  const clicks = useRef(0);
  return async (step) => {
    const mine = (clicks.current += 1);
    const { hash } = location;
    const kept = (await get(path(run, "")).catch(() => about))?.snapshots ?? []; // as of now
    if (mine !== clicks.current || location.hash !== hash) return; // the user clicked again, or left
    if (kept.length !== about?.snapshots.length) news.value += 1; // so that the bar has them too
    if (kept.length) go({ at: String(kept.reduce((a, b) => (Math.abs(b - step) < Math.abs(a - step) ? b : a))) });
  };
};

const Worth = ({ worth }) => html`
  <h2>${t("live.worth")}</h2>
  <ul class="small">
    ${worth.map(
      ({ verdict, text }) => html`
        <li><span class=${`badge ${verdict}`}>${t(`verdict.${verdict}`)}</span> ${text}</li>
      `,
    )}
  </ul>
  <p class="small"><a href=${link({ page: "audit" })}>${t("live.evidence")}</a></p>
`;

const Title = ({ series, now }) => html`
  <h1>
    ${
      now.status === "paused"
        ? t("live.paused", { n: count(now.paused) })
        : !series.diagnosis?.length
          ? t("page.live")
          : series.diagnosis
              .slice(0, 1)
              .map(({ kind, text }) => html`<span class=${`claim ${kind}`} style="font-size: inherit">${text}</span>`)
    }
  </h1>
`;

/** What to do about the first remark, and the other remarks with what to do. */
const Remedies = ({ diagnosis }) =>
  (diagnosis ?? []).map(
    ({ kind, text, todo }, k) => html`
      ${k > 0 && html`<p class=${`claim ${kind}`}>${text}</p>`}
      ${todo.map((what) => html`<p class="small">${what}</p>`)}
    `,
  );

/** Next to the curves: the controls, the model's worth, the watched images, the notes. */
const Beside = ({ run, about, series, now, fitting }) => html`
  <div>
    ${fitting && html`<${Control} run=${run} paused=${now.status === "paused"} />`}
    ${about?.worth?.length > 0 && html`<${Worth} worth=${about.worth} />`}
    <${Probes}
      run=${run}
      about=${about}
      updates=${!about?.best && snapshot() === "best" ? about?.snapshots.at(-1) : 0}
    />
    <h2>${t("live.told")}</h2>
    <ul class="small">${series.notes.slice(-8).map((note) => html`<li>${note.text}</li>`)}</ul>
    ${now.report && html`<p><a href=${path(run, "/report")}>${t("live.report")}</a></p>`}
  </div>
`;

const Live = ({ run, about, series, newest }) => {
  const [axis, choose] = useState("steps");
  const now = series.about ?? about ?? {};
  // it makes steps, or waits between two of them
  const fitting = now.phase === "fit" && ["running", "paused"].includes(now.status);
  useNewWeights(about, series, now);
  const x = useAxis(axis, series, now);
  const fitted = x.length < 2 && !series.epochs.length && now.status === "finished"; // at once, without a step
  const ofStep = (n) => {
    const k = series.n.findIndex((value) => value >= n);
    return k < 0 ? x.at(-1) : x[k];
  };
  // otherwise no images were set aside to choose by
  const validated = series.epochs.some((epoch) => epoch.validation_loss !== epoch.train_loss);
  const charts = useCharts(x, axis, series, now, validated, ofStep);
  const closest = useClosest(run, about);
  const marks = snapshot() === "best" ? [] : [ofStep(Number(snapshot()))].filter((v) => v !== undefined);
  const drawn = useMemo(
    () => html`
      <div class="two">
        <div>
          ${fitted ? html`<p class="read">${t("live.no_curve")}</p>` : html`<${Axes} axis=${axis} choose=${choose} />`}
          <${Charts}
            about=${about}
            series=${series}
            axis=${axis}
            x=${x}
            charts=${charts}
            marks=${marks}
            closest=${closest}
          />
        </div>
        <${Beside} run=${run} about=${about} series=${series} now=${now} fitting=${fitting} />
      </div>
    `,
    [series, about, now.status, now.phase, now.report, axis, marks.join(), language.value],
  );
  return html`
    <${Title} series=${series} now=${now} />
    ${now.status !== "paused" && html`<${Remedies} diagnosis=${series.diagnosis} />`}
    <${Figures}
      about=${about}
      series=${series}
      newest=${newest}
      now=${now}
      fitting=${fitting}
      fitted=${fitted}
      validated=${validated}
    />
    ${drawn}
  `;
};
