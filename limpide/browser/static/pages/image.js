// One image: the network's answer, where its evidence may be, and whether that explanation may be believed.
import { html, useState, useRef } from "../html.js";
import { alone, place, go, image, language, looked, lookedAt } from "../state.js";
import { t, count, chance, percent, number } from "../i18n.js";
import { ask, array, path } from "../api.js";
import { useFetched, Fetched } from "../use_fetched.js";
import { Thumbs } from "../thumbnails.js";
import { Plane, Scale, most } from "../color_scale.js";
import { Before } from "./unit/effect.js";

const METHODS = ["gradient", "grad_cam", "integrated_gradients", "occlusion"]; // by cost
const OF_GOOD_PARTS = ["distance"]; // the answer is made of this map
const CELLS = 16;

export default () => {
  const { run } = place.value;
  const state = useFetched(() => ask(run, "prediction", looked()), [run, lookedAt()]);
  return html`<${Fetched} state=${state}>${(found) => html`<${Shown} run=${run} found=${found} />`}<//>`;
};

const Answers = ({ found, choose, wanted }) => html`
  <table>
    <tbody>
      ${found.top.map(
        (one) => html`
          <tr>
            <td>
              <button
                class="plain"
                aria-pressed=${one.index === wanted}
                onClick=${() => choose(one.index)}
              >
                ${one.class}
              </button>
            </td>
            <td class="n">${chance(one.probability)}</td>
            <td style="width: 40%"><span class="beam" style=${`width: ${100 * one.probability}%`}></span></td>
          </tr>
        `,
      )}
    </tbody>
  </table>
`;

const Title = ({ found, strange }) => html`
  <h1>
    ${
      strange
        ? t("image.strange", { label: found.top[0].class, score: number(found.score) })
        : t("image.says", { label: found.top[0].class, p: chance(found.top[0].probability) })
    }
  </h1>
`;

const Where = ({ found, strange, wanted }) => html`
  <h2>
    ${
      strange
        ? t("image.where_strange")
        : t("image.where", { label: found.top.find((one) => one.index === wanted).class })
    }
  </h2>
  ${!strange && html`<p class="read">${t("image.where_read")}</p>`}
`;

const Shown = ({ run, found }) => {
  const [label, choose] = useState(null);
  const [searched, search] = useState(!alone); // in a notebook no cell runs meanwhile: only on request
  const strange = found.score !== null; // a model of good parts, which has no probabilities
  const wanted = found.top.some((one) => one.index === label) ? label : found.top[0].index;
  return html`
    <${Title} found=${found} strange=${strange} />
    ${found.file && html`<p class="crumbs">${found.file}</p>`}
    ${
      found.truth !== null &&
      html`
        <p class="read">
          ${t(found.truth === found.top[0].class ? "image.right" : "image.wrong", { label: found.truth })}
        </p>
      `
    }
    <div class="two even">
      <div><${Brush} key=${image()} run=${run} /></div>
      <div>
        <h2>${t("image.prediction")}</h2>
        ${
          strange
            ? html`<p class="small">${t("image.strange_read")}</p>`
            : html`
              <${Answers} found=${found} choose=${choose} wanted=${wanted} />
              <p class="small">
                ${t(found.changed ? "image.altered" : found.calibrated ? "image.calibrated" : "image.raw")}
              </p>
            `
        }
        ${found.clipped && html`<p class="small">${t("image.clipped")}</p>`}
        <${Changes} />
      </div>
    </div>
    <${Where} found=${found} strange=${strange} wanted=${wanted} />
    ${
      searched
        ? html`
          <div class="methods">
            ${(strange ? OF_GOOD_PARTS : METHODS).map(
              (method) => html`<${Saliency} key=${method} run=${run} method=${method} label=${wanted} />`,
            )}
          </div>
        `
        : html`
          <p class="read">${t("widget.long")}</p>
          <button onClick=${() => search(true)}>${t("widget.search")}</button>
        `
    }
    ${!alone && html`<${Neighbours} run=${run} />`}
  `;
};

// The image turned, mirrored, or with noise: every page then uses the changed image.
const Changes = () => {
  const { turn, noise, mirror } = place.value;
  const put = (name) => (event) => go({ [name]: Number(event.target.value) || null }, { replace: true });
  return html`
    <h2>${t("image.changes")}</h2>
    <label class="row small">
      ${t("image.turn", { n: turn ?? 0 })}${" "}
      <input
        type="range"
        min="-180"
        max="180"
        step="5"
        value=${turn ?? 0}
        style="flex: 1"
        onChange=${put("turn")}
      />
    </label>
    <label class="row small">
      ${t("image.noise", { n: noise ?? 0 })}${" "}
      <input
        type="range"
        min="0"
        max="100"
        step="5"
        value=${noise ?? 0}
        style="flex: 1"
        onChange=${put("noise")}
      />
    </label>
    <label class="small">
      <input
        type="checkbox"
        checked=${Boolean(mirror)}
        onChange=${() => go({ mirror: mirror ? null : 1 }, { replace: true })}
      />${" "}
      ${t("image.mirror")}
    </label>
  `;
};

// Which training images are most similar to this one, for the network?
const Neighbours = ({ run }) => {
  const [asked, askFor] = useState(false);
  const state = useFetched(
    () => (asked ? ask(run, "neighbors", looked()) : Promise.resolve(null)),
    [run, asked, lookedAt()],
  );
  return html`
    <h2>${t("image.neighbours")}</h2>
    ${
      !asked
        ? html`
          <p class="read">${t("image.neighbours_read")}</p>
          <button onClick=${() => askFor(true)}>${t("image.find")}</button>
        `
        : html`
          <${Fetched} state=${state} doing=${t("many.doing")}>
            ${(found) =>
              found &&
              html`
                <${Thumbs}
                  run=${run}
                  images=${found.top}
                  caption=${(one) => html`${one.label} <span class="small">cos ${number(one.cosine, 3)}</span>`}
                />
                <p class="small">
                  ${t(found.learned ? "image.compared" : "image.compared_all", {
                    n: count(found.compared),
                    of: count(found.of),
                  })}
                </p>
              `}
          <//>
        `
    }
  `;
};

