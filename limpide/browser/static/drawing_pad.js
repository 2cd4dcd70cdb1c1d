// A pad to draw one thing on, by pointer or by keyboard. The drawing is kept as lines, not as pixels: before the
// network sees it, it can be drawn again as large and as thick as the images that the network learned from
// (inspector/strokes.py knows or measures how), and in as few pixels.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import { t, percent } from "./i18n.js";
import { ARROWS } from "./keys.js";
import { ask, path, upload } from "./api.js";
import { useFetched } from "./use_fetched.js";

const SIDE = 280; // pixels of the uploaded drawing, where the size of the images is not known
const FINE = 16; // pixels of the drawing for each pixel of a small image
const PEN = 0.07; // of the side: width of the lines, where that of the images is not known
const AS_DRAWN = { drawn: false, light: true, level: 255, ground: 0 };
const STEP = 0.04; // of the side: one move of the pen by an arrow key
const PAUSE = 400; // ms without another key after which a drawing is uploaded

/**
 * Scale and move lines [[x, y] …], in fractions of the side: they fit into width × height, including their own width;
 * squeezed: always of that height, and narrower where they would be too wide. Their middle, by mass or by box, is that
 * of the square.
 */
export const fitted = (lines, { width, height, squeezed, stroke, centre }) => {
  const points = lines.flat();
  if (!points.length) return lines;
  const low = [0, 1].map((i) => Math.min(...points.map((p) => p[i])));
  const high = [0, 1].map((i) => Math.max(...points.map((p) => p[i])));
  const [wide, tall] = [0, 1].map((i) => Math.max(high[i] - low[i], 1e-6));
  const fill = [(width - stroke) / wide, (height - stroke) / tall];
  const least = Math.min(...fill);
  // a dot stays a dot
  const scale = Math.max(wide, tall) < 0.05 ? [1, 1] : squeezed && tall > 0.05 ? [least, fill[1]] : [least, least];
  let [mass, x, y] = [0, 0, 0];
  for (const line of lines)
    for (let k = 1; k < line.length; k++) {
      const [a, b] = [line[k - 1], line[k]];
      const length = Math.hypot((b[0] - a[0]) * scale[0], (b[1] - a[1]) * scale[1]);
      mass += length;
      x += (length * (a[0] + b[0])) / 2;
      y += (length * (a[1] + b[1])) / 2;
    }
  const middle = centre === "mass" && mass ? [x / mass, y / mass] : [0, 1].map((i) => (low[i] + high[i]) / 2);
  return lines.map((line) => line.map((p) => p.map((v, i) => 0.5 + (v - middle[i]) * scale[i])));
};

const grey = (level) => `rgb(${level} ${level} ${level})`;

/** The lines on a canvas of any size. */
export const paint = (canvas, lines, { stroke = PEN, level, ground }) => {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const side = canvas.width;
  context.fillStyle = grey(ground);
  context.fillRect(0, 0, side, side);
  Object.assign(context, {
    strokeStyle: grey(level),
    lineWidth: stroke * side,
    lineCap: "round",
    lineJoin: "round",
  });
  for (const line of lines) {
    context.beginPath();
    line.forEach(([x, y], k) => (k ? context.lineTo(x * side, y * side) : context.moveTo(x * side, y * side)));
    if (line.length === 1) context.lineTo(line[0][0] * side, line[0][1] * side); // a dot
    context.stroke();
  }
};

const square = (side) => Object.assign(document.createElement("canvas"), { width: side, height: side });
const shades = (canvas) =>
  canvas
    .getContext("2d")
    .getImageData(0, 0, canvas.width, canvas.width)
    .data.filter((_, k) => k % 4 === 0);

/**
 * The drawing to upload: the lines drawn again in the manner of the images, which `like` describes
 * (inspector/strokes.py).
 */
