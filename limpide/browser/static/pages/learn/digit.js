// Draw a digit; a network of the user that was trained on digits names it, and every unit lights up.
import { html, useState } from "../../html.js";
import { place, link, go } from "../../state.js";
import { t, chance } from "../../i18n.js";
import { runs, ask, array } from "../../api.js";
import { useFetched, Fetched } from "../../use_fetched.js";
import { Plane, most } from "../../color_scale.js";
import { Pad } from "../../drawing_pad.js";
import { Start } from "../runs/start.js";

export default () => {
  const state = useFetched(runs, []);
  return html`
    <${Fetched} state=${state}>
      ${({ runs }) => {
        const fit = runs.filter(
          (run) =>
            ["mnist", "digits"].includes(run.data) &&
            ["finished", "running", "paused", "stopped", "interrupted"].includes(run.status),
        );
        if (!fit.length)
          return html`
            <p class="claim">${t("learn.digit.none")}</p>
            <${Start} given="mnist" />
          `;
        const chosen =
          fit.find((run) => run.name === place.value.of) ?? fit.find((run) => run.data === "mnist") ?? fit[0];
        return html`
          <label class="row small">
            ${t("learn.digit.by")}${" "}
            <select value=${chosen.name} onChange=${(event) => go({ of: event.target.value })}>
              ${fit.map(
                (run) => html`
                  <option value=${run.name}>${t("learn.digit.run", { run: run.name, data: run.data })}</option>
                `,
              )}
            </select>
          </label>
          <${Drawn} key=${chosen.name} run=${chosen.name} />
        `;
      }}
    <//>
  `;
};

const Drawn = ({ run }) => {
  const [image, set] = useState(null);
  return html`
    <div class="two even">
      <div>
        <p class="small">${t("learn.digit.how")}</p>
        <${Pad} run=${run} onImage=${set} />
      </div>
      <div>${image && html`<${Said} run=${run} image=${image} />`}</div>
    </div>
    ${image && html`<${Lit} run=${run} image=${image} />`}
  `;
};

const Said = ({ run, image }) => {
  const state = useFetched(() => ask(run, "prediction", { snapshot: "best", image }), [run, image]);
  return html`
    <${Fetched} state=${state}>
      ${(found) => html`
        <p class="claim" id="said">
          ${t("image.says", { label: found.top[0].class, p: chance(found.top[0].probability) })}
        </p>
        <table>
          <tbody>
            ${found.top.map(
              (one) => html`
                <tr>
                  <td>${one.class}</td>
                  <td class="n">${chance(one.probability)}</td>
                  <td style="width: 50%">
                    <span class="beam" style=${`width: ${100 * one.probability}%`}></span>
                  </td>
                </tr>
              `,
            )}
          </tbody>
        </table>
      `}
    <//>
  `;
};

const Lit = ({ run, image }) => {
  const state = useFetched(async () => {
    const { ops } = await ask(run, "anatomy", { snapshot: "best", image });
    const shown = ops.filter((op) => ["relu", "linear", "conv2d"].includes(op.name)).slice(0, 12);
    const found = [];
    for (const op of shown) found.push([op, await array(run, "maps", { snapshot: "best", image, key: op.key })]);
    return found;
  }, [run, image]);
  return html`
    <${Fetched} state=${state}>
      ${(found) =>
        found.map(([op, { shape, values }]) => {
          const [channels, height, width] = shape;
          const scale = most(values);
          const size = height * width;
          return html`
            <h2>
              <a href=${link({ page: "layer", run, image, at: "best", key: op.key })}>${op.key}</a>${" "}
              <span class="small">${op.kind} ${op.shape.join(" × ")}</span>
            </h2>
            ${
              height === 1
                ? html`
                  <${Plane}
                    values=${values}
                    height=${1}
                    width=${width}
                    scale=${scale}
                    label=${op.key}
                    className="strip"
                  />
                `
                : html`
                  <div style="display: flex; flex-wrap: wrap; gap: 3px">
                    ${Array.from(
                      { length: Math.min(channels, 64) },
                      (_, c) => html`
                        <div style="width: 3.2rem">
                          <${Plane}
                            values=${values.subarray(c * size, (c + 1) * size)}
                            height=${height}
                            width=${width}
                            scale=${scale}
                            label=${t("layer.map", { n: c })}
                            className="unit"
                          />
                        </div>
                      `,
                    )}
                  </div>
                `
            }
          `;
        })}
    <//>
  `;
};
