// Arrays from Python.
/** NumPy's format 1 and 2, little-endian float32, rows first (numpy.lib.format). */
export const npy = (buffer) => {
  const view = new DataView(buffer);
  const long = view.getUint8(6) > 1;
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = (long ? 12 : 10) + length;
  const header = new TextDecoder().decode(new Uint8Array(buffer, long ? 12 : 10, length));
  if (!/'descr': '<f4'/.test(header) || /'fortran_order': True/.test(header)) throw new Error("npy");
  const shape = header
    .match(/'shape': \(([^)]*)\)/)[1]
    .split(",")
    .filter((n) => n.trim())
    .map(Number);
  return { shape, values: new Float32Array(buffer.slice(start)) };
};