export const made = (lines, like) => {
  const side = like.grid ? FINE * like.grid : SIDE;
  const draw = (stroke) => drawn(side, fitted(lines, { ...like, stroke }), { ...like, stroke });
  let [low, stroke, high] = [0.01, like.stroke, 0.5];
  if (like.ink)
    for (let k = 0; k < 8; k++) {
      // as thick as necessary to cover that share of the square
      stroke = (low + high) / 2;
      if (shades(draw(stroke)).reduce((a, b) => a + b) < like.ink * 255 * side * side) low = stroke;
      else high = stroke;
    }
  return like.grid ? counted(shades(draw(stroke)), like) : draw(stroke);
};
const drawn = (side, lines, like) => {
  const canvas = square(side);
  paint(canvas, lines, like);
  return canvas;
};

/** The mean of every FINE × FINE pixels as one pixel. */
const counted = (fine, { grid, levels = 255 }) => {
  const canvas = square(grid);
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(grid, grid);
  const side = FINE * grid;
  for (let y = 0; y < grid; y++)
    for (let x = 0; x < grid; x++) {
      let sum = 0;
      for (let i = 0; i < FINE; i++) for (let j = 0; j < FINE; j++) sum += fine[(FINE * y + i) * side + FINE * x + j];
      const shade = Math.round((Math.round((sum / FINE / FINE / 255) * levels) / levels) * 255);
      pixels.data.set([shade, shade, shade, 255], 4 * (y * grid + x));
    }
  context.putImageData(pixels, 0, 0);
  return canvas;
};

/** How the images are drawn, if known, and whether a drawing is made like them. */
const useManner = (run) => {
  const [like, liken] = useState(true);
  const { value, waiting } = useFetched(() => ask(run, "ink"), [run]);
  const ink = value?.drawn ? value : AS_DRAWN;
  return { ink, known: Boolean(value), waiting, like, liken, fits: ink.drawn && like };
};

/**
 * Uploads lines, at once or a while after the last key: {image, failed, hand, soon}. onImage: name of the upload; null
 * when there are no lines.
 */
const useUpload = ({ ink, waiting, fits }, onImage) => {
  const newest = useRef(0);
  const timer = useRef(0);
  const [image, show] = useState(null);
  const [failed, fail] = useState("");
  const hand = (lines, like = fits) => {
    clearTimeout(timer.current);
    const turn = ++newest.current;
    if (!lines.length) return (show(null), onImage(null));
    if (waiting) return; // it is not known yet how the images are drawn: useStrokes
    (like ? made(lines, ink) : drawn(SIDE, lines, ink)).toBlob(async (blob) => {
      try {
        const { image } = await upload(blob);
        if (turn === newest.current) (fail(""), show(image), onImage(image)); // an older one that comes late is dropped
      } catch (error) {
        if (turn === newest.current) fail(error.message);
      }
    });
  };
  const soon = (lines) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => hand(lines), PAUSE);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return { image, failed, hand, soon };
};

/** The keyboard's pen: a ring, filled while it draws. */
const mark = (canvas, { at, down }) => {
  const context = canvas.getContext("2d");
  const side = canvas.width;
  const [x, y] = at.map((v) => v * side);
  Object.assign(context, { lineWidth: Math.max(1, side / 200), strokeStyle: "#e66101", fillStyle: "#e66101" });
  context.beginPath();
  context.arc(x, y, side / 40, 0, 7);
  down ? context.fill() : context.stroke();
};

/** The lines and the keyboard's pen, which are kept on the canvas, and the functions that change them. */
const useStrokes = ({ ink, waiting }, hand, soon) => {
  const canvas = useRef(null);
  const drawing = useRef(false); // the pointer is down
  const [lines, set] = useState([]);
  const [pen, move] = useState(null); // of the keyboard: {at: [x, y], down}
  useLayoutEffect(() => {
    const element = canvas.current;
    const side = Math.round(element.clientWidth * (devicePixelRatio || 1));
    if (element.width !== side) element.width = element.height = side;
    paint(element, lines, ink);
    if (pen) mark(element, pen);
  }, [lines, pen, ink]);
  useEffect(() => {
    if (!waiting && lines.length && !drawing.current) hand(lines);
  }, [waiting]);
  const change = (next) => {
    set(next);
    hand(next);
  };
  const undo = () => {
    move((pen) => pen && { ...pen, down: false }); // the last line is gone: the pen does not continue it
    change(lines.slice(0, -1));
  };
  const clear = () => {
    move(null);
    change([]);
  };
  return { canvas, drawing, lines, set, pen, move, undo, clear, hand, soon };
};

