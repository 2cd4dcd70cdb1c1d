// location.js for a notebook: the kernel keeps the current place, so that Python can read and set it. There is one
// network and one image.
import { signal } from "@preact/signals";

const UNIT = { channel: "c", y: "y", x: "x" };
export const TRAITS = ["page", "layer", ...Object.keys(UNIT)];
const CHANGES = ["noise", "turn", "mirror"]; // of the image; known only to the page

export const place = signal({});
export const language = signal("en");
export const theme = signal("light");
export const alone = true;
export let model; // anywidget's: get, set, save_changes, send, on, off
let stage;
export const keyboard = () => stage;

/** Start from the kernel's place; the returned function disconnects. */
export const begin = (given, element) => {
  [model, stage] = [given, element];
  read();
  for (const name of TRAITS) model.on(`change:${name}`, read);
  return () => TRAITS.forEach((name) => model.off(`change:${name}`, read));
};

const read = () => {
  const next = { run: "", image: "own", page: model.get("page"), key: model.get("layer") };
  for (const [name, short] of Object.entries(UNIT)) if (model.get("channel") !== null) next[short] = model.get(name);
  for (const name of CHANGES) if (place.value[name]) next[name] = place.value[name];
  place.value = next;
};

/** Go to the place that this link names. */
export const put = (hash) => {
  const next = Object.fromEntries(new URLSearchParams(hash.slice(1)));
  place.value = { ...next, run: "", image: "own" };
  model.set("page", next.page);
  model.set("layer", next.key);
  for (const [name, short] of Object.entries(UNIT))
    model.set(name, next.c === undefined ? (name === "channel" ? null : 0) : Number(next[short] ?? 0));
  model.save_changes();
};
