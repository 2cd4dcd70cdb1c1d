// Where the studio keeps the current place (run, page, snapshot, image …): in the URL, so that every view is a link;
// language and theme in the browser.
import { signal, effect } from "@preact/signals";

const read = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)).entries());

export const place = signal(read());
export const language = signal(
  localStorage.getItem("language") || (document.documentElement.lang === "fr" ? "fr" : "en"),
);
export const theme = signal(
  localStorage.getItem("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
);
export const alone = false; // whether there is only one network and one image: no training, no other images
export const keyboard = () => window; // the target of the arrow keys

effect(() => {
  document.documentElement.lang = language.value;
  localStorage.setItem("language", language.value);
});
effect(() => {
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem("theme", theme.value);
});
addEventListener("hashchange", () => (place.value = read()));

/** Go to the place that this link names. */
export const put = (hash, replace) => {
  if (replace) {
    history.replaceState(null, "", hash);
    place.value = read();
  } else location.hash = hash;
};
