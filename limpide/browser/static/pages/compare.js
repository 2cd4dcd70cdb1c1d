// Two runs side by side: their curves, and where their recipes differ.
import { html } from "../html.js";
import { place } from "../state.js";
import { t, percent, duration, number } from "../words.js";
import { get, path } from "../api.js";
import { useFetched, Fetched } from "../fetched.js";
import { Plot } from "../plot.js";

export default () => {
  const names = (place.value.runs ?? "").split(",").filter(Boolean).slice(0, 2);
  const state = useFetched(() => Promise.all(names.map((name) => Promise.all([get(path(name, "")), get(path(name, "/series"))]))), [names.join()]);
  return html`<h1>${names.join(" · ")}</h1><${Fetched} state=${state}>${(found) => {
    if (found.length < 2) return html`<p class="read">${t("compare.choose")}</p>`;
    const steps = [...new Set(found.flatMap(([, series]) => series.epochs.map((epoch) => epoch.step)))].sort((a, b) => a - b);
    const curve = (field) => found.map(([, series]) => steps.map((step) => series.epochs.find((epoch) => epoch.step === step)?.[field] ?? null));
    const keys = [...new Set(found.flatMap(([about]) => Object.keys(about.recipe ?? {})))].filter((key) => JSON.stringify(found[0][0].recipe?.[key]) !== JSON.stringify(found[1][0].recipe?.[key]));
    const row = (label, of) => html`<tr><th>${label}</th>${found.map(([about, series]) => html`<td>${of(about, series)}</td>`)}</tr>`;
    const lines = names.map((name, k) => ({ label: name, stroke: k ? "--plus" : "--accent", points: true }));
    return html`<div class="two even"><${Plot} data=${[steps, ...curve("validation_loss")]} xLabel=${t("axis.steps")} yLabel=${t("live.validation_loss")} series=${lines} /><${Plot} data=${[steps, ...curve("validation_accuracy").map((values) => values.map((v) => (v == null ? null : 100 * v)))]} xLabel=${t("axis.steps")} yLabel=${t("live.accuracy_axis")} series=${lines} /></div>
      <div class="scroll"><table><thead><tr><th></th>${names.map((name) => html`<th>${name}</th>`)}</tr></thead><tbody>
      ${row(t("runs.accuracy"), (about) => (about.accuracy ? `${percent(about.accuracy.value)} (${percent(about.accuracy.low)}–${percent(about.accuracy.high)})` : "–"))}
      ${row(t("runs.time"), (about) => duration(about.seconds))}
      ${row(t("runs.energy"), (about) => (about.energy ? `${number(about.energy.joules / 3600)} Wh (${t(`energy.${about.energy.how}`)})` : "–"))}
      ${keys.map((key) => row(key, (about) => String(about.recipe?.[key] ?? "–")))}</tbody></table></div>
      <p class="small">${keys.length ? t("compare.differ") : t("compare.same")}</p>`;
  }}<//>`;
};
