// The series of a run, kept up to date by server-sent events, and values computed from them.
import { useSignal } from "@preact/signals";
import { useState, useEffect } from "../../html.js";
import { language } from "../../state.js";
import { t } from "../../i18n.js";
import { get, path } from "../../api.js";

// To watch a training takes time from the processors that it uses: cheap data come at once, the rest less often the
// longer it goes on. CALM: ms at least between two requests for kept weights, and between two drawings of the curves
export const CALM = 2000;
const calm = (points) => Math.min(5000, Math.max(CALM, 4 * points)); // ms between two drawings
const MOST = 4000; // points kept in the page before every second one is dropped

/**
 * The series of a run, kept up to date by server-sent events: as it is to be drawn, and `newest`, a signal with each
 * message applied.
 */
export const useSeries = (run) => {
  const [state, set] = useState({ waiting: true });
  const [round, again] = useState(0);
  const newest = useSignal(null);
  const hidden = useHidden();
  useEffect(() => {
    // the page is hidden: nothing is sent, nothing is drawn, and the training has the processors to itself
    if (hidden) return;
    let source,
      timer,
      drawn,
      current = true;
    const draw = () => {
      drawn = performance.now();
      set({ value: copied(newest.value) });
    };
    const hear = ({ data }) => {
      const before = newest.value;
      const message = JSON.parse(data);
      newest.value = grown(before, message);
      clearTimeout(timer);
      const wait = calm(newest.value.n.length);
      if (
        performance.now() - drawn >= wait ||
        message.epochs?.length ||
        newest.value.about.status !== before.about.status
      )
        draw();
      else timer = setTimeout(draw, wait); // it was the last one for a while
    };
    get(path(run, "/series")).then(
      (first) => {
        if (!current) return;
        const [n = [], loss = [], lr = [], seconds = [], mean = []] = first.steps;
        newest.value = { ...first, n, loss, lr, seconds, smooth: mean };
        draw();
        source = new EventSource(path(run, "/events", { offset: first.offset, epoch: first.about.epoch_id }));
        source.addEventListener("events", hear);
        source.addEventListener("again", () => again((n) => n + 1));
        source.addEventListener("gone", () => {
          clearTimeout(timer);
          source.close();
          set({ error: t("live.gone") });
        });
      },
      (error) => current && set({ error: error.message }),
    );
    return () => {
      current = false;
      clearTimeout(timer);
      source?.close();
    };
  }, [run, round, hidden, language.value]);
  return [state, newest];
};

const COLUMNS = ["n", "loss", "lr", "seconds", "smooth"];
const copied = (value) => ({
  ...value,
  ...Object.fromEntries(COLUMNS.map((name) => [name, [...value[name]]])),
});

/** The series extended by a message of the stream. */
export const grown = (
  value,
  { steps: [n, loss, lr, seconds] = [], total = 0, epochs = [], notes = [], run, system, diagnosis },
) => {
  const next = {
    ...value,
    epochs: value.epochs.concat(epochs),
    notes: value.notes.concat(notes),
    total: value.total + total,
  };
  if (n) {
    const more = { n, loss, lr, seconds, smooth: smooth(loss, value.recent) };
    next.recent = [...value.recent, ...loss].slice(1 - WINDOW);
    // in place: thousands of numbers are not copied with each message
    for (const name of COLUMNS) value[name].push(...more[name]);
    if (value.n.length > MOST)
      for (const name of COLUMNS) next[name] = next[name].filter((_, k) => k % 2 === 0 || k > MOST - 500);
  }
  if (run) next.about = run;
  if (system) next.now = system;
  if (system && system.step > (value.system[0]?.at(-1) ?? -1))
    next.system = ["step", "cpu", "memory", "joules", "how"].map((name, k) => [
      ...(value.system[k] ?? []),
      system[name],
    ]);
  if (diagnosis) next.diagnosis = diagnosis;
  return next;
};

/**
 * Wh at each step: between two readings of the meter the same for each step, and after the last one at the previous
 * pace.
 */
export const spent = (ns, [steps = [], , , joules = []]) => {
  let k = 0;
  return ns.map((n) => {
    while (k + 2 < steps.length && steps[k + 1] <= n) k += 1;
    const [from, to] = steps.length > 1 ? [k, k + 1] : [-1, 0];
    const pace = (joules[to] - (joules[from] ?? 0)) / (steps[to] - (steps[from] ?? 0) || Infinity);
    return steps.length ? Math.max(0, joules[to] + pace * (n - steps[to])) / 3600 : 0;
  });
};

const useHidden = () => {
  const [hidden, set] = useState(document.hidden);
  useEffect(() => {
    const look = () => set(document.hidden);
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return hidden;
};

const WINDOW = 10; // steps, as in studio/series.py
/**
 * For each loss, the mean with those before it, ten in all: unlike an exponential mean, it does not depend on the
 * beginning. before: the last nine of them.
 */
export const smooth = (values, before = []) => {
  const all = [...before, ...values];
  return values.map((_, k) => {
    const some = all
      .slice(Math.max(0, before.length + k + 1 - WINDOW), before.length + k + 1)
      .filter((value) => value != null);
    return some.length ? some.reduce((a, b) => a + b, 0) / some.length : null;
  });
};

/**
 * The means as they are drawn: each in the middle of its ten steps, so that the line does not lag behind a fall. n: the
 * steps, of which some may be left out.
 */
export const centred = (n, means) => {
  const half = Math.floor((WINDOW - 1) / 2);
  let j = 0;
  return n.map((step) => {
    while (j + 1 < n.length && n[j + 1] <= step + half) j++;
    return n.at(-1) < step + half ? null : means[j];
  });
};
