// State shared by all pages: the current place, and the way to another one. It is kept by location.js, in a notebook by
// widget/location.js.
import { signal } from "@preact/signals";
import { alone, keyboard, language, place, put, theme } from "./location.js";
export { alone, keyboard, language, place, theme };

/** Grows whenever a watched run has something new: kept weights, watched images, a new phase. */
export const news = signal(0);

/** The URL of a place: given values are changed, null values are dropped. */
export const link = (values) => {
  const next = { ...place.value, ...values };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(next))
    if (value !== null && value !== undefined && value !== "") query.set(name, value);
  return "#" + query.toString();
};

export const go = (values, { replace = false } = {}) => put(link(values), replace);

export const snapshot = () => place.value.at || "best";
export const image = () => place.value.image || "probe-0";
/** The current subject: these weights, this image, changed as the URL says. */
export const looked = () => ({
  snapshot: snapshot(),
  image: image(),
  noise: place.value.noise,
  turn: place.value.turn,
  mirror: place.value.mirror,
});
export const lookedAt = () => Object.values(looked()).join();
/** Another image starts without changes. */
export const other = (image) => ({ image, noise: null, turn: null, mirror: null });