/** Lines whose last one continues to this place. */
const longer = (lines, at) => [...lines.slice(0, -1), [...lines.at(-1), at]];

/** The canvas's pointer events. */
const pointed = ({ canvas, drawing, lines, set, move, hand }) => {
  const spot = (event) => {
    const box = canvas.current.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const lift = () => {
    if (drawing.current) {
      drawing.current = false;
      hand(lines);
    }
  };
  return {
    onPointerDown: (event) => {
      drawing.current = true;
      move(null);
      canvas.current.setPointerCapture(event.pointerId);
      set([...lines, [spot(event)]]);
    },
    onPointerMove: (event) => drawing.current && set((lines) => longer(lines, spot(event))),
    onPointerUp: lift,
    onPointerCancel: lift,
  };
};

/** The canvas's key events. */
const typed = ({ lines, set, pen, move, hand, soon, undo, clear }, event) => {
  const way = ARROWS[event.key];
  const from = pen ?? { at: [0.5, 0.5], down: false };
  if (event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey))) undo();
  else if (event.key === "Delete") clear();
  else if (event.key === " ") {
    move({ ...from, down: !from.down });
    if (!from.down) set([...lines, [from.at]]);
    else hand(lines);
  } else if (way) {
    const at = from.at.map((v, i) => Math.max(0, Math.min(1, v + STEP * way[i])));
    move({ ...from, at });
    if (from.down) {
      const next = longer(lines, at);
      set(next);
      soon(next);
    }
  } else return;
  event.preventDefault();
};

/** Whether a drawing is made like the images, and how it is changed. */
const Manner = ({ manner: { ink, known, like, fits }, onChange }) => html`
  ${
    ink.drawn &&
    html`
      <label class="small">
        <input type="checkbox" checked=${like} onChange=${() => onChange(!like)} />${" "}
        ${t("draw.like")}
      </label>
    `
  }
  ${
    known &&
    html`
      <p class="small" id="done">
        ${
          !ink.drawn
            ? t("draw.as_is_why")
            : fits
              ? t(`draw.done.${ink.made ?? ink.centre}`, {
                  extent: percent(ink.height, 0),
                  stroke: percent(ink.stroke, 0),
                  n: ink.images,
                })
              : t("draw.as_is")
        }
      </p>
    `
  }
`;

/** The image that the network is asked about. */
const Handed = ({ run, image }) => html`
  <figure style="margin: 0">
    <img
      class="pixels"
      width="84"
      height="84"
      alt=${t("unit.input")}
      src=${path(run, "/look/picture", { image })}
    />
    <figcaption class="small">${t("unit.input")}</figcaption>
  </figure>
`;

/** onImage: name of the upload with the drawing; null when the pad is empty. */
export const Pad = ({ run, onImage }) => {
  const manner = useManner(run);
  const { image, failed, hand, soon } = useUpload(manner, onImage);
  const strokes = useStrokes(manner, hand, soon);
  const { canvas, lines, pen, move, undo, clear } = strokes;
  const alter = (like) => {
    manner.liken(like);
    hand(lines, manner.ink.drawn && like);
  };
  return html`
    <div class="pad">
      <canvas
        ref=${canvas}
        id="pad"
        role="application"
        tabindex="0"
        aria-label=${t("draw.pad")}
        onKeyDown=${(event) => typed(strokes, event)}
        onBlur=${() => pen && !pen.down && move(null)}
        ...${pointed(strokes)}
      ></canvas>
      <div>
        <div class="row">
          <button disabled=${!lines.length} onClick=${undo}>${t("draw.undo")}</button>
          <button disabled=${!lines.length} onClick=${clear}>${t("image.clear")}</button>
        </div>
        <p class="small">${t("draw.keys")}</p>
        <${Manner} manner=${manner} onChange=${alter} />
        ${image && html`<${Handed} run=${run} image=${image} />`}
        ${failed && html`<p class="error" role="alert">${failed}</p>`}
      </div>
    </div>
  `;
};
