// Where the network puts images: similar images are close together. Draw around some to see them.
import { html, useState, useRef, useLayoutEffect, useMemo } from "../html.js";
import { place, go, snapshot, theme } from "../state.js";
import { t, count, percent } from "../i18n.js";
import { ask } from "../api.js";
import { ARROWS } from "../keys.js";
import { useFetched, Fetched } from "../use_fetched.js";
import { Thumbs } from "../thumbnails.js";

// Ten colours that differ in lightness, too (Wong 2011 and two more); further classes share them, and their names are
// on the map.
const COLOURS = {
  light: ["#0072b2", "#d55e00", "#009e73", "#a2407f", "#7a6a00", "#00708a", "#8b3d00", "#4b4f9c", "#5d5d5d", "#9b2335"],
  dark: ["#56b4e9", "#f0803c", "#2fc79a", "#e08fc0", "#e5d54a", "#6fd0e0", "#d9a066", "#9fa4ff", "#b8b8b8", "#ff7f8f"],
};
const METHODS = ["pca", "tsne"];
const SIDE = 640;
const RADIUS = 4;
const MOST = 60;

export default () => {
  const { run, method = "pca" } = place.value;
  const state = useFetched(() => ask(run, "embedding", { snapshot: snapshot(), method }), [run, snapshot(), method], {
    keep: true,
  });
  return html`
    <h1>${t("page.map")}</h1>
    <p class="read">${t("map.read")}</p>
    <div class="row" role="group" aria-label=${t("map.method")}>
      ${METHODS.map(
        (name) => html`
          <button aria-pressed=${method === name} onClick=${() => go({ method: name }, { replace: true })}>
            ${t(`map.${name}`)}
          </button>
        `,
      )}
    </div>
    <${Fetched} state=${state} doing=${t("many.doing")}>
      ${(found) => html`<${Map} run=${run} about=${found} />`}
    <//>
  `;
};

const MAP_STYLE = [
  "width: 100%; aspect-ratio: 1; background: none; border: 1px solid var(--line)",
  "touch-action: none; cursor: crosshair; image-rendering: auto",
].join("; ");

const inside = ([x, y], polygon) => {
  let is = false;
  for (let k = 0, j = polygon.length - 1; k < polygon.length; j = k++) {
    const [xk, yk] = polygon[k];
    const [xj, yj] = polygon[j];
    if (yk > y !== yj > y && x < ((xj - xk) * (y - yk)) / (yj - yk) + xk) is = !is;
  }
  return is;
};

const Controls = ({ draw, chosen, choose, only, show, classes }) => html`
  <div class="row">
    <label>
      ${t("map.only")}${" "}
      <select
        value=${only}
        onChange=${(event) => {
          show(event.target.value);
          choose(null);
          draw([]);
        }}
      >
        <option value="">${t("data.every")}</option>
        <option value="wrong">${t("map.wrong")}</option>
        ${classes.map((label) => html`<option value=${`class-${label}`}>${label}</option>`)}
      </select>
    </label>
    ${
      (chosen || only) &&
      html`
        <button
          onClick=${() => {
            choose(null);
            draw([]);
            show("");
          }}
        >
          ${t("image.clear")}
        </button>
      `
    }
  </div>
`;

const Tally = ({ colour, tally }) => html`
  <table>
    <tbody>
      ${tally.slice(0, 10).map(
        ([label, n]) => html`
          <tr>
            <td><span style=${`color: ${colour(label)}`}>●</span> ${label}</td>
            <td class="n">${count(n)}</td>
          </tr>
        `,
      )}
    </tbody>
  </table>
`;

/** The points of a map: their data, their places, which are visible. only: "", "wrong" or "class-…". */
const usePoints = (about, only) => {
  const classes = useMemo(() => [...new Set(about.labels)].sort(), [about]);
  const colour = (label) => COLOURS[theme.value][classes.indexOf(label) % 10];
  const at = (k) => [((about.places[k][0] * 0.94 + 1) * SIDE) / 2, ((1 - about.places[k][1] * 0.94) * SIDE) / 2];
  // a folder that is not a class is not a mistake
  const wrong = (k) => about.classes.includes(about.labels[k]) && about.labels[k] !== about.predicted[k];
  const visible = (k) => !only || (only === "wrong" ? wrong(k) : about.labels[k] === only.slice(6));
  const seen = () => about.rows.map((_, k) => k).filter(visible);
  return { about, classes, colour, at, wrong, visible, seen };
};

/** The nearest visible point in this direction, if there is any. */
const nextPoint = ({ at, seen }, aimed, way) => {
  const from = aimed < 0 ? [SIDE / 2, SIDE / 2] : at(aimed);
  const far = (k) => {
    const [dx, dy] = [at(k)[0] - from[0], at(k)[1] - from[1]];
    const along = dx * way[0] + dy * way[1];
    return along <= 0 ? Infinity : along + 3 * Math.abs(dx * way[1] + dy * way[0]);
  };
  const next = seen()
    .filter((k) => k !== aimed)
    .sort((a, b) => far(a) - far(b))[0];
  return next !== undefined && isFinite(far(next)) ? next : undefined;
};

/** The point nearest to a place, alone in a list; an empty list where no point is visible. */
const nearest = ({ at, seen }, [x, y]) => {
  const far = (k) => Math.hypot(at(k)[0] - x, at(k)[1] - y);
  return seen()
    .sort((a, b) => far(a) - far(b))
    .slice(0, 1);
};

