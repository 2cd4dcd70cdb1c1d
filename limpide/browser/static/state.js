// What every page shares: where we are, and the way to another place. Where that is kept: location.js, and
// widget/location.js in a notebook.
import { signal } from "@preact/signals";
import { alone, keyboard, language, place, put, theme } from "./location.js";
export { alone, keyboard, language, place, theme };

/**
 * Grows whenever a run that is watched has something new to offer: weights that were kept, images to ask about, a phase
 * that began.
 */
export const news = signal(0);

/** The URL of a place: what is given is changed, what is null is dropped. */
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
/** What is looked at: these weights, this image, changed as the URL says. */
export const looked = () => ({
  snapshot: snapshot(),
  image: image(),
  noise: place.value.noise,
  turn: place.value.turn,
  mirror: place.value.mirror,
});
export const lookedAt = () => Object.values(looked()).join();
/** Another image comes as it is. */
export const other = (image) => ({ image, noise: null, turn: null, mirror: null });
