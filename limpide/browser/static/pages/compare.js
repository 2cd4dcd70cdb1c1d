// Runs side by side: accuracy against what it costs, curves over each other, and where the recipes differ.
import { html, useRef, useState } from "../html.js";
import { place, go, link, language } from "../state.js";
import { t, count, percent, duration, number, bytes, date, measured } from "../i18n.js";
import { get, path, runs } from "../api.js";
import { useFetched, Fetched } from "../use_fetched.js";
import { ticks } from "../axes.js";
import { named, same } from "./runs/data.js";
import { Plot } from "../plot.js";

const STROKES = ["--accent", "--plus", "--minus", "--ok", "--bad", "--soft"];
// How much of a run, in words, and the unit in which its frame is written: so many of the first.
// 57 % is 57 / 100 to the last bit, which 57 × 0.01 is not: a run that lies on the frame is in it.
const given = (text, factor) => (factor < 1 ? Number(text) / Math.round(1 / factor) : Number(text) * factor);
const COSTS = {
  energy: [(run) => run.energy && run.energy.joules / 3600, (value) => `${number(value)} Wh`, "Wh", 1],
  time: [(run) => run.seconds, duration, "s", 1],
  size: [(run) => run.cost?.bytes, bytes, "kB", 1000],
  latency: [(run) => run.cost?.ms, (value) => `${number(value)} ms`, "ms", 1],
};

/** Round shares between these two, three to six of them. */
const round = (low, high) => {
  const step = [0.01, 0.02, 0.05, 0.1, 0.2].find((step) => (high - low) / step <= 5) ?? 0.2;
  return Array.from(
    { length: Math.floor(high / step + 1e-9) - Math.ceil(low / step - 1e-9) + 1 },
    (_, k) => (Math.ceil(low / step - 1e-9) + k) * step,
  );
};
/**
 * 1, 2, 5, 10 … between these two powers of ten, at most five of them; of runs that cost about as much, evenly spaced
 * numbers.
 */
export const decades = (low, high) => {
  const found = [];
  for (let k = Math.floor(low); k <= high; k++)
    for (const m of [1, 2, 5])
      if (Math.log10(m) + k >= low && Math.log10(m) + k <= high) found.push(Number(`${m}e${k}`));
  if (found.length < 2) return ticks(10 ** low, 10 ** high, 4);
  return found.filter((_, k) => found.length <= 5 || k % Math.ceil(found.length / 5) === 0);
};

export default () => {
  const names = (place.value.runs ?? "").split(",").filter(Boolean).slice(0, STROKES.length);
  return html`
    <h1>${t("page.compare")}</h1>
    <${Costs} names=${names} />
    ${names.length > 0 && html`<${Curves} names=${names} />`}
  `;
};

// The frame that keeps some runs: least and most of cost and accuracy, "" where it is open. It stands in the URL as
// frame=0.1,2.5,0.8,
const bounds = () =>
  Object.fromEntries(
    (place.value.frame ?? "")
      .split(",")
      .concat("", "", "", "")
      .slice(0, 4)
      .map((v, k) => [ENDS[k], v !== "" && isFinite(v) ? Number(v) : null]),
  );
const frame = (values) => {
  const next = { ...bounds(), ...values };
  const told = ENDS.map((name) => next[name] ?? "");
  go({ frame: told.some((v) => v !== "") ? told.join(",") : null }, { replace: true });
};
const ENDS = ["cost_low", "cost_high", "low", "high"];
const three = (value) => Number(value.toPrecision(3));

