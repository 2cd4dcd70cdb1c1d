// The images that activate a channel most: images of the data, and one that is made.
import { html, useState } from "../../html.js";
import { link, snapshot, other } from "../../state.js";
import { t, number, count } from "../../i18n.js";
import { ask, path, picture } from "../../api.js";
import { useFetched, Fetched } from "../../use_fetched.js";
import { Framed } from "../../color_scale.js";

export const Strongest = ({ run, unit }) => {
  const [asked, askFor] = useState(0);
  const state = useFetched(
    () =>
      asked
        ? ask(run, "strongest", {
            snapshot: snapshot(),
            key: unit.key,
            channel: unit.channel,
            among: asked === 16 ? undefined : asked,
          })
        : Promise.resolve(null),
    [run, asked, unit.key, unit.channel, snapshot()],
  );
  const name = (one) => (one.row === undefined ? `probe-${one.probe}` : `row-${one.row}`);
  const choice = html`
    <div class="row">
      <button aria-pressed=${asked === 16} onClick=${() => askFor(16)}>${t("unit.find")}</button>
      <button aria-pressed=${asked === 200} onClick=${() => askFor(200)}>${t("unit.find_data")}</button>
    </div>
  `;
  return html`
    <h2>${t("unit.strongest")}</h2>
    ${choice}
    ${
      asked > 0 &&
      html`
        <${Fetched} state=${state} doing=${t("many.doing")}>
          ${(found) =>
            found &&
            html`
              <p class="small">${t("unit.among", { n: count(found.among) })}</p>
              <div class="probes">
                ${found.top.map(
                  (one) => html`
                    <a
                      class="probe"
                      style="text-decoration: none"
                      href=${link({ ...other(name(one)), y: one.y, x: one.x })}
                    >
                      <img
                        alt=${one.row === undefined ? t("probe", { n: one.probe + 1 }) : t("row", { n: one.row + 1 })}
                        src=${path(run, "/look/picture", { image: name(one), snapshot: snapshot() })}
                      />
                      ${number(one.value)}
                    </a>
                  `,
                )}
              </div>
            `}
        <//>
      `
    }
  `;
};

// Not an image of the data: one that is made, step by step, to activate this channel as much as an image of like
// contrast can.
export const Maximised = ({ run, unit }) => {
  const [asked, askFor] = useState(false);
  const state = useFetched(
    () =>
      asked
        ? picture(run, "maximized", { snapshot: snapshot(), key: unit.key, channel: unit.channel })
        : Promise.resolve(null),
    [run, asked, unit.key, unit.channel, snapshot()],
  );
  return html`
    <h2>${t("unit.maximised")}</h2>
    ${
      !asked
        ? html`<button onClick=${() => askFor(true)}>${t("unit.climb")}</button>`
        : html`
          <${Fetched} state=${state} doing=${t("unit.climbing")}>
            ${(found) =>
              found &&
              html`
                <${Framed} src=${found.url} box=${found.about.box} label=${t("unit.maximised")} />
                <p class="small">
                  ${t("unit.climbed", { before: number(found.about.before), after: number(found.about.after) })}
                </p>
              `}
          <//>
        `
    }
  `;
};
