// Where it is wrong: the matrix, the largest losses, how far its confidence can be believed, and labels that may be
// wrong.
import { html, useState } from "../html.js";
import { place, snapshot } from "../state.js";
import { t, chance, count, percent, number } from "../i18n.js";
import { ask, get, path, send } from "../api.js";
import { useFetched, Fetched } from "../use_fetched.js";
import { unsigned, cell } from "../color_scale.js";
import { Thumbs } from "../thumbnails.js";

const MOST_CLASSES = 20; // of a matrix that is still readable
const FEW = 12;

export default ({ about }) => {
  const { run } = place.value;
  const judged = isJudged(about);
  const state = useFetched(
    () => Promise.all(judged ? [ask(run, "worst", {}), ask(run, "suspects", {}), get(path(run, "/marks"))] : []),
    [run, judged],
  );
  if (about && !judged)
    return html`
      <h1>${t("page.errors")}</h1>
      <p class="read">${t("errors.later")}</p>
    `;
  return html`
    <${Fetched} state=${state}>
      ${([worst, suspects, { marks, file } = {}]) =>
        worst && html`<${Shown} run=${run} worst=${worst} suspects=${suspects} known=${marks} file=${file} />`}
    <//>
  `;
};

export const isJudged = (about) => !!(about?.accuracy || about?.status === "finished");

/** A note that other weights than the final ones were not judged. */
export const OfFinal = () => snapshot() !== "best" && html`<p class="small" role="note">${t("errors.final")}</p>`;

/** The user's judgement of the labels, by file: {marks, mark, failed}. */
const useMarks = (run, known) => {
  const byFile = (list) => Object.fromEntries(list.map((one) => [one.file, one.suggested]));
  const [marks, set] = useState(byFile(known));
  const [failed, fail] = useState("");
  const mark = async (one, suggested) => {
    try {
      const { marks } = await send(path(run, "/marks"), { file: one.file, label: one.label, suggested });
      set(byFile(marks));
      fail("");
    } catch (error) {
      fail(error.message);
      set({ ...marks }); // the choice returns to the kept value
    }
  };
  return { marks, mark, failed };
};

/** The correct label of an image. kept: the result of useMarks; a new one whenever a choice has to be redrawn. */
const Choice = ({ one, classes, kept: { marks, mark } }) => html`
  <select
    aria-label=${t("marks.choose", { file: one.file })}
    value=${marks[one.file] ?? ""}
    onChange=${(event) => mark(one, event.target.value)}
  >
    <option value="">${t("marks.unseen")}</option>
    <option value=${one.label}>${t("marks.right")}</option>
    <option value="?">${t("marks.unsure")}</option>
    ${classes
      .filter((label) => label !== one.label)
      .map((label) => html`<option value=${label}>${t("marks.is", { label })}</option>`)}
  </select>
`;

const said = (one) => html`
  ${t("errors.said", { label: one.label, predicted: one.predicted })}, ${chance(one.probability)}
`;
const losing = (one) => html`
  ${said(one)}${" "}
  <span class="small">${number(one.loss, 3)} ${t("unit.nats")}</span>
`;

const Claim = ({ worst: { wrong, total, interval } }) => html`
  <h1>
    ${t("errors.claim", {
      wrong: count(wrong),
      n: count(total),
      p: percent(wrong / total),
    })}
  </h1>
  ${
    interval &&
    html`
      <p class="small">
        ${t("audit.interval", { low: percent(interval[0]), high: percent(interval[1]) })}
      </p>
    `
  }
`;

/** The most expensive mistakes, and the closest correct answers. */
const Mistakes = ({ run, worst, choice }) => html`
  <h2>${t("errors.mistakes")}</h2>
  <p class="small">
    ${
      worst.wrong
        ? t("errors.loss_read", { mean: number(worst.mean_loss, 3) })
        : t("errors.mistakes_none", { n: count(worst.total) })
    }
  </p>
  <${More} run=${run} images=${worst.mistakes} caption=${losing} below=${choice} />
  ${
    worst.doubtful.length > 0 &&
    html`
      <h2>${t("errors.doubtful")}</h2>
      <p class="small">
        ${!worst.wrong && t("errors.loss_read", { mean: number(worst.mean_loss, 3) })}${" "}
        ${t("errors.doubtful_read")}
      </p>
      <${More} run=${run} images=${worst.doubtful} caption=${losing} below=${choice} />
    `
  }
`;

