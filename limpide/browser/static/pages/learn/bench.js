// A kernel that can be edited slides over an image: each place is the sum of nine products.
import { html, useEffect, useMemo, useState } from "../../html.js";
import { place, go } from "../../state.js";
import { t, fixed } from "../../i18n.js";
import { upload } from "../../api.js";
import { ARROWS } from "../../keys.js";
import { Axes } from "../../axes.js";
import { Scale, signed, grey as shade, cell, most } from "../../color_scale.js";

const SIDE = 192; // pixels that the kernel slides over, each drawn as a square
const KERNELS = {
  edge: [-1, 0, 1, -2, 0, 2, -1, 0, 1],
  across: [-1, -2, -1, 0, 0, 0, 1, 2, 1],
  blur: [1, 1, 1, 1, 1, 1, 1, 1, 1].map((v) => v / 9),
  sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
  spot: [-1, -1, -1, -1, 8, -1, -1, -1, -1],
  same: [0, 0, 0, 0, 1, 0, 0, 0, 0],
};

/** out[r, c] = Σ kernel[u, v] · image[r + u − 1, c + v − 1], zeros outside (ladder/convolution.py, padding 1). */
export const convolve = (image, kernel, side = SIDE) => {
  const out = new Float32Array(side * side);
  for (let r = 0; r < side; r++)
    for (let c = 0; c < side; c++) {
      let sum = 0;
      for (let u = 0; u < 3; u++)
        for (let v = 0; v < 3; v++) {
          const y = r + u - 1;
          const x = c + v - 1;
          if (y >= 0 && y < side && x >= 0 && x < side) sum += kernel[3 * u + v] * image[y * side + x];
        }
      out[r * side + c] = sum;
    }
  return out;
};

const drawn = () => {
  // a disc, a square and stripes, until the user drops a photo
  const image = new Float32Array(SIDE * SIDE);
  for (let r = 0; r < SIDE; r++)
    for (let c = 0; c < SIDE; c++) {
      const disc = Math.hypot(r - 64, c - 64) < 40;
      const square = r > 104 && r < 168 && c > 28 && c < 92;
      const stripes = c > 116 && Math.floor((r + c) / 12) % 2;
      image[r * SIDE + c] = disc ? 0.9 : square ? 0.6 : stripes ? 0.8 : 0.1;
    }
  return image;
};

const grey = async (file) => {
  const picture = await createImageBitmap(file);
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext("2d");
  const cut = Math.min(picture.width, picture.height);
  context.drawImage(picture, (picture.width - cut) / 2, (picture.height - cut) / 2, cut, cut, 0, 0, SIDE, SIDE);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return Float32Array.from(
    { length: SIDE * SIDE },
    (_, k) => (0.299 * data[4 * k] + 0.587 * data[4 * k + 1] + 0.114 * data[4 * k + 2]) / 255,
  );
};

// Every pixel as a square that begins and ends at pixels of the screen; a frame around the nine that the kernel sees,
// or the one that it makes.
const Pixels = ({ values, scale, paint, label, place: [r, c], at, one }) => {
  const low = one ? 0 : 1;
  const clip = (v) => Math.max(0, Math.min(SIDE - 1, v));
  const draw = (canvas) => {
    const sheet = new OffscreenCanvas(SIDE, SIDE);
    const pen = sheet.getContext("2d");
    const pixels = pen.createImageData(SIDE, SIDE);
    for (let k = 0; k < SIDE * SIDE; k++) pixels.data.set([...paint(values[k], scale), 255], 4 * k);
    pen.putImageData(pixels, 0, 0);
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(sheet, 0, 0, canvas.width, canvas.height);
  };
  const steer = (event) => {
    const way = ARROWS[event.key];
    if (!way) return;
    event.preventDefault();
    at([clip(r + way[1]), clip(c + way[0])]);
  };
  return html`
    <div tabindex="0" role="application" aria-label=${t("learn.bench.steer", { label })} onKeyDown=${steer}>
      <${Axes}
        x=${[0, SIDE]}
        y=${[SIDE, 0]}
        xTicks=${[0, 48, 96, 144, SIDE]}
        yTicks=${[0, 48, 96, 144, SIDE]}
        xLabel=${t("learn.bench.column")}
        yLabel=${t("learn.bench.row")}
        label=${label}
        ground=${draw}
        of=${[values, scale]}
        onPick=${(x, y) => at([clip(Math.floor(y)), clip(Math.floor(x))])}
      >
        ${({ across, up }) => {
          const frame = {
            x: across(c - low),
            y: up(r - low),
            width: across(c + 1 + low) - across(c - low),
            height: up(r + 1 + low) - up(r - low),
          };
          return html`
            <rect ...${frame} fill="none" stroke="#fff" stroke-width="4" />
            <rect ...${frame} fill="none" stroke="#e66101" stroke-width="2" />
          `;
        }}
      <//>
    </div>
  `;
};

