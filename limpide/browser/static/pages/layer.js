// One layer: its filters, its output for the image, and how its numbers changed during learning.
import { html, useState, useMemo } from "../html.js";
import { alone, place, link, go, snapshot, looked, lookedAt } from "../state.js";
import { t, count, number } from "../i18n.js";
import { ask, array, get, path } from "../api.js";
import { useFetched, Fetched } from "../use_fetched.js";
import { Plane, Scale, most } from "../color_scale.js";
import { Plot } from "../plot.js";

export const Chain = ({ key_, unit }) => html`
  <p class="crumbs">
    ${
      !alone &&
      html`
        <a href=${link({ page: "live" })}>${t("chain.curve")}</a> ›${" "}
      `
    }
    ${
      unit
        ? html`<a href=${link({ page: "layer", c: null, y: null, x: null })}>${key_}</a> › ${unit}`
        : html`<a href=${link({ page: "anatomy" })}>${t("page.anatomy")}</a> › ${key_}`
    }
  </p>
`;

export const LayerChoice = ({ run, key_ }) => {
  const state = useFetched(() => ask(run, "anatomy", looked()), [run, lookedAt()]);
  const ops = state.value?.ops ?? [];
  return html`
    <label class="row small">
      ${t("layer.choose")}${" "}
      <select value=${key_} onChange=${(event) => go({ key: event.target.value, c: null, y: null, x: null })}>
        ${ops.map((op) => html`<option value=${op.key}>${op.key} — ${op.kind} ${op.shape.join("×")}</option>`)}
      </select>
    </label>
  `;
};

/** {value, error} of a question: the first convolution or linear layer, when the URL names no layer. */
export const useKey = (run) => {
  const wanted = place.value.key;
  const state = useFetched(
    () =>
      wanted
        ? Promise.resolve(wanted)
        : ask(run, "anatomy", looked()).then(
            ({ ops }) =>
              (ops.find((op) => op.name === "conv2d") ?? ops.find((op) => op.name === "linear") ?? ops[0]).key,
          ),
    [run, wanted, snapshot()],
    { keep: true, still: true, of: run },
  ); // other weights of one network have the same layers
  return wanted ? { value: wanted } : state;
};

export default () => {
  const { run } = place.value;
  return html`<${Fetched} state=${useKey(run)}>${(key) => html`<${Layer} run=${run} key_=${key} />`}<//>`;
};

const Layer = ({ run, key_ }) => {
  const [order, sort] = useState("index");
  const maps = useFetched(() => array(run, "maps", { ...looked(), key: key_ }), [run, key_, lookedAt()]);
  const anatomy = useFetched(() => ask(run, "anatomy", looked()), [run, lookedAt()], {
    keep: true,
    still: true,
    of: run,
  });
  const ops = anatomy.value?.ops ?? [];
  const op = ops.find((one) => one.key === key_);
  const filtering = ["conv2d", "linear"].includes(op?.name);
  const filters = useFetched(
    () => (filtering ? array(run, "kernels", { ...looked(), key: key_ }) : Promise.resolve(null)),
    [run, key_, lookedAt(), filtering],
  );
  const stats = useFetched(() => get(path(run, "/stats")), [run]);
  return html`
    <${Chain} key_=${key_} />
    <${Title} key_=${key_} op=${op} ops=${ops} />
    <${LayerChoice} run=${run} key_=${key_} />
    <${Fetched} state=${maps}>
      ${(found) => html`<${Maps} found=${found} key_=${key_} order=${order} sort=${sort} />`}
    <//>
    <${Fetched} state=${filters}>${(found) => (found ? html`<${Filters} found=${found} />` : "")}<//>
    <${Fetched} state=${stats}>${({ stats }) => html`<${History} stats=${stats} key_=${key_} />`}<//>
  `;
};

const FAINT = 0.02; // of the largest value of all maps: below it a tile looks blank
const WORDS = ["conv2d", "linear", "batch_norm", "relu", "max_pool2d"]; // kinds that have a sentence

/** The kind of the layer, its number among that kind, and what such a layer does. */
const Title = ({ key_, op, ops }) => {
  const kind = WORDS.includes(op?.name) ? op.name : "other";
  const alike = ops.filter((one) => one.kind === op?.kind);
  const n = alike.indexOf(op) + 1;
  const what = kind === "other" ? op?.kind : t(`layer.kind.${kind}`);
  return html`
    <h1>
      ${key_}
      ${op && `, ${alike.length === 1 ? what : t("layer.which", { what, n: count(n), of: count(alike.length) })}`}
    </h1>
    ${op && html`<p class="read">${t(`layer.what.${kind}`)}</p>`}
  `;
};

