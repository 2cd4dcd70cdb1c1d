// What every page shares: where we are (run, page, snapshot, image …), mirrored in the URL, so that every view is a link; language and theme.
import { signal, effect } from "@preact/signals";

const read = () => {
  const query = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(query.entries());
};

export const place = signal(read());
export const language = signal(localStorage.getItem("language") || (document.documentElement.lang === "fr" ? "fr" : "en"));
export const theme = signal(localStorage.getItem("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));

effect(() => {
  document.documentElement.lang = language.value;
  localStorage.setItem("language", language.value);
});
effect(() => {
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem("theme", theme.value);
});
addEventListener("hashchange", () => (place.value = read()));

/** Grows whenever a run that is watched has something new to offer: weights that were kept, images to ask about, a phase that began. */
export const news = signal(0);

/** The URL of a place: what is given is changed, what is null is dropped. */
export const link = (values) => {
  const next = { ...place.value, ...values };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(next)) if (value !== null && value !== undefined && value !== "") query.set(name, value);
  return "#" + query.toString();
};

export const go = (values, { replace = false } = {}) => {
  const hash = link(values);
  if (replace) {
    history.replaceState(null, "", hash);
    place.value = read();
  } else location.hash = hash;
};

export const snapshot = () => place.value.at || "best";
export const image = () => place.value.image || "probe-0";
/** What is looked at: these weights, this image, changed as the URL says. */
export const looked = () => ({ snapshot: snapshot(), image: image(), noise: place.value.noise, turn: place.value.turn, mirror: place.value.mirror });
export const lookedAt = () => Object.values(looked()).join();
/** Another image comes as it is. */
export const other = (image) => ({ image, noise: null, turn: null, mirror: null });
