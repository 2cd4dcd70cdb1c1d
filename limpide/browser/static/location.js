// Where the studio keeps the current place (run, page, snapshot, image …): in the URL, so that every view is a link;
// language and theme in the browser.
import { signal, effect } from "@preact/signals";

const read = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)).entries());

export const place = signal(read());
// Behind a proxy other programs have the same storage; some browsers refuse it.
const keep = (name, value) => {
  try {
    localStorage.setItem(`limpide.${name}`, value);
  } catch {}
};
const kept = (name, legal, otherwise) => {
  try {
    const value = localStorage.getItem(`limpide.${name}`);
    return legal.includes(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
};
export const language = signal(kept("language", ["en", "fr"], document.documentElement.lang === "fr" ? "fr" : "en"));
const preferred = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
export const theme = signal(kept("theme", ["light", "dark"], preferred));
export const alone = false; // whether there is only one network and one image: no training, no other images
export const keyboard = () => window; // the target of the arrow keys

effect(() => {
  document.documentElement.lang = language.value;
  keep("language", language.value);
});
effect(() => {
  document.documentElement.dataset.theme = theme.value;
  keep("theme", theme.value);
});
addEventListener("hashchange", () => (place.value = read()));

/** Go to the place that this link names. */
export const put = (hash, replace) => {
  if (replace) {
    history.replaceState(null, "", hash);
    place.value = read();
  } else location.hash = hash;
};
