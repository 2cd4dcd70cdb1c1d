// A kernel that can be edited slides over an image: each place is the sum of nine products.
import { html, useEffect, useState } from "../../html.js";
import { place, go } from "../../state.js";
import { t, fixed } from "../../words.js";
import { Plane, Scale, signed, unsigned, cell, most } from "../../paint.js";

const SIDE = 96;
const KERNELS = { edge: [-1, 0, 1, -2, 0, 2, -1, 0, 1], across: [-1, -2, -1, 0, 0, 0, 1, 2, 1], blur: [1, 1, 1, 1, 1, 1, 1, 1, 1].map((v) => v / 9), sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0], spot: [-1, -1, -1, -1, 8, -1, -1, -1, -1], same: [0, 0, 0, 0, 1, 0, 0, 0, 0] };

/** out[r, c] = Σ kernel[u, v] · image[r + u − 1, c + v − 1], zeros outside (ladder/convolution.py, padding 1). */
export const convolve = (image, kernel, side = SIDE) => {
  const out = new Float32Array(side * side);
  for (let r = 0; r < side; r++) for (let c = 0; c < side; c++) {
    let sum = 0;
    for (let u = 0; u < 3; u++) for (let v = 0; v < 3; v++) {
      const y = r + u - 1, x = c + v - 1;
      if (y >= 0 && y < side && x >= 0 && x < side) sum += kernel[3 * u + v] * image[y * side + x];
    }
    out[r * side + c] = sum;
  }
  return out;
};

const drawn = () => { // a disc, a square and stripes, until somebody drops a photo
  const image = new Float32Array(SIDE * SIDE);
  for (let r = 0; r < SIDE; r++) for (let c = 0; c < SIDE; c++) {
    const disc = Math.hypot(r - 32, c - 32) < 20, square = r > 52 && r < 84 && c > 14 && c < 46, stripes = c > 58 && Math.floor((r + c) / 6) % 2;
    image[r * SIDE + c] = disc ? 0.9 : square ? 0.6 : stripes ? 0.8 : 0.1;
  }
  return image;
};

const grey = async (file) => {
  const picture = await createImageBitmap(file);
  const canvas = new OffscreenCanvas(SIDE, SIDE), context = canvas.getContext("2d");
  const cut = Math.min(picture.width, picture.height);
  context.drawImage(picture, (picture.width - cut) / 2, (picture.height - cut) / 2, cut, cut, 0, 0, SIDE, SIDE);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return Float32Array.from({ length: SIDE * SIDE }, (_, k) => (0.299 * data[4 * k] + 0.587 * data[4 * k + 1] + 0.114 * data[4 * k + 2]) / 255);
};

export default () => {
  const given = (place.value.kernel ?? "").split(",").map(Number);
  const kernel = given.length === 9 && given.every(isFinite) ? given : KERNELS.edge;
  const [image, set] = useState(drawn);
  const [[r, c], at] = useState([32, 12]);
  useEffect(() => {
    const drop = async (event) => { const file = event.dataTransfer?.files?.[0]; if (file) { event.preventDefault(); set(await grey(file)); } };
    addEventListener("drop", drop);
    return () => removeEventListener("drop", drop);
  }, []);
  const out = convolve(image, kernel), scale = most(out) || 1;
  const write = (values) => go({ kernel: values.map((v) => Number(v.toFixed(4))).join(",") }, { replace: true });
  const patch = Array.from({ length: 9 }, (_, k) => { const y = r + Math.floor(k / 3) - 1, x = c + (k % 3) - 1; return y >= 0 && y < SIDE && x >= 0 && x < SIDE ? image[y * SIDE + x] : 0; });
  const cells = (values, paint, scale_) => html`<div class="grid" style="grid-template-columns: repeat(3, auto)">${values.map((v) => html`<span class="cell" style=${cell(paint(v, scale_))}>${fixed(v, 2)}</span>`)}</div>`;
  const products = patch.map((v, k) => v * kernel[k]);
  return html`<div class="row">${Object.keys(KERNELS).map((name) => html`<button onClick=${() => write(KERNELS[name])}>${t(`learn.kernel.${name}`)}</button>`)}<label class="small">${t("own")} <input type="file" accept="image/*" onChange=${async (event) => event.target.files[0] && set(await grey(event.target.files[0]))} /></label></div>
    <div class="two even"><figure style="margin: 0"><${Plane} values=${image} height=${SIDE} width=${SIDE} scale=${1} paint=${unsigned} label=${t("unit.input")} onClick=${(y, x) => at([y, x])} className="wide" /><${Scale} most=${1} both=${false} /><figcaption class="small">${t("learn.bench.click")}</figcaption></figure>
      <figure style="margin: 0"><${Plane} values=${out} height=${SIDE} width=${SIDE} scale=${scale} label=${t("learn.bench.out")} onClick=${(y, x) => at([y, x])} className="wide" /><${Scale} most=${scale} /><figcaption class="small">${t("learn.bench.out")}</figcaption></figure></div>
    <div class="sum"><figure>${cells(patch, unsigned, 1)}<figcaption>${t("unit.patch")}</figcaption></figure><span>⊙</span>
      <figure><div class="grid" style="grid-template-columns: repeat(3, auto)">${kernel.map((v, k) => html`<input type="number" step="0.5" aria-label=${t("learn.bench.weight", { n: k + 1 })} value=${v} style="width: 4.6rem" onInput=${(event) => { const next = [...kernel]; next[k] = Number(event.target.value) || 0; write(next); }} />`)}</div><figcaption>${t("unit.kernel")}</figcaption></figure><span>=</span>
      <figure>${cells(products, signed, most(products) || 1)}<figcaption>${t("unit.products")}</figcaption></figure><span id="total">Σ = ${fixed(products.reduce((a, b) => a + b, 0), 4)}</span></div>`;
};