/** All points, the names of their classes, the point that the keyboard aims at, and the line being drawn. */
const paint = (c, { about, classes, at, wrong, visible, colour }, aimed, line) => {
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
  c.clearRect(0, 0, SIDE, SIDE);
  about.rows.forEach((_, k) => {
    const [x, y] = at(k);
    c.globalAlpha = visible(k) ? 0.85 : 0.08;
    c.fillStyle = c.strokeStyle = colour(about.labels[k]);
    c.beginPath();
    c.arc(x, y, RADIUS, 0, 7);
    wrong(k) ? ((c.lineWidth = 2), c.stroke()) : c.fill();
  });
  c.globalAlpha = 1;
  c.font = "600 14px system-ui";
  c.textAlign = "center";
  for (const label of classes.slice(0, 20)) {
    const own = about.rows.map((_, k) => k).filter((k) => about.labels[k] === label);
    const middle = (i) => own.map((k) => at(k)[i]).sort((a, b) => a - b)[own.length >> 1];
    c.lineWidth = 4;
    c.strokeStyle = style("--paper");
    c.strokeText(label, middle(0), middle(1));
    c.fillStyle = style("--ink");
    c.fillText(label, middle(0), middle(1));
  }
  if (aimed >= 0) {
    c.strokeStyle = style("--ink");
    c.lineWidth = 2;
    c.strokeRect(at(aimed)[0] - 8, at(aimed)[1] - 8, 16, 16);
  }
  if (line.length > 1) {
    c.strokeStyle = style("--ink");
    c.lineWidth = 1.5;
    c.beginPath();
    line.forEach(([x, y], k) => (k ? c.lineTo(x, y) : c.moveTo(x, y)));
    c.closePath();
    c.stroke();
  }
};

/** The map itself. Points are chosen by a line around them, by a click or by the keyboard. */
const Canvas = ({ points, only, line, draw, choose }) => {
  const canvas = useRef(null);
  const drawing = useRef(false);
  const { about } = points;
  const [aimed, aim] = useState(-1);
  useLayoutEffect(() => {
    paint(canvas.current.getContext("2d"), points, aimed, line);
  }, [about, line, only, aimed, theme.value]);
  useLayoutEffect(() => aim(-1), [about]);
  // With the keyboard: arrows go to the next point in that direction, Enter chooses it.
  const steer = (event) => {
    const way = ARROWS[event.key];
    if (event.key === "Enter" && aimed >= 0) choose([aimed]);
    if (!way) return;
    event.preventDefault();
    const next = nextPoint(points, aimed, way);
    if (next !== undefined) aim(next);
  };
  const where = (event) => {
    const box = canvas.current.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  };
  const end = () => {
    if (!drawing.current) return;
    drawing.current = false;
    if (line.length > 2) choose(points.seen().filter((k) => inside(points.at(k), line)));
    else if (line.length) {
      choose(nearest(points, line[0])); // a click
      draw([]);
    }
  };
  return html`
    <canvas
      ref=${canvas}
      width=${SIDE}
      height=${SIDE}
      role="application"
      tabindex="0"
      aria-label=${t("map.label", { n: about.rows.length })}
      onKeyDown=${steer}
      style=${MAP_STYLE}
      onPointerDown=${(event) => {
        drawing.current = true;
        canvas.current.setPointerCapture?.(event.pointerId);
        draw([where(event)]);
      }}
      onPointerMove=${(event) => drawing.current && draw([...line, where(event)])}
      onPointerUp=${end}
      onPointerCancel=${end}
    ></canvas>
  `;
};

/** The chosen points: how many of which class, and their images, wrong ones first. */
const Taken = ({ run, points: { about, colour, wrong }, list }) => {
  const tally = Object.entries(
    list.reduce((n, k) => ({ ...n, [about.labels[k]]: (n[about.labels[k]] ?? 0) + 1 }), {}),
  ).sort((a, b) => b[1] - a[1]);
  const wrongs = list.filter(wrong);
  const shown = [...wrongs, ...list.filter((k) => !wrong(k))].slice(0, MOST);
  return html`
    <p role="status">
      ${t("map.chosen", { n: count(list.length), wrong: count(wrongs.length) })}
      ${list.length > MOST ? ` ${t("map.most", { n: MOST })}` : ""}
    </p>
    <${Tally} colour=${colour} tally=${tally} />
    <${Thumbs}
      run=${run}
      images=${shown.map((k) => ({
        row: about.rows[k],
        file: about.labels[k],
        label: about.labels[k],
        predicted: about.predicted[k],
      }))}
      caption=${(one) =>
        one.label === one.predicted || !about.classes.includes(one.label) ? one.label : t("errors.said", one)}
    />
  `;
};

const Map = ({ run, about }) => {
  const [line, draw] = useState([]);
  const [chosen, choose] = useState(null);
  const [only, show] = useState("");
  const points = usePoints(about, only);
  useLayoutEffect(() => {
    draw([]);
    choose(null);
  }, [about]); // another map: a line around the old places would be wrong
  const list = chosen ?? (only ? points.seen() : []);
  return html`
    <div class="two">
      <div>
        <${Canvas} points=${points} only=${only} line=${line} draw=${draw} choose=${choose} />
        <p class="small">
          ${t(about.kept == null ? "map.no_axes" : "map.axes", { p: percent(about.kept) })}${" "}
          ${t("map.shown", { n: count(about.rows.length), of: count(about.of) })} ${t("map.rings")}
        </p>
      </div>
      <div>
        <${Controls}
          draw=${draw}
          chosen=${chosen}
          choose=${choose}
          only=${only}
          show=${show}
          classes=${points.classes}
        />
        ${
          list.length === 0
            ? html`<p class="read">${chosen ? t("map.empty") : t("map.draw")}</p>`
            : html`<${Taken} run=${run} points=${points} list=${list} />`
        }
      </div>
    </div>
  `;
};
