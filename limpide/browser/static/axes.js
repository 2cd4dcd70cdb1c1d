// A picture with axes, drawn in the pixels of the page: lines of one pixel and letters of twelve, however wide it is;
// below them a canvas with as many pixels as the screen has there.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import { theme } from "./state.js";
import { fixed, number, ten } from "./i18n.js";

const LEFT = 46;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 42;
const SMALL = 60;

/** Round numbers from low to high, at most about `most` of them. whole: for counts, such as steps. */
export const ticks = (low, high, most = 6, whole = false) => {
  if (!(high > low)) return [low];
  const rough = Math.max((high - low) / most, whole ? 1 : 0);
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = ten * [1, 2, 5, 10].find((m) => m * ten >= rough * 0.999);
  return Array.from({ length: Math.floor(high / step + 1e-9) - Math.ceil(low / step - 1e-9) + 1 }, (_, k) =>
    Number(((Math.ceil(low / step - 1e-9) + k) * step).toPrecision(12)),
  );
};

/** The numbers of an axis, all with as many digits as distinguish them. */
export const labels = (values) => {
  const step = Math.min(
    ...values
      .slice(1)
      .map((value, k) => Math.abs(value - values[k]))
      .filter((gap) => gap > 0),
  );
  const most = Math.max(...values.map(Math.abs));
  if (!isFinite(step)) return values.map((value) => number(value, 4));
  let digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  while (digits < 15 && values.some((value) => Math.abs(value - Number(value.toFixed(digits))) > 1e-3 * step))
    digits += 1;
  if (digits < 6) return values.map((value) => fixed(value, digits));
  const exponent = Math.floor(Math.log10(most));
  return values.map((value) =>
    value === 0 ? "0" : `${fixed(value / 10 ** exponent, digits + exponent)} · ${ten(exponent)}`,
  );
};

/** A canvas with a pixel for each of the screen's, `width` × `height` of the page's. */
export const sharp = (canvas, width, height) => {
  const by = globalThis.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * by), Math.round(height * by)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  return canvas;
};

/** The width of an element's content in whole pixels, 0 until it is known. */
const useWidth = (box) => {
  const [wide, measure] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => measure(Math.floor(entry.contentRect.width)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return wide;
};

/** Converts values to the pixels of the picture, and back. */
const scalesOf = ([x0, x1], [y0, y1], width, height) => ({
  width,
  height,
  across: (v) => LEFT + ((v - x0) / (x1 - x0)) * width,
  up: (v) => TOP + height - ((v - y0) / (y1 - y0)) * height,
  /** The values under the pointer. */
  under: (event) => {
    const at = event.currentTarget.getBoundingClientRect();
    return [
      x0 + ((event.clientX - at.left - LEFT) / width) * (x1 - x0),
      y0 + ((TOP + height - event.clientY + at.top) / height) * (y1 - y0),
    ];
  },
});

const crisp = (v) => Math.round(v) + 0.5;

/** Both lines with their ticks, the numbers at the ticks, and the labels. */
const Lines = ({ scales: { width, height, across, up }, xTicks, yTicks, xLabel, yLabel }) => {
  const xTexts = labels(xTicks);
  const yTexts = labels(yTicks);
  return html`
    <path
      class="axis"
      d=${[
        `M${LEFT - 0.5} ${TOP}V${crisp(TOP + height)}H${LEFT + width}`,
        ...xTicks.map((v) => `M${crisp(across(v))} ${TOP + height}v5`),
        ...yTicks.map((v) => `M${LEFT} ${crisp(up(v))}h-5`),
      ].join("")}
    />
    ${xTicks.map((v, k) => html`<text x=${across(v)} y=${TOP + height + 18} text-anchor="middle">${xTexts[k]}</text>`)}
    ${yTicks.map((v, k) => html`<text x=${LEFT - 8} y=${up(v) + 4} text-anchor="end">${yTexts[k]}</text>`)}
    <text class="name" x=${LEFT + width / 2} y=${TOP + height + 36} text-anchor="middle">${xLabel}</text>
    <text class="name" transform=${`translate(12 ${TOP + height / 2}) rotate(-90)`} text-anchor="middle">
      ${yLabel}
    </text>
  `;
};

/**
 * x, y: [from, to] · ratio: height over width · ground: (canvas) paints the background · of: the dependencies of ground
 * · children: ({across, up, width, height}) → what is drawn between the axes, clipped to them.
 */
export const Axes = ({
  x,
  y,
  xLabel,
  yLabel,
  ratio = 1,
  label,
  most = 640,
  xTicks = ticks(...x),
  yTicks = ticks(...y),
  ground,
  of = [],
  canvas: given,
  onPick,
  children,
}) => {
  const box = useRef(null);
  const own = useRef(null);
  const canvas = given ?? own;
  const wide = useWidth(box);
  const width = Math.max(SMALL, wide - LEFT - RIGHT);
  const height = Math.round(width * ratio);
  const scales = scalesOf(x, y, width, height);
  const id = useRef(`clip-${Math.random().toString(36).slice(2)}`).current;
  useLayoutEffect(() => {
    if (wide && canvas.current) ground?.(sharp(canvas.current, width, height));
  }, [wide, ratio, theme.value, ...of]);
  const rule = (at) => html`<line class="rule" x1=${LEFT} x2=${LEFT + width} y1=${at} y2=${at} />`;
  const place = `left: ${LEFT}px; top: ${TOP}px; width: ${width}px; height: ${height}px`;
  return html`
    <div class="axes" ref=${box} style=${`max-width: ${most}px`}>
      ${ground && html`<canvas ref=${canvas} style=${`position: absolute; ${place}`}></canvas>`}
      <svg
        width=${wide || "100%"}
        height=${TOP + height + BOTTOM}
        role="img"
        aria-label=${label}
        onPointerDown=${onPick && ((event) => onPick(...scales.under(event)))}
      >
        <clipPath id=${id}><rect x=${LEFT} y=${TOP} width=${width} height=${height} /></clipPath>
        ${!ground && yTicks.map((v) => rule(crisp(scales.up(v))))}
        <g clip-path=${`url(#${id})`}>${wide > 0 && children?.(scales)}</g>
        <${Lines} scales=${scales} xTicks=${xTicks} yTicks=${yTicks} xLabel=${xLabel} yLabel=${yLabel} />
      </svg>
    </div>
  `;
};
