// The curves of a run: loss, accuracy on validation and learning rate, on an axis that the user chooses.
import { html, useRef, useMemo } from "../../html.js";
import { t, count, percent } from "../../i18n.js";
import { Plot } from "../../plot.js";
import { spent, centred } from "./series.js";

// ms between two drawings of slowly changing data: the learning rate, which was decided before, and the epochs
const RATE = 6000;

/** The value, which changes only after this many ms; with another key, at once. */
const useRarely = (value, ms, key) => {
  const kept = useRef({});
  if (key !== kept.current.key || performance.now() - kept.current.since >= ms)
    kept.current = { value, key, since: performance.now() };
  return kept.current.value;
};

// shares in %: nothing is drawn beyond 100
const around = (_, low, high) => [Math.max(0, low - 2), Math.min(100, high + 2)];

/** Which weights are kept: those of the epoch that did best on validation, or those of the model before it. */
const Kept = ({ epochs, over, kind, first, keep }) => {
  const best = epochs.findLast((epoch) => epoch.best);
  if (keep === "last") return html`<p class="small">${t("live.kept.last")}</p>`;
  if (over && kind === "frozen") return html`<p class="small">${t("live.kept.first")}</p>`;
  if (!over && first > best.validation_accuracy)
    return html`<p class="small">${t("live.best.first", { p: percent(first) })}</p>`;
  return html`
    <p class="small">
      ${t(over ? "live.kept" : "live.best", { n: count(best.n + 1), p: percent(best.validation_accuracy) })}
    </p>
  `;
};

/** The place of each step on this axis. */
export const useAxis = (axis, series, now) =>
  useMemo(() => {
    if (axis === "steps") return series.n;
    if (axis === "time") {
      let total = 0,
        before = 0;
      return series.n.map((n, k) => ((total += series.seconds[k] * (n - before)), (before = n), total));
    }
    if (axis === "epochs") {
      const per = series.epochs[0]?.step ?? now.steps ?? 1;
      return series.n.map((n) => n / per);
    }
    return spent(series.n, series.system);
  }, [series.n, axis, series.epochs.length]);

/** The data of the three charts: the losses, the accuracy of each epoch and the rate. */
export const useCharts = (x, axis, series, now, validated, ofStep) => {
  const validation = useMemo(() => {
    const found = new Array(x.length).fill(null);
    if (validated)
      for (const epoch of series.epochs) {
        const k = series.n.findIndex((n) => n >= epoch.step);
        found[k < 0 ? x.length - 1 : k] = epoch.validation_loss;
      }
    return found;
  }, [x, series.epochs.length]);
  const losses = useMemo(() => [x, series.loss, centred(series.n, series.smooth), validation], [x, validation]);
  // From the first step to the newest, like the loss above it.
  const passes = validated ? series.epochs : [];
  const accuracy = useRarely(
    [
      [x[0], ...passes.map((epoch) => ofStep(epoch.step)), x.at(-1)],
      [null, ...passes.map((epoch) => 100 * epoch.validation_accuracy), null],
      ...(passes.some((epoch) => epoch.train_accuracy != null) // runs of earlier versions have none
        ? [[null, ...passes.map((epoch) => 100 * epoch.train_accuracy), null]]
        : []),
    ],
    RATE,
    `${axis} ${now.status} ${passes.length}`,
  );
  const rate = useRarely([x, series.lr], RATE, `${axis} ${now.status}`);
  return { losses, accuracy, rate, passes };
};

const AXES = ["steps", "epochs", "time", "energy"];
export const Axes = ({ axis, choose }) => html`
  <div class="row" role="group" aria-label=${t("axis")}>
    ${AXES.map(
      (name) => html`
        <button aria-pressed=${axis === name} onClick=${() => choose(name)}>${t(`axis.${name}.short`)}</button>
      `,
    )}
  </div>
`;

const LossChart = ({ data, loss, ...shared }) => html`
  <${Plot}
    data=${data}
    ...${shared}
    yLabel=${t((loss ?? "cross-entropy") === "cross-entropy" ? "live.loss_axis" : "live.loss_axis.other")}
    height=${280}
    series=${[
      { label: t("live.batch"), stroke: "--line" },
      { label: t("live.smooth"), stroke: "--ink" },
      { label: t("live.validation_loss"), stroke: "--accent", points: true },
    ]}
  />
`;

const AccuracyChart = ({ data, ...shared }) => html`
  <${Plot}
    data=${data}
    ...${shared}
    yLabel=${t("live.accuracy_axis")}
    height=${180}
    yRange=${around}
    series=${[
      { label: t("live.validation"), stroke: "--accent", points: true },
      { label: t("live.train_accuracy"), stroke: "--ink", points: true },
    ].slice(0, data.length - 1)}
  />
`;

const RateChart = ({ data, ...shared }) => html`
  <${Plot}
    data=${data}
    ...${shared}
    yLabel=${t("live.rate_axis")}
    height=${140}
    series=${[{ label: t("live.rate"), stroke: "--soft" }]}
  />
`;

export const Charts = ({ about, series, axis, x, charts: { losses, accuracy, rate, passes }, marks, closest }) => {
  const shared = { xLabel: t(`axis.${axis}`), whole: axis === "epochs" };
  const nearest = (k) => closest(series.n[k]);
  const ofPass = (k) => closest(k ? (passes[k - 1]?.step ?? series.n.at(-1)) : 0);
  const recipe = about?.recipe ?? {};
  return html`
    ${
      x.length > 1 &&
      html`<${LossChart} data=${losses} loss=${recipe.loss} ...${shared} onPoint=${nearest} marks=${marks} />`
    }
    ${passes.length > 0 && html`<${AccuracyChart} data=${accuracy} ...${shared} onPoint=${ofPass} />`}
    ${
      passes.length > 0 &&
      html`
        <${Kept}
          epochs=${series.epochs}
          over=${about?.best}
          kind=${about?.final?.kind}
          first=${about?.first}
          keep=${recipe.keep}
        />
      `
    }
    ${x.length > 1 && html`<${RateChart} data=${rate} ...${shared} onPoint=${nearest} />`}
    ${
      x.length > 1 &&
      html`
        <p class="small">
          ${t("live.click")}${" "}
          ${recipe.label_smoothing > 0 && t("live.smoothing", { share: percent(recipe.label_smoothing, 0) })}
        </p>
      `
    }
  `;
};
