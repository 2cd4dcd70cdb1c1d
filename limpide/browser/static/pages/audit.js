// Every claim about the model and its data: verdict, sentence, numbers, and their source. And groups of images that the
// user chooses.
import { html, useState } from "../html.js";
import { place, go, language, snapshot } from "../state.js";
import { t, count, measured } from "../i18n.js";
import { ask, get, path } from "../api.js";
import { useFetched, Fetched } from "../use_fetched.js";
import { isJudged, OfFinal } from "./errors.js";
import { Plane, Scale, Framed, unsigned } from "../color_scale.js";

const WORST = ["bad", "warn", "unknown", "ok"];
const WAYS = ["class", "folder", "brightness", "size"];
const FEW = 12; // rows of a table

export default ({ about }) => {
  const { run, verdict = "" } = place.value;
  const state = useFetched(() => get(path(run, "/findings")), [run, language.value, about?.status]);
  return html`
    <h1>${t("page.audit")}</h1>
    <${Groups} run=${run} judged=${about ? isJudged(about) : undefined} />
    <${Shortcut} run=${run} />
    <h2>${t("errors.claims")}</h2>
    <${OfFinal} />
    <${Fetched} state=${state}>
      ${({ findings: all, not_run: waiting = [] }) => {
        // one unit opened, as on the page Unit: not a claim about the model
        const findings = all.filter((one) => one.name !== "inside" || one.verdict !== "ok");
        if (!findings.length) return html`<p class="read">${t("errors.none")}</p>`;
        const shown = findings
          .filter((one) => !verdict || one.verdict === verdict)
          .sort((a, b) => WORST.indexOf(a.verdict) - WORST.indexOf(b.verdict));
        const n = (kind) => findings.filter((one) => one.verdict === kind).length;
        return html`
          <div class="row" role="group" aria-label=${t("audit.filter")}>
            <button aria-pressed=${!verdict} onClick=${() => go({ verdict: null }, { replace: true })}>
              ${t("audit.all", { n: findings.length })}
            </button>
            ${WORST.filter(n).map(
              (kind) => html`
                <button aria-pressed=${verdict === kind} onClick=${() => go({ verdict: kind }, { replace: true })}>
                  ${t(`verdict.${kind}`)} · ${n(kind)}
                </button>
              `,
            )}
          </div>
          ${shown
            .filter((one) => verdict || one.verdict !== "ok")
            .map((one) => html`<${Finding} key=${one.name} one=${one} />`)}
          ${
            !verdict &&
            n("ok") > 0 &&
            html`
              <details open=${n("ok") === findings.length}>
                <summary>${t("audit.fine", { n: count(n("ok")) })}</summary>
                ${shown
                  .filter((one) => one.verdict === "ok")
                  .map((one) => html`<${Finding} key=${one.name} one=${one} />`)}
              </details>
            `
          }
          ${!verdict && waiting.map((one) => html`<p class="small" key=${one.name}>${one.title} · ${one.why}</p>`)}
        `;
      }}
    <//>
  `;
};

const Figures = ({ one }) => html`
  <dl class="figures">
    ${one.numbers.map(
      (n) => html`
        <div>
          <dt>${n.name}</dt>
          <dd>${measured(n.value, n.unit)}</dd>
          ${
            n.low != null &&
            html`
              <span class="small">
                ${t("audit.interval", { low: measured(n.low, n.unit), high: measured(n.high, n.unit) })}
              </span>
            `
          }
          ${
            n.n != null &&
            html`
              ${" "}
              <span class="small">${t("audit.n", { n: count(n.n) })}</span>
            `
          }
        </div>
      `,
    )}
  </dl>
`;

const Finding = ({ one, open = false }) => html`
  <section class="finding">
    <p>
      <span class=${`badge ${one.verdict}`}>${t(`verdict.${one.verdict}`)}</span>${" "}
      ${one.title && html`<span class="small">${one.title} · </span>`}
      ${one.text}
    </p>
    ${
      (one.numbers.length > 0 || one.rows.length > 0 || one.details.length > 0 || one.pictures.length > 0) &&
      html`
        <details open=${open}>
          <summary class="small">${t("image.evidence")}</summary>
          ${one.numbers.length > 0 && html`<${Figures} one=${one} />`}
          ${one.rows.length > 0 && html`<${Rows} one=${one} />`}
          ${
            one.pictures.filter((p) => p.jpeg).length > 0 &&
            html`
              <div class="probes">
                ${one.pictures
                  .filter((p) => p.jpeg)
                  .slice(0, FEW)
                  .map(
                    (p) => html`
                      <figure class="probe">
                        <img alt=${p.file} src=${`data:image/jpeg;base64,${p.jpeg}`} />
                        ${t("errors.said", { label: p.label, predicted: p.predicted })}
                      </figure>
                    `,
                  )}
              </div>
            `
          }
          ${one.details.map((text) => html`<p class="small">${text}</p>`)}
          ${one.source && html`<p class="small">${t("audit.source", { source: one.source })}</p>`}
        </details>
      `
    }
  </section>
`;

