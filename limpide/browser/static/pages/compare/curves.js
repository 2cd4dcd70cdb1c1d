// Chosen runs in one picture: their curves, and differences of their recipes.
import { html } from "../../html.js";
import { language } from "../../state.js";
import { t, count, percent, duration, number, date, measured } from "../../i18n.js";
import { get, path } from "../../api.js";
import { useFetched, Fetched } from "../../use_fetched.js";
import { named, same } from "../runs/data.js";
import { STROKES } from "../runs/tick.js";
import { Plot } from "../../plot.js";

// A choice as used by the kept model; where the recipe differs, its value is shown, too, under its own name.
const Choice = ({ about, series, name, unit }) => {
  const asked = measured(about.recipe?.[name] ?? null, unit);
  const best = series.epochs.findLast((epoch) => epoch.best);
  if (name in about.instead)
    return html`
      ${name === "freeze" ? t("compare.frozen") : measured(about.instead[name], unit)}
      <br />
      <span class="small">${t("compare.dropped", { value: asked })}</span>
    `;
  return name === "epochs" && best && about.best && best.n + 1 !== about.recipe?.epochs
    ? html`
      ${t("compare.kept_pass", { n: count(best.n + 1) })}
      <br />
      <span class="small">${t("compare.asked", { value: asked })}</span>
    `
    : asked;
};

const Recipes = ({ abouts, keys, row }) => html`
  <div class="scroll">
    <table>
      <thead>
        <tr>
          <th></th>
          ${abouts.map((about) => html`<th>${about.name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${row(t("runs.of"), (about) => named(about, abouts))}
        ${row(t("runs.begun"), (about) => date(about.created))}
        ${row(t("runs.accuracy"), ({ accuracy }) =>
          accuracy ? `${percent(accuracy.value)} (${percent(accuracy.low)}–${percent(accuracy.high)})` : "–",
        )}
        ${row(t("runs.time"), (about) => duration(about.seconds))}
        ${row(t("runs.energy"), (about) =>
          about.energy ? `${number(about.energy.joules / 3600)} Wh (${t(`energy.${about.energy.how}`)})` : "–",
        )}
        ${keys.map((key) =>
          row(
            html`
              ${key}
              <br />
              <span class="small">${abouts[0].choices[key]?.meaning}</span>
            `,
            (about, series) => html`
              <${Choice} about=${about} series=${series} name=${key} unit=${abouts[0].choices[key]?.unit} />
            `,
          ),
        )}
      </tbody>
    </table>
  </div>
`;

export const Curves = ({ names }) => {
  const state = useFetched(
    () => Promise.all(names.map((name) => Promise.all([get(path(name, "")), get(path(name, "/series"))]))),
    [names.join(), language.value],
    { keep: true },
  );
  return html`
    <${Fetched} state=${state}>
      ${(found) => {
        const abouts = found.map(([about]) => about);
        const sets = [...new Set(abouts.map(same))];
        const value = ([about, series], key) =>
          JSON.stringify([
            about.recipe?.[key] ?? null,
            about.instead[key],
            key in about.instead,
            key === "epochs" && series.epochs.findLast((epoch) => epoch.best)?.n,
          ]);
        const keys = [...new Set(abouts.flatMap((about) => Object.keys(about.recipe ?? {})))].filter(
          (key) => new Set(found.map((one) => value(one, key))).size > 1,
        );
        const row = (label, of) => html`
          <tr>
            <th>${label}</th>
            ${found.map(([about, series]) => html`<td>${of(about, series)}</td>`)}
          </tr>
        `;
        return html`
          <h2>${t("compare.curves")}</h2>
          ${sets.map((data) => {
            const those = found.filter(([about]) => same(about) === data);
            return html`
              <section key=${data}>
                ${sets.length > 1 && html`<h3>${named(those[0][0], abouts)}</h3>`}
                <${Pair} found=${those} strokes=${those.map(([about]) => STROKES[names.indexOf(about.name)])} />
              </section>
            `;
          })}
          <h2>${t("compare.recipes")}</h2>
          <${Recipes} abouts=${abouts} keys=${keys} row=${row} />
          ${found.length > 1 && html`<p class="small">${keys.length ? t("compare.differ") : t("compare.same")}</p>`}
        `;
      }}
    <//>
  `;
};

// Validation of runs on the same data, epoch by epoch.
const Pair = ({ found, strokes }) => {
  const steps = [...new Set(found.flatMap(([, series]) => series.epochs.map((epoch) => epoch.step)))].sort(
    (a, b) => a - b,
  );
  const curve = (of) =>
    found.map(([, series]) =>
      steps.map((step) => {
        const epoch = series.epochs.find((epoch) => epoch.step === step);
        return epoch ? of(epoch) : null;
      }),
    );
  const lines = found.map(([about], k) => ({ label: about.name, stroke: strokes[k], points: true }));
  return html`
    <div class="two even">
      <${Plot}
        data=${[steps, ...curve((epoch) => epoch.validation_loss)]}
        xLabel=${t("axis.steps")}
        yLabel=${t("live.loss_axis.validation")}
        series=${lines}
      />
      <${Plot}
        data=${[steps, ...curve((epoch) => 100 * epoch.validation_accuracy)]}
        xLabel=${t("axis.steps")}
        yLabel=${t("live.accuracy_axis")}
        series=${lines}
      />
    </div>
  `;
};
