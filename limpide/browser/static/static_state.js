// state.js for a page without state: its language is the one in which it was written, its theme the reader's.
import { signal } from "@preact/signals";

const dark = matchMedia("(prefers-color-scheme: dark)");

export const language = signal(document.documentElement.lang);
export const theme = signal(dark.matches ? "dark" : "light");
dark.addEventListener("change", () => (theme.value = dark.matches ? "dark" : "light"));