const Rows = ({ one }) => {
  const [all, show] = useState(false);
  const n = (form) => (form === "text" ? "" : "n");
  return html`
    <div class="scroll">
      <table>
        <thead>
          <tr>${one.columns.map(([name, form]) => html`<th class=${n(form)}>${name}</th>`)}</tr>
        </thead>
        <tbody>
          ${one.rows.slice(0, all ? undefined : FEW).map(
            (row) => html`
              <tr>
                ${row.map(
                  (value, k) => html`<td class=${n(one.columns[k][1])}>${measured(value, one.columns[k][1])}</td>`,
                )}
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
    ${
      one.rows.length > FEW &&
      html`
        <button onClick=${() => show(!all)}>${all ? t("less") : t("more", { n: one.rows.length - FEW })}</button>
      `
    }
  `;
};

const Method = ({ run, one }) => html`
  <figure style="margin: 0">
    <${Framed}
      src=${path(run, "/look/picture", { image: `row-${one.row}`, snapshot: snapshot() })}
      box=${one.box}
      label=${one.class}
    />
    <figcaption class="small">${t("shortcut.place", { label: one.class })}</figcaption>
    <${Plane}
      values=${one.shares.flat()}
      height=${8}
      width=${8}
      scale=${1}
      paint=${unsigned}
      className="shares"
      label=${t("shortcut.map", { label: one.class })}
    />
    <${Scale} most=${100} both=${false} unit="%" />
    <p class="small">${t("shortcut.map", { label: one.class })}. ${t("shortcut.tried")}</p>
  </figure>
`;

// Is there a place that decides a class by itself? A search finds a candidate, and a test examines it.
const Shortcut = ({ run }) => {
  const [asked, askFor] = useState(false);
  const state = useFetched(
    () => (asked ? ask(run, "shortcut", { snapshot: snapshot() }) : Promise.resolve(null)),
    [run, asked, snapshot(), language.value],
  );
  return html`
    <h2>${t("shortcut")}</h2>
    <p class="small">${t("shortcut.read")}</p>
    ${
      !asked
        ? html`
          <p>
            <button onClick=${() => askFor(true)}>${t("shortcut.ask")}</button>${" "}
            <span class="small">${t("shortcut.takes")}</span>
          </p>
        `
        : html`
          <${Fetched} state=${state} doing=${t("shortcut.doing")}>
            ${(found) =>
              found &&
              html`
                <${Finding} one=${found.finding} open=${true} />
                <div class="methods">
                  ${found.shown.map((one) => html`<${Method} run=${run} one=${one} />`)}
                </div>
                ${
                  found.shown.length < found.judged &&
                  html`
                    <p class="small">
                      ${t("shortcut.first", { n: count(found.shown.length), of: count(found.judged) })}
                    </p>
                  `
                }
                ${
                  found.judged < found.of &&
                  html`
                    <p class="small">${t("shortcut.judged", { n: count(found.judged), of: count(found.of) })}</p>
                  `
                }
              `}
          <//>
        `
    }
  `;
};

// For whom does it fail? The same test images, grouped in another way.
const Groups = ({ run, judged }) => {
  const by = place.value.by ?? "";
  const state = useFetched(
    () => (by && judged ? ask(run, "groups", { by }) : Promise.resolve(null)),
    [run, by, judged, language.value],
  );
  return html`
    <h2>${t("audit.groups")}</h2>
    <p class="small">${t("audit.groups_read")}</p>
    <div class="row" role="group" aria-label=${t("audit.groups")}>
      ${WAYS.map(
        (way) => html`
          <button aria-pressed=${by === way} onClick=${() => go({ by: way }, { replace: true })}>
            ${t(`audit.by.${way}`)}
          </button>
        `,
      )}
    </div>
    ${by && judged === false && html`<p class="read">${t("errors.none")}</p>`}
    ${
      by &&
      judged &&
      html`
        <${Fetched} state=${state} doing=${t("audit.doing")}>
          ${(found) =>
            found &&
            html`
              <${Finding} one=${found.finding} open=${true} />
              ${
                found.judged < found.of &&
                html`<p class="small">${t("audit.judged", { n: count(found.judged), of: count(found.of) })}</p>`
              }
            `}
        <//>
      `
    }
  `;
};
