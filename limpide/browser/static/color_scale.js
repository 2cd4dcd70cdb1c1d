// Numbers as colours. Two scales, each drawn next to its picture: signed (blue – paper – orange) and unsigned (paper –
// ink).
import { html, useRef, useLayoutEffect, useState } from "./html.js";
import { number } from "./i18n.js";
import { theme } from "./state.js";

const mix = (a, b, s) => a.map((v, k) => Math.round(v + (b[k] - v) * s));
const SIGNED = {
  light: [
    [47, 92, 158],
    [253, 252, 250],
    [179, 92, 0],
  ],
  dark: [
    [127, 176, 240],
    [30, 35, 38],
    [240, 160, 75],
  ],
};
const UNSIGNED = {
  light: [
    [253, 252, 250],
    [28, 27, 25],
  ],
  dark: [
    [21, 24, 26],
    [235, 232, 226],
  ],
};

export const signed = (value, most) => {
  const [minus, zero, plus] = SIGNED[theme.value];
  const s = Math.max(-1, Math.min(1, most ? value / most : 0));
  return s < 0 ? mix(zero, minus, -s) : mix(zero, plus, s);
};
export const unsigned = (value, most) =>
  mix(...UNSIGNED[theme.value], Math.max(0, Math.min(1, most ? value / most : 0)));
/** A share of white, as in an image, in any theme. */
export const grey = (value, most) => mix([0, 0, 0], [255, 255, 255], Math.max(0, Math.min(1, most ? value / most : 0)));
/** Black or white, whichever is readable on this colour (WCAG 2, relative luminance). */
export const ink = (rgb) => {
  const [r, g, b] = rgb.map((v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
};
/** Style of a cell with a number on this colour. */
export const cell = (rgb) => `background: rgb(${rgb.join(" ")}); color: ${ink(rgb)}`;
export const css = (rgb) => `rgb(${rgb.join(" ")})`;
export const most = (values) => {
  let found = 0;
  for (const value of values) if (Math.abs(value) > found) found = Math.abs(value);
  return found;
};

/** A plane of numbers as a picture, one pixel each. paint: (value, most, its place, all values) → [r, g, b]. */
export const Plane = ({ values, height, width, scale, paint = signed, label, onClick, className = "" }) => {
  const canvas = useRef(null);
  // In the same frame as the numbers next to it.
  useLayoutEffect(() => {
    const context = canvas.current.getContext("2d");
    const pixels = context.createImageData(width, height);
    for (let k = 0; k < width * height; k++) {
      const [r, g, b] = paint(values[k], scale, k, values);
      pixels.data.set([r, g, b, 255], 4 * k);
    }
    context.putImageData(pixels, 0, 0);
  }, [values, height, width, scale, paint, theme.value]);
  const click =
    onClick &&
    ((event) => {
      const box = canvas.current.getBoundingClientRect();
      onClick(
        Math.floor(((event.clientY - box.top) / box.height) * height),
        Math.floor(((event.clientX - box.left) / box.width) * width),
      );
    });
  return html`
    <canvas
      ref=${canvas}
      width=${width}
      height=${height}
      class=${className}
      role="img"
      aria-label=${label}
      onClick=${click}
    ></canvas>
  `;
};

/** The scale of a colouring, with its ends in numbers. */
export const Scale = ({ most: end, both = true, paint = both ? signed : unsigned, unit = "" }) => {
  const stops = Array.from({ length: 9 }, (_, k) => css(paint(both ? k / 4 - 1 : k / 8, 1)));
  const says = (value) => `${number(value)}${unit ? " " + unit : ""}`;
  return html`
    <div class="scale">
      <span>${both ? `−${says(end)}` : says(0)}</span>
      <i style=${`background: linear-gradient(90deg, ${stops.join(",")})`}></i>
      <span>${says(end)}</span>
    </div>
  `;
};

/** The style of an element that covers a box [top, left, bottom, right] of [height, width] pixels. */
export const boxStyle = ([top, left, bottom, right], [height, width]) => {
  const part = (value, whole) => `${(100 * value) / whole}%`;
  const place = `top: ${part(top, height)}; left: ${part(left, width)}`;
  return `${place}; height: ${part(bottom - top, height)}; width: ${part(right - left, width)}`;
};

/** A picture with a box [top, left, bottom, right] of pixels on it. */
export const Framed = ({ src, box, label }) => {
  const [size, set] = useState(null);
  return html`
    <div class="over">
      <img
        class="pixels"
        style="width: 18rem; max-width: 100%; display: block"
        alt=${label}
        src=${src}
        onLoad=${(event) => set([event.target.naturalHeight, event.target.naturalWidth])}
      />
      ${size && html`<span class="box" style=${boxStyle(box, size)}></span>`}
    </div>
  `;
};