/** Labels that may be wrong, and the choices for them. */
const Labels = ({ run, suspects, choice, kept: { marks, failed }, file }) => {
  const n = Object.keys(marks).length;
  return html`
    <h2>${t("errors.labels")}</h2>
    <p class="read">
      ${
        suspects.total
          ? t("errors.labels_read", { n: count(suspects.total), of: count(suspects.of) })
          : t("errors.labels_none", { of: count(suspects.of) })
      }
    </p>
    <${More}
      run=${run}
      images=${suspects.images}
      caption=${(one) => t("errors.may_be", { label: one.label, suggested: one.suggested })}
      below=${choice}
    />
    ${failed && html`<p class="error" role="alert">${failed}</p>`}
    <p class="small" role="status">
      ${n ? t("marks.kept", { n: count(n), file }) : t("marks.none", { file })}
    </p>
  `;
};

const Shown = ({ run, worst, suspects, known, file }) => {
  const kept = useMarks(run, known);
  const choice = (one) => html`<${Choice} one=${one} classes=${worst.classes} kept=${kept} />`;
  return html`
    <${Claim} worst=${worst} />
    <${OfFinal} />
    <${Matrix} run=${run} worst=${worst} choice=${choice} />
    <${Mistakes} run=${run} worst=${worst} choice=${choice} />
    <${Labels} run=${run} suspects=${suspects} choice=${choice} kept=${kept} file=${file} />
    <${Reliability} finding=${worst.finding} bins=${worst.bins} />
  `;
};

const More = ({ run, images, caption, below }) => {
  const [all, show] = useState(false);
  return html`
    <${Thumbs} run=${run} images=${all ? images : images.slice(0, FEW)} caption=${caption} below=${below} />
    ${
      images.length > FEW &&
      html`
        <p>
          <button aria-expanded=${all ? "true" : "false"} onClick=${() => show(!all)}>
            ${all ? t("less") : t("more", { n: images.length - FEW })}
          </button>
        </p>
      `
    }
  `;
};

const Counts = ({ matrix, classes, chosen, choose, most }) => html`
  <div class="scroll">
    <table class="matrix" style="width: auto">
      <thead>
        <tr>
          <th></th>
          ${classes.map((label) => html`<th class="n">${label}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${matrix.map(
          (row, k) => html`
            <tr>
              <th>${classes[k]}</th>
              ${row.map(
                (n, j) => html`
                  <td class="n" style=${j !== k && n ? cell(unsigned(0.15 + (0.35 * n) / most, 1)) : ""}>
                    ${
                      n
                        ? html`
                          <button
                            aria-pressed=${chosen && chosen[0] === k && chosen[1] === j}
                            onClick=${() => choose([k, j])}
                          >
                            ${count(n)}
                          </button>
                        `
                        : j === k
                          ? "0"
                          : html`<span class="small">·</span>`
                    }
                  </td>
                `,
              )}
            </tr>
          `,
        )}
      </tbody>
    </table>
  </div>
