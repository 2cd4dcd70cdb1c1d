// What state.js is to the studio, for a page that keeps nothing: its language is the one it was written in, its theme
// the reader's.
import { signal } from "@preact/signals";

const dark = matchMedia("(prefers-color-scheme: dark)");

export const language = signal(document.documentElement.lang);
export const theme = signal(dark.matches ? "dark" : "light");
dark.addEventListener("change", () => (theme.value = dark.matches ? "dark" : "light"));
