// The progress of a training, in numbers.
import { html } from "../../html.js";
import { t, count, number, percent, bytes, standing } from "../../i18n.js";

// Two short texts that change with each message are drawn separately.
const Step = ({ newest }) => count(newest.value.n.at(-1) ?? 0);
const Loss = ({ newest }) => number(newest.value.smooth.at(-1));

const Pace = ({ about, series, fitting }) => {
  const recent = series.seconds.slice(-20).filter((s) => s > 0);
  const speed = recent.length ? recent.length / recent.reduce((a, b) => a + b, 0) : null;
  const batch = about?.recipe?.batch;
  return html`
          <div>
            <dt>${t("live.rate")}</dt>
            <dd>${number(series.lr.at(-1), 2)}</dd>
          </div>
          <div>
            <dt>${t("live.speed")}</dt>
            <dd>
              ${
                speed && batch
                  ? html`${count(speed * batch)} <span class="small">${t("unit.images_s")}</span>`
                  : speed
                    ? html`${number(speed)} <span class="small">${t("unit.steps_s")}</span>`
                    : "–"
              }
            </dd>
          </div>
          ${
            fitting &&
            html`
              <div>
                <dt>${t("live.machine")}</dt>
                <dd>
                  ${
                    series.now
                      ? html`
                        ${number(series.now.cpu, 2)}${" "}
                        <span class="small">${t("unit.cores")} · ${bytes(series.now.memory)}</span>
                      `
                      : "–"
                  }
                </dd>
              </div>
            `
          }
  `;
};

const OTHER_LOSSES = { hinge: true, squared: true }; // than cross-entropy: they have no unit

export const Figures = ({ about, series, newest, now, fitting, fitted, validated }) => {
  const used = now.energy;
  return html`
    <dl class="figures">
      <div>
        <dt>${t("runs.status")}</dt>
        <dd>${standing(now)}</dd>
      </div>
      ${
        !fitted &&
        html`
          <div>
            <dt>${t("live.step")}</dt>
            <dd>
              <${Step} newest=${newest} />
              ${
                fitting && now.steps
                  ? html`
                    ${" "}
                    <span class="small">/ ${count(now.steps)}</span>
                  `
                  : ""
              }
            </dd>
          </div>
          <div>
            <dt>${t("live.loss")}</dt>
            <dd>
              <${Loss} newest=${newest} />${" "}
              <span class="small">${about?.recipe?.loss in OTHER_LOSSES ? "" : t("unit.nats")}</span>
            </dd>
          </div>
        `
      }
      <${Accuracy}
        epochs=${validated ? series.epochs : []}
        over=${about?.best && (validated || !series.epochs.length)}
        final=${about?.final}
      />
      ${!fitted && html`<${Pace} about=${about} series=${series} fitting=${fitting} />`}
      <div>
        <dt>
          ${t("runs.energy")}
          ${used ? `, ${t(`energy.${used.how}`)}` : ""}
        </dt>
        <dd>${used ? html`${number(used.joules / 3600)} <span class="small">Wh</span>` : "–"}</dd>
      </div>
    </dl>
  `;
};

// On validation: the result of the kept model, once there is one; the last epoch of another model is shown under its
// own name.
const Accuracy = ({ epochs, over, final }) => {
  const last = epochs.at(-1);
  const best = epochs.findLast((epoch) => epoch.best);
  const frozen = final?.kind === "frozen";
  if (!over)
    return html`
      <div>
        <dt>${t("live.validation")}</dt>
        <dd>
          ${percent(last?.validation_accuracy)}${" "}
          ${last && html`<span class="small">${t("live.pass", { n: count(last.n + 1) })}</span>`}
        </dd>
      </div>
    `;
  return html`
    <div>
      <dt>${t("live.validation.kept")}</dt>
      <dd>
        ${percent(final.validation)}${" "}
        ${
          frozen
            ? html`<span class="small">${t("live.first")}</span>`
            : best && html`<span class="small">${t("live.pass", { n: count(best.n + 1) })}</span>`
        }
      </dd>
    </div>
    ${
      last &&
      (frozen || last !== best) &&
      html`
        <div>
          <dt>${t("live.validation.last")}</dt>
          <dd>
            ${percent(last.validation_accuracy)}${" "}
            <span class="small">${t("live.pass", { n: count(last.n + 1) })}</span>
          </dd>
        </div>
      `
    }
  `;
};