/** The distribution of the numbers: the middles of forty bins, and their counts. */
const histogramOf = ({ values }) => {
  const bins = new Array(40).fill(0);
  let low = Infinity,
    high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  for (const value of values) bins[Math.min(39, Math.floor(((value - low) / (high - low || 1)) * 40))]++;
  return [bins.map((_, k) => low + ((k + 0.5) / 40) * (high - low)), bins];
};

const Sort = ({ order, sort }) => html`
  <button
    aria-pressed=${order === "strength"}
    onClick=${() => sort(order === "strength" ? "index" : "strength")}
  >
    ${t("layer.sort")}
  </button>
`;

/** The output of a layer without places: one number a unit. */
const Vector = ({ found, key_, order, sort, scale }) => {
  const width = found.shape[2];
  const values = Array.from(found.values)
    .map((value, k) => [k, value])
    .sort((a, b) => (order === "strength" ? b[1] - a[1] : 0))
    .slice(0, 200);
  return html`
    <h2>${t("layer.values")}</h2>
    <div class="row"><${Sort} order=${order} sort=${sort} /></div>
    <div class="maps">
      ${values.map(
        ([k, value]) => html`
          <a
            class="map"
            style="text-decoration: none"
            href=${link({ page: "unit", key: key_, c: k % width, y: Math.floor(k / width), x: 0 })}
          >
            ${t("layer.unit", { n: k % width })}${" "}
            <span
              class=${`beam ${value < 0 ? "minus" : "plus"}`}
              style=${`width: ${(3.5 * Math.abs(value)) / (scale || 1)}rem`}
            ></span>${" "}
            ${number(value)}
          </a>
        `,
      )}
    </div>
  `;
};

const Maps = ({ found, key_, order, sort }) => {
  const [channels, height, width] = found.shape;
  const size = height * width;
  const plane = (c) => found.values.subarray(c * size, (c + 1) * size);
  const scale = useMemo(() => most(found.values), [found]);
  const strength = useMemo(
    () => Array.from({ length: channels }, (_, c) => plane(c).reduce((a, b) => Math.max(a, b), -Infinity)),
    [found],
  );
  const shown = Array.from({ length: channels }, (_, c) => c);
  if (order === "strength") shown.sort((a, b) => strength[b] - strength[a]);
  const histogram = useMemo(() => histogramOf(found), [found]);
  if (height === 1) return html`<${Vector} found=${found} key_=${key_} order=${order} sort=${sort} scale=${scale} />`;
  return html`
    <h2>${t("layer.maps")}</h2>
    <div class="row">
      <${Sort} order=${order} sort=${sort} />
      <${Scale} most=${scale} />
    </div>
    <div class="maps">
      ${shown.map(
        (c) => html`
          <div class="map">
            <${Plane}
              values=${plane(c)}
              height=${height}
              width=${width}
              scale=${scale}
              label=${t("layer.map", { n: c })}
              onClick=${(y, x) => go({ page: "unit", key: key_, c, y, x })}
            />
            ${most(plane(c)) < FAINT * scale && html`<span class="faint">${t("layer.faint")}</span>`}
            <a
              href=${link({
                page: "unit",
                key: key_,
                c,
                y: Math.floor(height / 2),
                x: Math.floor(width / 2),
              })}
            >
              ${t("layer.channel", { n: c })}
            </a>${" "}
            <span>${number(strength[c], 2)}</span>
          </div>
        `,
      )}
    </div>
    <p class="small">${t("layer.click")}</p>
    <h2>${t("layer.histogram")}</h2>
    <${Plot}
      data=${histogram}
      xLabel=${t("layer.value")}
      yLabel=${t("layer.count")}
      height=${160}
      series=${[{ label: t("layer.count"), stroke: "--accent", bars: true }]}
    />
  `;
};

/** For a filter on red, green and blue, the colour that it looks for: grey is 0. */
const rgb = (size) => (value, most, k, values) =>
  [0, 1, 2].map((i) => 127.5 * (1 + values[i * size + k] / (most || 1)));

