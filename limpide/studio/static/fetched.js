// A question whose answer belongs to what is asked now: an older one that comes late is dropped.
import { html, useEffect, useState } from "./html.js";
import { t } from "./words.js";

/** {value, error, waiting}: the value stays while the next one is awaited. */
export const useFetched = (ask, keys) => {
  const [state, set] = useState({ waiting: true });
  useEffect(() => {
    let current = true;
    set((before) => ({ ...before, waiting: true, error: undefined }));
    ask().then(
      (value) => current && set({ value, waiting: false }),
      (error) => current && set((before) => ({ value: before.value, error: error.message, waiting: false })),
    );
    return () => (current = false);
  }, keys);
  return state;
};

export const Fetched = ({ state, children }) =>
  state.error
    ? html`<p class="error" role="alert">${state.error}</p>`
    : state.value === undefined
      ? html`<p class="small" role="status">${t("waiting")}</p>`
      : children(state.value);
