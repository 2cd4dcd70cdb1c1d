// Sums of products, computed here in 64 bits and compared with what torch computed in 32.
const TOLERANCE = 1e-5; // of Σ |x·w| + |b|, as in interpret/arithmetic.py

const add = (values) => values.reduce((a, b) => a + b, 0);

/** {products, sum, bias, value, torch, difference, most, agrees}. */
export const compared = (values, weights, bias, torch) => {
  const products = values.map((value, k) => value * weights[k]);
  const sum = add(products);
  const most = TOLERANCE * (add(products.map(Math.abs)) + Math.abs(bias)) + 1e-12;
  const value = sum + bias;
  const difference = Math.abs(value - torch);
  return { products, sum, bias, value, torch, difference, most, agrees: difference <= most };
};

/**
 * y[c, i, j] = b[c] + Σ w[c, k, u, v] · x[k, i·stride + u·dilation − padding, …]; c counts the kept channels. box: top,
 * left, bottom, right of what it sees, without padding.
 */
export const unitOf = (first, c, y, x) => {
  const [, rows, columns] = first.input.shape;
  const [, into, high, wide] = first.weight.shape;
  const [, height, width] = first.output.shape;
  const group = Math.floor(first.channels[c] / (first.outputs / first.groups));
  const top = y * first.stride[0] - first.padding[0];
  const left = x * first.stride[1] - first.padding[1];
  const size = high * wide;
  const values = [];
  const inside = [];
  for (let i = 0; i < into; i++)
    for (let u = 0; u < high; u++)
      for (let v = 0; v < wide; v++) {
        const row = top + u * first.dilation[0];
        const column = left + v * first.dilation[1];
        inside.push(row >= 0 && row < rows && column >= 0 && column < columns);
        values.push(inside.at(-1) ? first.input.values[((group * into + i) * rows + row) * columns + column] : 0);
      }
  const weights = Array.from(first.weight.values.subarray(c * into * size, (c + 1) * into * size));
  const found = compared(values, weights, first.bias.values[c], first.output.values[(c * height + y) * width + x]);
  const sums = Array.from({ length: into }, (_, i) => add(found.products.slice(i * size, (i + 1) * size)));
  const box = [
    Math.max(0, top),
    Math.max(0, left),
    Math.min(rows, top + (high - 1) * first.dilation[0] + 1),
    Math.min(columns, left + (wide - 1) * first.dilation[1] + 1),
  ];
  return { ...found, values, weights, inside, sums, box, from: group * into, grid: [into, high, wide] };
};

const STEPS = {
  batch_norm: (v) => v,
  dropout: (v) => v,
  relu: (v) => Math.max(0, v),
  relu6: (v) => Math.max(0, Math.min(6, v)),
  silu: (v) => v / (1 + Math.exp(-v)),
  hardswish: (v) => (v * Math.max(0, Math.min(6, v + 3))) / 6,
  sigmoid: (v) => 1 / (1 + Math.exp(-v)),
  tanh: Math.tanh,
};

/**
 * [{layer, name, value}]: the values after normalization and activation for kept channel c, one after the other
 * (interpret/first_last_layers.py).
 */
export const stepsOf = (first, c, value) =>
  (first.after ?? []).map((layer, k) => {
    const name = first.after_names[k];
    const place = k * first.channels.length + c;
    value = STEPS[name](value * first.slopes.values[place] + first.shifts.values[place]);
    return { layer, name, value };
  });

/** The score of a class: Σ feature · weight + bias; k counts the kept classes. */
export const scoreOf = (last, k) => {
  const n = last.features.values.length;
  const values = Array.from(last.features.values);
  const weights = Array.from(last.weight.values.subarray(k * n, (k + 1) * n));
  return { ...compared(values, weights, last.bias.values[k], last.logits.values[k]), values, weights };
};
