// A question whose answer belongs to the current request: an older answer that comes late is dropped.
import { html, useEffect, useRef, useState } from "./html.js";
import { language } from "./state.js";
import { t, count } from "./i18n.js";
import { howFar, within } from "./api.js";

/**
 * {value, error, waiting}. The previous question is cancelled and its answer dropped: an answer about another image is
 * never shown under a new title.
 * keep: show the old value, dimmed, until the new one is there; for short steps.
 * still: not even dimmed; for updates that come by themselves.
 * of: the subject of a question that is asked again and again: a value about another subject goes at once, one about
 * the same subject outlives a failure.
 * A refusal is requested again in another language.
 */
export const useFetched = (ask, keys, { keep = false, still = false, of } = {}) => {
  const [state, set] = useState({ waiting: true, of });
  const foreign = state.error !== undefined && state.said !== language.value;
  useEffect(() => {
    const abort = new AbortController();
    const said = language.value;
    if (!still)
      set((before) => ({
        ...(keep && before.of === of ? before : {}),
        waiting: true,
        error: undefined,
        of,
        signal: abort.signal,
      }));
    within(abort.signal, ask).then(
      (value) => abort.signal.aborted || set({ value, waiting: false, of }),
      (error) =>
        abort.signal.aborted ||
        set((before) =>
          of !== undefined && before.value !== undefined
            ? { ...before, waiting: false }
            : { error: error.message, said, waiting: false, of },
        ),
    );
    return () => abort.abort();
  }, [...keys, foreign]);
  return state.of === of ? state : { waiting: true };
};

/** doing: a description of a long task. */
export const Fetched = ({ state, doing, children }) =>
  state.error
    ? html`<p class="error" role="alert">${state.error}</p>`
    : state.value === undefined
      ? html`<${Waiting} doing=${doing} signal=${state.signal} />`
      : html`
        ${state.waiting && doing && html`<${Waiting} doing=${doing} signal=${state.signal} />`}
        <div class=${state.waiting ? "stale" : ""} aria-busy=${state.waiting ? "true" : "false"}>
          ${children(state.value)}
        </div>
      `;

/**
 * A sign that work is going on: its progress, where that is known, or the elapsed time; from the second second on, and
 * not read out each time.
 */
export const Waiting = ({ doing, signal }) => {
  const [seconds, tick] = useState(0);
  const [far, reach] = useState(null);
  const first = useRef(null); // when the progress was first known, and how far it was
  useEffect(() => {
    let gone = false;
    const timer = setInterval(async () => {
      tick((n) => n + 1);
      const found = signal && (await howFar(signal));
      if (!gone) reach(found);
    }, 1000);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [signal]);
  // begun, or begun again with another part
  if (far?.total && !(first.current?.[1] <= far.done)) first.current = [performance.now(), far.done];
  const [since, from] = first.current ?? [];
  const left =
    far?.total && far.done > from
      ? (((performance.now() - since) / 1000) * (far.total - far.done)) / (far.done - from)
      : null;
  return html`
    <p class="small">
      <span role="status">${doing ?? t("waiting")}</span>
      ${
        seconds > 0 &&
        (far?.total
          ? html`
            ${" "}
            <progress value=${far.done} max=${far.total} aria-label=${doing ?? t("waiting")}></progress>${" "}
            ${t(`waiting.${far.unit}`, { done: count(far.done), total: count(far.total) })}
            ${left !== null && html` · ${t("waiting.left", { n: count(Math.ceil(left)) })}`}
          `
          : html`
            ${" "}
            <span aria-hidden="true">${far?.waits ? t("waiting.turn") : `${count(seconds)} s`}</span>
          `)
      }
    </p>
  `;
};
