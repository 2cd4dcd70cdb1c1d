// The images themselves: how many of each class each part has, which are nearly the same, and how training changes one.
import { html, useState } from "../html.js";
import { place, go, looked, lookedAt } from "../state.js";
import { t, count } from "../i18n.js";
import { ask, picture } from "../api.js";
import { useFetched, Fetched } from "../use_fetched.js";
import { Plot } from "../plot.js";
import { Thumbs } from "../thumbnails.js";

const PARTS = ["train", "validation", "calibration", "test"];
const USUAL = 42; // bits: data/near_duplicates.py

const where = (one) => [one.label, one.part && t(`part.${one.part}`)].filter(Boolean).join(" · ");

export default ({ about }) => {
  const { run } = place.value;
  return html`
    <h1>${t("page.data")}</h1>
    <${Album} run=${run} />
    <${Alike} run=${run} />
    ${about?.status !== "opened" && html`<${Augmented} run=${run} />`}
  `;
};

const Groups = ({ label, show, found, classes, sum, parts, most }) => html`
  <div class="scroll">
    <table>
      <thead>
        <tr>
          <th>${t("data.class")}</th>
          ${parts.map((name) => html`<th class="n">${t(`part.${name}`)}</th>`)}
          <th class="n">${t("data.all")}</th>
          <th></th>
        </tr>
      </thead>
      <tbody>
        ${classes.map(
          (name) => html`
            <tr>
              <td>
                <button
                  class="plain"
                  aria-pressed=${label === name}
                  onClick=${() => show({ label: label === name ? null : name })}
                >
                  ${name || "–"}
                </button>
              </td>
              ${parts.map((each) => html`<td class="n">${count(found.counts[name][each] ?? 0)}</td>`)}
              <td class="n">${count(sum(found.counts[name]))}</td>
              <td style="width: 35%">
                <span class="beam" style=${`width: ${(100 * sum(found.counts[name])) / most}%`}></span>
              </td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  </div>
`;

const More = ({ part, label, start, show, found, classes, parts }) => html`
  <div class="row">
    <label>
      ${t("data.part")}${" "}
      <select value=${part} onChange=${(event) => show({ part: event.target.value })}>
        <option value="">${t("data.every")}</option>
        ${parts.map((name) => html`<option value=${name}>${t(`part.${name}`)}</option>`)}
      </select>
    </label>
    <label>
      ${t("data.class")}${" "}
      <select value=${label} onChange=${(event) => show({ label: event.target.value })}>
        <option value="">${t("data.every")}</option>
        ${classes.map((name) => html`<option value=${name}>${name}</option>`)}
      </select>
    </label>
    <span class="small">
      ${t("data.shown", {
        from: count(found.total ? found.start + 1 : 0),
        to: count(Math.min(found.total, found.start + found.page)),
        of: count(found.total),
      })}
    </span>
    <button
      disabled=${start <= 0}
      onClick=${() => go({ start: Math.max(0, start - found.page) }, { replace: true })}
    >
      ${t("data.before")}
    </button>
    <button
      disabled=${found.start + found.page >= found.total}
      onClick=${() => go({ start: start + found.page }, { replace: true })}
    >
      ${t("data.next")}
    </button>
  </div>
`;

const Album = ({ run }) => {
  const { part = "", label = "" } = place.value;
  const start = Number(place.value.start ?? 0);
  const state = useFetched(() => ask(run, "album", { part, label, start }), [run, part, label, start], {
    keep: true,
  });
  const show = (values) => go({ start: null, ...values }, { replace: true });
  return html`
    <${Fetched} state=${state}>
      ${(found) => {
        const classes = Object.keys(found.counts);
        const sum = (one) => Object.values(one).reduce((a, b) => a + b, 0);
        const parts = PARTS.filter((name) => classes.some((each) => found.counts[each][name]));
        const most = Math.max(...classes.map((name) => sum(found.counts[name])));
        return html`
          <${Groups}
            label=${label}
            show=${show}
            found=${found}
            classes=${classes}
            sum=${sum}
            parts=${parts}
            most=${most}
          />
          <${More}
            part=${part}
            label=${label}
            start=${start}
            show=${show}
            found=${found}
            classes=${classes}
            parts=${parts}
          />
          <${Thumbs} run=${run} images=${found.images} caption=${where} />
        `;
      }}
    <//>
  `;
};

const Copies = ({ run, crosses, pair }) => html`
  <div class="pair">
    <${Thumbs} run=${run} images=${[pair.first, pair.second]} caption=${where} />
    <p class="small">
      ${t("data.distance", { n: pair.distance })}
      ${
        pair.first.label !== pair.second.label
          ? html`
            ${" "}
            <span class="badge bad">${t("data.two_labels")}</span>
          `
          : ""
      }
      ${
        crosses(pair)
          ? html`
            ${" "}
            <span class="badge warn">${t("data.two_parts")}</span>
          `
          : ""
      }
    </p>
  </div>
`;

// Copies: move the threshold, and see which images count as the same.
const Alike = ({ run }) => {
  const [asked, askFor] = useState(false);
  const [bits, set] = useState(USUAL);
  const state = useFetched(
    () => (asked ? ask(run, "alike", { distance: bits }) : Promise.resolve(null)),
    [run, asked, bits],
    { keep: true },
  );
  const crosses = (pair) => pair.first.part !== pair.second.part;
  return html`
    <h2>${t("data.alike")}</h2>
    <p class="read">${t("data.alike_read", { usual: USUAL })}</p>
    ${
      !asked
        ? html`<button onClick=${() => askFor(true)}>${t("data.look")}</button>`
        : html`
          <${Fetched} state=${state} doing=${t("data.looking")}>
            ${(found) =>
              found &&
              html`
                <label class="row small">
                  ${t("data.threshold", { n: bits })}${" "}
                  <input
                    type="range"
                    min="0"
                    max=${found.counts.length - 1}
                    value=${bits}
                    style="flex: 1"
                    onInput=${(event) => set(Number(event.target.value))}
                  />
                </label>
                <${Plot}
                  data=${[found.counts.map((_, k) => k), found.counts]}
                  xLabel=${t("data.bits")}
                  yLabel=${t("data.pairs")}
                  height=${150}
                  marks=${[bits]}
                  series=${[{ label: t("data.pairs"), stroke: "--accent" }]}
                />
                <p class="small" role="status">
                  ${t("data.found", { n: count(found.total), compared: count(found.compared), of: count(found.of) })}
                </p>
                ${found.pairs.map((pair) => html`<${Copies} run=${run} crosses=${crosses} pair=${pair} />`)}
              `}
          <//>
        `
    }
  `;
};

const Augmented = ({ run }) => {
  const [seed, draw] = useState(0);
  const state = useFetched(() => picture(run, "augmented", { ...looked(), seed }), [run, seed, lookedAt()], {
    keep: true,
  });
  return html`
    <h2>${t("data.augmented")}</h2>
    <${Fetched} state=${state}>
      ${(found) =>
        !found
          ? html`<p class="read">${t("data.augmented_none")}</p>`
          : html`
            <p class="small">${t("data.augmented_read")}</p>
            <img class="pixels" style="width: 100%; display: block" alt=${t("data.augmented")} src=${found.url} />
            <p><button onClick=${() => draw(seed + 1)}>${t("data.again")}</button></p>
          `}
    <//>
  `;
};
