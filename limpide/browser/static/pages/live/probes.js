// The watched images, for which a run predicts again and again.
import { html } from "../../html.js";
import { link, snapshot } from "../../state.js";
import { t, count, percent } from "../../i18n.js";
import { path, ask } from "../../api.js";
import { useFetched, Fetched } from "../../use_fetched.js";

const SHOWN = 16; // watched images shown

export const Probes = ({ run, about, updates }) => {
  const state = useFetched(
    () =>
      about?.probes && about.snapshots.length
        ? ask(run, "predictions", { snapshot: snapshot() })
        : Promise.resolve(null),
    [run, snapshot(), updates, about?.probes],
    { keep: true, still: true, of: `${run} ${snapshot()}` },
  );
  const shown = Math.min(SHOWN, about?.probes ?? 0);
  return html`
    <h2>
      ${t(!shown ? "live.probes.soon" : about.part === "validation" ? "live.probes.validation" : "live.probes", {
        n: count(shown),
      })}
    </h2>
    <${Fetched} state=${state}>
      ${(found) =>
        found === null
          ? html`<p class="small">${t("live.no_probes")}</p>`
          : html`
            <div class="probes four">
              ${found.predicted.slice(0, SHOWN).map((k, i) => {
                const wrong = found.truth[i] >= 0 && k !== found.truth[i];
                return html`
                  <a
                    class=${`probe ${wrong ? "wrong" : ""}`}
                    style="text-decoration: none"
                    href=${link({ page: "image", image: `probe-${i}` })}
                  >
                    <img
                      alt=${t("probe", { n: i + 1 })}
                      src=${path(run, "/look/picture", { image: `probe-${i}`, snapshot: snapshot() })}
                      loading="lazy"
                    />
                    <b>
                      ${wrong ? "✗ " : ""}
                      ${found.classes[k]}
                    </b>${" "}
                    ${percent(found.probability[i], 0)}
                    ${
                      wrong &&
                      html`
                        <br />
                        <span class="small">${t("live.truth", { label: found.classes[found.truth[i]] })}</span>
                      `
                    }
                  </a>
                `;
              })}
            </div>
          `}
    <//>
  `;
};