// The map as soon as it is ready; its badge, which costs many times as much, follows.
const Saliency = ({ run, method, label }) => {
  const state = useFetched(
    () => array(run, "saliency", { ...looked(), method, label }),
    [run, method, label, lookedAt(), language.value],
  );
  return html`
    <section>
      <h2>${t(`method.${method}`)}</h2>
      <${Fetched} state=${state} doing=${t(`method.${method}.doing`)}>
        ${({ shape, values, about }) => {
          if (!values) return html`<p class="small">${about.finding.text}</p>`;
          const scale = most(values);
          return html`
            <div class="lay">
              <${Plane}
                values=${values}
                height=${shape[0]}
                width=${shape[1]}
                scale=${scale}
                label=${t(`method.${method}`)}
              />
              <img alt="" src=${path(run, "/look/picture", looked())} />
            </div>
            ${
              scale > 0
                ? html`<${Scale} most=${scale} unit=${t(`method.${method}.unit`)} />`
                : html`<p class="small">${t("image.zero")}</p>`
            }
            <${Badge} run=${run} method=${method} label=${label} />
          `;
        }}
      <//>
    </section>
  `;
};

const Badge = ({ run, method, label }) => {
  const state = useFetched(
    () => ask(run, "sanity", { ...looked(), method, label }),
    [run, method, label, lookedAt(), language.value],
  );
  return html`
    <${Fetched} state=${state} doing=${t("image.checking")}>
      ${({ finding }) => html`
        <p>
          <span class=${`badge ${finding.verdict}`}>${t(`badge.${finding.verdict}`)}</span>${" "}
          <span class="small">${finding.text}</span>
        </p>
        <details class="small">
          <summary>${t("image.evidence")}</summary>
          <ul>
            ${finding.numbers.map(
              (one) => html`
                <li>${one.name}: ${one.unit === "share" ? percent(one.value) : number(one.value, 2)}</li>
              `,
            )}
          </ul>
        </details>
      `}
    <//>
  `;
};

/** The cells between two places, including both: a fast stroke leaves no gaps. */
const cellsBetween = (from, to) => {
  const steps = Math.max(1, Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])));
  return Array.from({ length: steps + 1 }, (_, k) =>
    [0, 1].map((i) => Math.floor(from[i] + ((to[i] - from[i]) * k) / steps)),
  ).filter((cell) => cell.every((v) => v >= 0 && v < CELLS));
};

/** A mask with these cells, each once. */
const withCells = (mask, cells) => {
  const known = new Set(mask.map(String));
  return [...mask, ...cells.filter((cell) => !known.has(String(cell)) && known.add(String(cell)))];
};

/** All cells that are not in a mask. */
const othersThan = (mask) => {
  const known = new Set(mask.map(String));
  return Array.from({ length: CELLS * CELLS }, (_, k) => [Math.floor(k / CELLS), k % CELLS]).filter(
    (cell) => !known.has(String(cell)),
  );
};

/** The image, on which the user draws what is covered. */
const Cover = ({ run, mask, cover }) => {
  const [down, press] = useState(false);
  const last = useRef(null);
  const add = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const to = [((event.clientY - box.top) / box.height) * CELLS, ((event.clientX - box.left) / box.width) * CELLS];
    const cells = cellsBetween(last.current ?? to, to);
    last.current = to;
    cover((mask) => withCells(mask, cells));
  };
  const part = (k) => `${(100 * k) / CELLS}%`;
  const one = `width: ${part(1)}; height: ${part(1)}`;
  return html`
    <div
      class="over"
      style="touch-action: none; cursor: crosshair"
      onPointerDown=${(event) => {
        last.current = null;
        press(true);
        add(event);
      }}
      onPointerMove=${(event) => down && add(event)}
      onPointerUp=${() => press(false)}
      onPointerLeave=${() => press(false)}
    >
      <img
        class="pixels"
        draggable="false"
        style="width: 22rem; max-width: 100%; display: block"
        alt=${t("unit.input")}
        src=${path(run, "/look/picture", looked())}
      />
      ${mask.map(
        ([y, x]) => html`
          <span
            style=${`position: absolute; top: ${part(y)}; left: ${part(x)}; ${one}; background: #808080`}
          ></span>
        `,
      )}
    </div>
  `;
};

// Cover places with grey and see the network's answer.
const Brush = ({ run }) => {
  const [mask, cover] = useState([]);
  const state = useFetched(
    () => (mask.length ? ask(run, "occluded", { ...looked(), mask: JSON.stringify(mask) }) : Promise.resolve(null)),
    [run, mask, lookedAt()],
    { keep: true },
  );
  return html`
    <${Cover} run=${run} mask=${mask} cover=${cover} />
    <p class="small">
      ${t("image.brush")}${" "}
      ${
        mask.length > 0 &&
        html`
          <button class="plain" onClick=${() => cover([])}>${t("image.clear")}</button>
          <button class="plain" onClick=${() => cover(othersThan)}>${t("image.invert")}</button>
        `
      }
    </p>
    ${
      mask.length > 0 &&
      html`<${Fetched} state=${state}>${(found) => found && html`<${Before} rows=${found.rows} />`}<//>`
    }
  `;
};