`;

const Matrix = ({ run, worst, choice }) => {
  const { matrix, classes } = worst;
  const [chosen, choose] = useState(null);
  const state = useFetched(
    () => (chosen ? ask(run, "cell", { truth: chosen[0], said: chosen[1] }) : Promise.resolve(null)),
    [run, chosen],
  );
  const pairs = matrix
    .flatMap((row, k) => row.map((n, j) => [n, k, j]))
    .filter(([n, k, j]) => n && k !== j)
    .sort((a, b) => b[0] - a[0]);
  const most = pairs.length ? pairs[0][0] : 1;
  const table = html`
    <${Counts} matrix=${matrix} classes=${classes} chosen=${chosen} choose=${choose} most=${most} />
  `;
  const list = html`
    <table>
      <tbody>
        ${pairs.slice(0, FEW).map(
          ([n, k, j]) => html`
            <tr>
              <td>${t("errors.said", { label: classes[k], predicted: classes[j] })}</td>
              <td class="n"><button onClick=${() => choose([k, j])}>${count(n)}</button></td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  `;
  return html`
    <h2>${t("errors.matrix")}</h2>
    <p class="small">${t(classes.length > MOST_CLASSES ? "errors.pairs_read" : "errors.matrix_read")}</p>
    ${classes.length > MOST_CLASSES ? list : table}
    ${
      chosen &&
      html`
        <h3 role="status">${t("errors.said", { label: classes[chosen[0]], predicted: classes[chosen[1]] })}</h3>
        <${Fetched} state=${state}>
          ${(found) =>
            found &&
            html`
              <${Thumbs} run=${run} images=${found.images} caption=${said} below=${choice} />
              ${
                found.total > found.images.length &&
                html`
                  <p class="small">
                    ${t("errors.first", { n: count(found.images.length), of: count(found.total) })}
                  </p>
                `
              }
            `}
        <//>
      `
    }
  `;
};

/** How sure it was against how often it was right: on the line, both are the same. */
const Diagram = ({ bins }) => {
  const at = (value) => 100 * value;
  const top = Math.max(1, ...bins.map((bin) => bin.n));
  return html`
    <svg
      viewBox="-24 -4 134 122"
      role="img"
      aria-label=${t("errors.reliability")}
      style="max-width: 24rem; width: 100%"
    >
      <rect x="0" y="0" width="100" height="100" fill="none" stroke="var(--line)" stroke-width=".5" />
      <line x1="0" y1="100" x2="100" y2="0" stroke="var(--soft)" stroke-width=".5" stroke-dasharray="2 2" />
      ${bins
        .filter((bin) => bin.n)
        .map(
          (bin) => html`
            <line
              x1=${at(bin.confidence)}
              x2=${at(bin.confidence)}
              y1=${100 - at(bin.accuracy_low)}
              y2=${100 - at(bin.accuracy_high)}
              stroke="var(--accent)"
              stroke-width=".6"
            />
            <circle
              cx=${at(bin.confidence)}
              cy=${100 - at(bin.accuracy)}
              r=${1.2 + 2.5 * Math.sqrt(bin.n / top)}
              fill="var(--accent)"
            >
              <title>${percent(bin.confidence)} → ${percent(bin.accuracy)}, ${count(bin.n)}</title>
            </circle>
          `,
        )}
      ${[0, 0.5, 1].map(
        (v) => html`
          <text x=${at(v)} y="107" font-size="5" text-anchor="middle" fill="var(--soft)">
            ${percent(v, 0)}
          </text>
          <text x="-2" y=${101.5 - at(v)} font-size="5" text-anchor="end" fill="var(--soft)">
            ${percent(v, 0)}
          </text>
        `,
      )}
      <text x="50" y="115" font-size="5" text-anchor="middle" fill="var(--soft)">
        ${t("errors.stated")}
      </text>
      <text x="-18" y="50" font-size="5" text-anchor="middle" fill="var(--soft)" transform="rotate(-90 -18 50)">
        ${t("errors.observed")}
      </text>
    </svg>
  `;
};

const Bins = ({ bins }) => html`
  <table>
    <thead>
      <tr>
        <th class="n">${t("errors.stated")}</th>
        <th class="n">${t("errors.observed")}</th>
        <th class="n">${t("errors.interval")}</th>
        <th class="n">${t("errors.images")}</th>
      </tr>
    </thead>
    <tbody>
      ${bins
        .filter((bin) => bin.n)
        .map(
          (bin) => html`
            <tr>
              <td class="n">${percent(bin.confidence)}</td>
              <td class="n">${percent(bin.accuracy)}</td>
              <td class="n">${percent(bin.accuracy_low, 0)} – ${percent(bin.accuracy_high, 0)}</td>
              <td class="n">${count(bin.n)}</td>
            </tr>
          `,
        )}
    </tbody>
  </table>
`;

const Reliability = ({ finding, bins }) => {
  const [error, measured, luck] = finding.numbers;
  return html`
    <h2>${t("errors.reliability")}</h2>
    <p class="read">${finding.text}</p>
    <p class="small">
      ${t("errors.reliability_read", {
        error: percent(error.value),
        low: percent(error.low),
        high: percent(error.high),
        measured: percent(measured.value),
        chance: percent(luck.value),
      })}
    </p>
    <div class="two even">
      <${Diagram} bins=${bins} />
      <${Bins} bins=${bins} />
    </div>
  `;
};