const Filters = ({ found }) => {
  const [out, into, height, width] = found.shape;
  const size = height * width;
  const scale = useMemo(() => most(found.values), [found]);
  if (size === 1 || (height === 1 && into === 1)) return "";
  const colour = into === 3;
  const shown = Array.from({ length: Math.min(out, 64) }, (_, o) => o);
  return html`
    <h2>${t("layer.filters")}</h2>
    <p class="small">${colour ? t("layer.rgb") : into > 1 ? t("layer.first_only", { n: into }) : ""}</p>
    <${Scale} most=${scale} />
    <div class="maps">
      ${shown.map(
        (o) => html`
          <div class="map">
            ${
              colour &&
              html`
                <${Plane}
                  values=${found.values.subarray(o * into * size, (o + 1) * into * size)}
                  height=${height}
                  width=${width}
                  scale=${scale}
                  paint=${rgb(size)}
                  label=${t("layer.filter", { n: o })}
                />
              `
            }
            <div style="display: flex; gap: 2px; margin-top: 2px">
              ${Array.from(
                { length: colour ? 3 : 1 },
                (_, i) => html`
                  <${Plane}
                    values=${found.values.subarray((o * into + i) * size, (o * into + i + 1) * size)}
                    height=${height}
                    width=${width}
                    scale=${scale}
                    label=${t("layer.filter", { n: o })}
                  />
                `,
              )}
            </div>
            ${t("layer.channel", { n: o })}
          </div>
        `,
      )}
    </div>
  `;
};

/** How many numbers lie in each of the bins from low to high; nothing where they were not kept. */
const Distribution = ({ of, xLabel, stroke, step }) => {
  if (!of?.counts.length) return html`<div></div>`;
  const { low, high, counts } = of;
  return html`
    <${Plot}
      data=${[counts.map((_, k) => low + ((k + 0.5) / counts.length) * (high - low)), counts]}
      xLabel=${xLabel}
      yLabel=${t("layer.count")}
      height=${170}
      series=${[{ label: t("layer.at_step", { n: count(step) }), stroke, bars: true }]}
    />
  `;
};

/** How many gradients are exactly 0, or that none were kept. */
const Silent = ({ of }) => {
  if (!of?.counts.length) return html`<p class="small">${t("layer.no_gradients")}</p>`;
  const n = of.counts.reduce((a, b) => a + b, 0);
  return of.zeros
    ? html`<p class="small">${t("layer.zero_gradients", { zeros: count(of.zeros), n: count(n) })}</p>`
    : "";
};

const History = ({ stats, key_ }) => {
  const names = Object.keys(stats.at(-1)?.parameters ?? {}).filter(
    (name) => name.startsWith(key_ + ".") || name === key_,
  );
  if (!names.length || stats.length < 2) return "";
  const steps = stats.map((line) => line.step);
  const at =
    snapshot() === "best"
      ? stats.length - 1
      : Math.max(
          0,
          stats.findLastIndex((line) => line.step <= Number(snapshot())),
        );
  return html`
    <h2>${t("layer.history")}</h2>
    <p class="small">${t("layer.gradients")}</p>
    ${names.map((name) => {
      const column = (field) => stats.map((line) => line.parameters[name]?.[field] ?? null);
      const weights = stats[at].parameters[name];
      return html`
        <h3>${name}</h3>
        <${Plot}
          data=${[steps, column("norm"), column("gradient")]}
          xLabel=${t("axis.steps")}
          yLabel=${t("layer.norms")}
          height=${170}
          series=${[
            { label: t("layer.norm"), stroke: "--ink", points: true },
            { label: t("layer.gradient"), stroke: "--plus", points: true },
          ]}
        />
        <div class="two even">
          <${Distribution} of=${weights} xLabel=${t("layer.weight")} stroke="--accent" step=${stats[at].step} />
          <${Distribution}
            of=${weights.gradients}
            xLabel=${t("layer.gradient_value")}
            stroke="--plus"
            step=${stats[at].step}
          />
        </div>
        <${Silent} of=${weights.gradients} />
        <input
          type="range"
          min="0"
          max=${stats.length - 1}
          value=${at}
          aria-label=${t("layer.scrub")}
          style="width: 100%"
          onInput=${(event) => go({ at: String(stats[event.target.value].step) }, { replace: true })}
        />
      `;
    })}
  `;
};