const Cells = ({ values, paint, scale }) => html`
  <div class="grid" style="grid-template-columns: repeat(3, auto)">
    ${values.map((v) => html`<span class="cell" style=${cell(paint(v, scale))}>${fixed(v, 2)}</span>`)}
  </div>
`;

const Weights = ({ kernel, write }) => html`
  <div class="grid" style="grid-template-columns: repeat(3, auto)">
    ${kernel.map(
      (v, k) => html`
        <input
          type="number"
          step="0.5"
          aria-label=${t("learn.bench.weight", { n: k + 1 })}
          value=${v}
          style="width: 4.6rem"
          onInput=${(event) => {
            const next = [...kernel];
            next[k] = Number(event.target.value) || 0;
            write(next);
          }}
        />
      `,
    )}
  </div>
`;

/** The sum at a place: the pixels that the kernel sees there, its weights, their products. */
const Kernel = ({ kernel, write, patch }) => {
  const products = patch.map((v, k) => v * kernel[k]);
  const sum = products.reduce((a, b) => a + b, 0);
  return html`
    <div class="sum" style="margin-top: 1.25rem">
      <figure>
        <${Cells} values=${patch} paint=${shade} scale=${1} />
        <figcaption>${t("unit.patch")}</figcaption>
      </figure>
      <div class="term">
        <span>⊙</span>
        <figure>
          <${Weights} kernel=${kernel} write=${write} />
          <figcaption>${t("unit.kernel")}</figcaption>
        </figure>
      </div>
      <div class="term">
        <span>=</span>
        <figure>
          <${Cells} values=${products} paint=${signed} scale=${most(products) || 1} />
          <figcaption>${t("unit.products")}</figcaption>
        </figure>
      </div>
      <span class="term"><span id="total">Σ =${" "}${fixed(sum, 4)}</span></span>
    </div>
  `;
};

const Pictures = ({ image, place: [r, c], at, out }) => {
  const scale = most(out) || 1;
  return html`
    <div class="two even">
      <figure style="margin: 0">
        <${Pixels} values=${image} scale=${1} paint=${shade} label=${t("unit.input")} place=${[r, c]} at=${at} />
        <${Scale} most=${1} both=${false} paint=${shade} />
        <figcaption class="small">${t("learn.bench.click", { r, c })}</figcaption>
      </figure>
      <figure style="margin: 0">
        <${Pixels}
          values=${out}
          scale=${scale}
          paint=${signed}
          label=${t("learn.bench.out")}
          place=${[r, c]}
          at=${at}
          one
        />
        <${Scale} most=${scale} />
        <figcaption class="small">${t("learn.bench.out")}</figcaption>
      </figure>
    </div>
  `;
};

/** The image under the kernel, {image, failed, take}: drawn here until the user chooses a photo or drops one. */
const useImage = () => {
  const [image, set] = useState(drawn);
  const [failed, fail] = useState("");
  const take = async (file) => {
    try {
      await upload(file); // one place decides what an image is
      set(
        await grey(file).catch(() => {
          throw new Error(t("learn.bench.unread"));
        }),
      );
      fail("");
    } catch (error) {
      fail(t("drop.failed", { file: file.name, why: error.message }));
    }
  };
  useEffect(() => {
    const drop = (event) => {
      const file = event.dataTransfer?.files?.[0];
      if (file) take(file);
    };
    addEventListener("drop", drop);
    return () => removeEventListener("drop", drop);
  }, []);
  return { image, failed, take };
};

/** The nine pixels that the kernel sees at a place, zeros outside. */
const patchOf = (image, [r, c]) =>
  Array.from({ length: 9 }, (_, k) => {
    const y = r + Math.floor(k / 3) - 1;
    const x = c + (k % 3) - 1;
    return y >= 0 && y < SIDE && x >= 0 && x < SIDE ? image[y * SIDE + x] : 0;
  });

const Controls = ({ write, take }) => html`
  <div class="row">
    ${Object.keys(KERNELS).map(
      (name) => html`<button onClick=${() => write(KERNELS[name])}>${t(`learn.kernel.${name}`)}</button>`,
    )}
    <label class="button">
      ${t("own")}
      <input
        type="file"
        accept="image/*"
        onChange=${(event) => {
          const [file] = event.target.files;
          event.target.value = "";
          if (file) take(file);
        }}
      />
    </label>
  </div>
`;

export default () => {
  const given = (place.value.kernel ?? "").split(",").map(Number);
  const kernel = given.length === 9 && given.every(isFinite) ? given : KERNELS.edge;
  const { image, failed, take } = useImage();
  const [spot, at] = useState([64, 24]);
  const out = useMemo(() => convolve(image, kernel), [image, kernel.join()]);
  const write = (values) => go({ kernel: values.map((v) => Number(v.toFixed(4))).join(",") }, { replace: true });
  return html`
    <${Controls} write=${write} take=${take} />
    ${failed && html`<p class="error" role="alert">${failed}</p>`}
    <${Pictures} image=${image} place=${spot} at=${at} out=${out} />
    <${Kernel} kernel=${kernel} write=${write} patch=${patchOf(image, spot)} />
  `;
};