// Every judged run as a point: a frame, drawn with the pointer or written as numbers, keeps those in it.
const Costs = ({ names }) => {
  const by = Object.hasOwn(COSTS, place.value.by) ? place.value.by : "energy";
  const [cost, says, unit_, scale] = COSTS[by];
  const unit = unit_ === "kB" ? t("unit.kB") : unit_;
  const state = useFetched(runs, []);
  const from = useRef(null);
  // the frame while it is drawn: it comes into the URL when the pointer is lifted
  const [dragged, hold] = useState(null);
  const tick = (name) =>
    go(
      {
        runs: (names.includes(name)
          ? names.filter((one) => one !== name)
          : [...names, name].slice(-STROKES.length)
        ).join(","),
      },
      { replace: true },
    );
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
      ${({ runs }) => {
        const judged = runs.filter((run) => run.accuracy && cost(run) > 0);
        const sets = [...new Map(judged.map((run) => [same(run), run])).values()];
        if (!judged.length) return html`<p class="read">${t("compare.none")}</p>`;
        // One axis is of one data set: what is right of other images says nothing beside it.
        const data = same(
          sets.find((run) => same(run) === place.value.data) ??
            judged.find((run) => names.includes(run.name)) ??
            judged[0],
        );
        const known = judged.filter((run) => same(run) === data);
        const logs = known.map((run) => Math.log10(cost(run)));
        const low = Math.min(...logs) - 0.1;
        const high = Math.max(...logs) + 0.1;
        const least = Math.max(0, Math.min(...known.map((run) => run.accuracy.low)) - 0.02);
        const across = (value) => 8 + (86 * (Math.log10(value) - low)) / (high - low || 1);
        const x = (run) => across(cost(run));
        const y = (value) => 54 - (50 * (value - least)) / (1 - least || 1);
        const kept = dragged ?? bounds();
        const framed = ENDS.some((name) => kept[name] != null);
        const within = (value, least, most) => (least == null || value >= least) && (most == null || value <= most);
        const inside = (run) =>
          within(cost(run), kept.cost_low, kept.cost_high) && within(run.accuracy.value, kept.low, kept.high);
        const at = (event) => {
          const box = event.currentTarget.getBoundingClientRect();
          return [((event.clientX - box.left) / box.width) * 104 - 4, ((event.clientY - box.top) / box.height) * 64];
        };
        const drag = (event) => {
          if (!from.current) return;
          const to = at(event);
          const [x0, x1] = [from.current[0], to[0]].sort((a, b) => a - b);
          const [y0, y1] = [from.current[1], to[1]].sort((a, b) => a - b);
          if (x1 - x0 < 1) return;
          const value = (x) => three(10 ** (low + ((x - 8) / 86) * (high - low)));
          const share = (y) => Math.max(0, Math.min(1, three(least + ((54 - y) / 50) * (1 - least))));
          hold({ cost_low: value(x0), cost_high: value(x1), low: share(y1), high: share(y0) });
        };
        const lift = () => {
          from.current = null;
          if (dragged) frame(dragged);
          hold(null);
        };
        const clip = (v, a, b) => Math.max(a, Math.min(b, v));
        const box = [
          clip(kept.cost_low > 0 ? across(kept.cost_low) : 8, 4, 100),
          clip(kept.high != null ? y(kept.high) : 2, 2, 54),
          clip(kept.cost_high > 0 ? across(kept.cost_high) : 96, 4, 100),
          clip(kept.low != null ? y(kept.low) : 54, 2, 54),
        ];
        const shown = known.filter(inside).sort((a, b) => b.accuracy.value - a.accuracy.value);
        const end = (name, factor, label) => html`
          <input
            type="number"
            step="any"
            min="0"
            aria-label=${label}
            value=${kept[name] == null ? "" : three(kept[name] / factor)}
            onChange=${(event) =>
              frame({ [name]: event.target.value === "" ? null : given(event.target.value, factor) })}
          />
        `;
        return html`
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
          <div class="two">
            <div>
              <svg
                viewBox="-4 0 104 64"
                role="img"
                aria-label=${t("compare.label", { cost: t(`compare.${by}`) })}
                style="width: 100%; touch-action: none; cursor: crosshair"
                onPointerDown=${(event) => {
                  from.current = at(event);
                  event.currentTarget.setPointerCapture?.(event.pointerId);
                  go({ frame: null }, { replace: true });
                }}
                onPointerMove=${drag}
                onPointerUp=${lift}
                onPointerCancel=${lift}
              >
                <line x1="8" y1="54" x2="96" y2="54" stroke="var(--ink)" stroke-width=".2" />
                ${round(least, 1).map(
                  (v) => html`
                    <line x1="8" x2="96" y1=${y(v)} y2=${y(v)} stroke="var(--grid)" stroke-width=".2" />
                    <text x="7" y=${y(v) + 0.8} font-size="2.4" text-anchor="end" fill="var(--soft)">
                      ${percent(v, 0)}
                    </text>
                  `,
                )}
                ${decades(low, high).map(
                  (v) => html`
                    <text x=${across(v)} y="58" font-size="2.4" text-anchor="middle" fill="var(--soft)">
                      ${says(v)}
                    </text>
                  `,
                )}
                ${
                  known.length <= 12 &&
                  known.map(
                    (run) => html`
                      <text
                        x=${x(run) + 1.6}
                        y=${y(run.accuracy.value) - 1.2}
                        font-size="2.2"
                        text-anchor=${x(run) > 75 ? "end" : "start"}
                        fill="var(--soft)"
                      >
                        ${run.name}
                      </text>
                    `,
                  )
                }
                <text x="52" y="62.5" font-size="2.4" text-anchor="middle" fill="var(--soft)">
                  ${t(`compare.${by}`)}, ${t("compare.log")}
                </text>
                ${known.map(
                  (run) => html`
                    <g opacity=${inside(run) ? 1 : 0.15}>
                      <line
                        x1=${x(run)}
                        x2=${x(run)}
                        y1=${y(run.accuracy.low)}
                        y2=${y(run.accuracy.high)}
                        stroke="var(--soft)"
                        stroke-width=".3"
                      />
                      <circle
                        cx=${x(run)}
                        cy=${y(run.accuracy.value)}
                        r="1.1"
                        fill=${names.includes(run.name) ? `var(${STROKES[names.indexOf(run.name)]})` : "var(--ink)"}
                      >
                        <title>${run.name}: ${percent(run.accuracy.value)}, ${says(cost(run))}</title>
                      </circle>
                    </g>
                  `,
                )}
                ${
                  framed &&
                  html`
                    <rect
                      x=${box[0]}
                      y=${box[1]}
                      width=${Math.max(0, box[2] - box[0])}
                      height=${Math.max(0, box[3] - box[1])}
                      fill="var(--accent)"
                      fill-opacity=".08"
                      stroke="var(--accent)"
                      stroke-width=".2"
                    />
                  `
                }
              </svg>
              <fieldset class="frame">
                <legend class="small">${t("compare.frame")}</legend>
                <span class="ends">
                  ${t(`compare.${by}`)}${" "}
                  ${end("cost_low", scale, t("compare.from", { what: t(`compare.${by}`), unit }))}${" "}
                  ${t("compare.to")}${" "}
                  ${end("cost_high", scale, t("compare.most", { what: t(`compare.${by}`), unit }))} ${unit}
                </span>
                <span class="ends">
                  ${t("compare.accuracy")}${" "}
                  ${end("low", 0.01, t("compare.from", { what: t("compare.accuracy"), unit: "%" }))}${" "}
                  ${t("compare.to")}${" "}
                  ${end("high", 0.01, t("compare.most", { what: t("compare.accuracy"), unit: "%" }))} %
                </span>
                ${
                  framed &&
                  html`
                    <button class="plain" onClick=${() => go({ frame: null }, { replace: true })}>
                      ${t("image.clear")}
                    </button>
                  `
                }
              </fieldset>
            </div>
            <div>
              <p class="small" role="status">
                ${t("compare.drag", { n: count(shown.length), of: count(known.length) })}
              </p>
              <div class="scroll">
                <table>
                  <thead>
                    <tr>
                      <th><span class="small">${t("runs.tick")}</span></th>
                      <th>${t("runs.name")}</th>
                      <th class="n">${t("runs.accuracy")}</th>
                      <th class="n">${t(`compare.${by}`)}</th>
                    </tr>
                  </thead>
                  <tbody>
                    ${shown.map(
                      (run) => html`
                        <tr>
                          <td>
                            <input
                              type="checkbox"
                              aria-label=${run.name}
                              checked=${names.includes(run.name)}
                              onChange=${() => tick(run.name)}
                            />
                          </td>
                          <td>
                            <a
                              href=${link({
                                page: "live",
                                run: run.name,
                                runs: null,
                                by: null,
                                frame: null,
                                data: null,
                                at: null,
                              })}
                            >
                              ${run.name}
                            </a>
                            <br />
                            <span class="small">${run.model}</span>
                          </td>
                          <td class="n">
                            ${percent(run.accuracy.value)}${" "}
                            <span class="small">
                              ${percent(run.accuracy.low)}–${percent(run.accuracy.high)}
                            </span>
                          </td>
                          <td class="n">${says(cost(run))}</td>
                        </tr>
                      `,
                    )}
                  </tbody>
                </table>
              </div>
            </div>
          </div>
        `;
      }}
    <//>
  `;
};

// A choice as the model that is kept has it; where it is another one, the recipe's beside it under its own name.
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

const Curves = ({ names }) => {
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
          ${found.length > 1 && html`<p class="small">${keys.length ? t("compare.differ") : t("compare.same")}</p>`}
        `;
      }}
    <//>
  `;
};

// Validation of runs on the same data, pass by pass.
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
