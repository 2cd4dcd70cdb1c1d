// A training while it happens, or as it was: the curves, what they say in plain words, the images it is asked about
// again and again.
import { useSignal } from "@preact/signals";
import { html, useState, useEffect, useRef, useMemo } from "../html.js";
import { place, link, go, snapshot, language, news } from "../state.js";
import { t, count, number, percent, bytes, standing } from "../i18n.js";
import { get, path, post, ask } from "../api.js";
import { useFetched, Fetched } from "../use_fetched.js";
import { Plot } from "../plot.js";

// Whoever watches a training draws on the processors that it uses: what costs little comes at once, the rest the more
// rarely the longer it goes on.
const CALM = 2000; // ms at least between two looks at what a run has kept, and between two drawings of its curves
const calm = (points) => Math.min(5000, Math.max(CALM, 4 * points)); // ms between two drawings
// ms between two looks, each of which wakes the network
const patience = (watched) => Math.min(30000, Math.max(CALM, watched / 3));
// ms between two drawings of what changes little: the learning rate, which was decided before, and the passes
const RATE = 6000;
const SOON = 500; // ms after a step until what was kept at it is on the disk
const SHOWN = 16; // images that are asked again and again
const MOST = 4000; // points that are kept in the page before every second one is dropped

/**
 * The series of a run, kept up to date by server-sent events: as it is to be drawn, and `newest`, a signal that knows
 * each message.
 */
const useSeries = (run) => {
  const [state, set] = useState({ waiting: true });
  const [round, again] = useState(0);
  const newest = useSignal(null);
  const hidden = useHidden();
  useEffect(() => {
    // nobody looks: nothing is sent, nothing is drawn, and the training has the processors to itself
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

/** The series with what a message of the stream adds. */
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
 * Wh at each step: between two looks at the meter as if each step took the same, and after the last one at the pace
 * before.
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
 * Of each loss the mean with those before it, ten in all: no memory of how it began, as an exponential mean has.
 * before: the last nine of them.
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
 * The means as they are drawn: each in the middle of its ten steps, so that the line lags behind no fall. n: the steps,
 * of which some may be left out.
 */
export const centred = (n, means) => {
  const half = Math.floor((WINDOW - 1) / 2);
  let j = 0;
  return n.map((step) => {
    while (j + 1 < n.length && n[j + 1] <= step + half) j++;
    return n.at(-1) < step + half ? null : means[j];
  });
};

export default ({ about }) => {
  const { run } = place.value;
  const [state, newest] = useSeries(run);
  return html`
    <${Fetched} state=${state}>
      ${(series) => html`<${Live} run=${run} about=${about} series=${series} newest=${newest} />`}
    <//>
  `;
};

/** The value, but another one only after so many ms; with another key, at once. */
const useRarely = (value, ms, key) => {
  const kept = useRef({});
  if (key !== kept.current.key || performance.now() - kept.current.since >= ms)
    kept.current = { value, key, since: performance.now() };
  return kept.current.value;
};

// shares in %: nothing is drawn beyond 100
const around = (_, low, high) => [Math.max(0, low - 2), Math.min(100, high + 2)];

/** Which weights stay: of the pass that did best on validation, or those of the model before it. */
const Kept = ({ epochs, over, kind, first }) => {
  const best = epochs.findLast((epoch) => epoch.best);
  if (over && kind === "frozen") return html`<p class="small">${t("live.kept.first")}</p>`;
  if (!over && first > best.validation_accuracy)
    return html`<p class="small">${t("live.best.first", { p: percent(first) })}</p>`;
  return html`
    <p class="small">
      ${t(over ? "live.kept" : "live.best", { n: count(best.n + 1), p: percent(best.validation_accuracy) })}
    </p>
  `;
};

// What changes with each message is drawn by itself: two short texts.
const Step = ({ newest }) => count(newest.value.n.at(-1) ?? 0);
const Loss = ({ newest }) => number(newest.value.smooth.at(-1));

const Live = ({ run, about, series, newest }) => {
  const [axis, choose] = useState("steps");
  const clicks = useRef(0);
  const now = series.about ?? about ?? {};
  // it makes steps, or waits between two of them
  const fitting = now.phase === "fit" && ["running", "paused"].includes(now.status);
  // Weights are kept after 1, 2, 4 … steps and after each pass: then there is more to choose from, and the images are
  // asked again.
  const { total } = series;
  const kept = series.epochs.length + (total ? 1 + Math.floor(Math.log2(total)) : 0) + series.notes.length;
  const turn = `${now.phase} ${now.status} ${series.notes.length}`;
  const stage = about && `${kept} ${turn}`;
  const asking = useRef({ opened: performance.now(), since: -Infinity });
  useEffect(() => {
    const { stage: before, turn: had, timer, since, opened } = asking.current;
    Object.assign(asking.current, { stage, turn });
    // passes may be shorter than the wait: it must not begin anew with each
    if (!before || before === stage || (timer && turn === had)) return;
    clearTimeout(timer);
    const ask = () => {
      Object.assign(asking.current, { since: performance.now(), timer: null });
      news.value += 1;
    };
    const wait = turn === had ? since - performance.now() + patience(performance.now() - opened) : 0;
    asking.current.timer = setTimeout(ask, Math.max(SOON, wait));
  }, [stage]);
  useEffect(() => () => clearTimeout(asking.current.timer), []);
  const x = useMemo(() => {
    if (axis === "steps") return series.n;
    if (axis === "time") {
      let total = 0,
        before = 0;
      return series.n.map((n, k) => ((total += series.seconds[k] * (n - before)), (before = n), total));
    }
    if (axis === "epochs") {
      const per = series.epochs[0]?.step ?? now.steps ?? 1;
      return series.n.map((n) => n / per);
    }
    return spent(series.n, series.system);
  }, [series.n, axis, series.epochs.length]);
  const fitted = x.length < 2 && !series.epochs.length && now.status === "finished"; // at once, without a step
  const units = {
    steps: t("axis.steps"),
    epochs: t("axis.epochs"),
    time: t("axis.time"),
    energy: t("axis.energy"),
  };
  const ofStep = (n) => {
    const k = series.n.findIndex((value) => value >= n);
    return k < 0 ? x.at(-1) : x[k];
  };
  // else nothing was set aside to choose by
  const validated = series.epochs.some((epoch) => epoch.validation_loss !== epoch.train_loss);
  const validation = useMemo(() => {
    const found = new Array(x.length).fill(null);
    if (validated)
      for (const epoch of series.epochs) {
        const k = series.n.findIndex((n) => n >= epoch.step);
        found[k < 0 ? x.length - 1 : k] = epoch.validation_loss;
      }
    return found;
  }, [x, series.epochs.length]);
  const losses = useMemo(() => [x, series.loss, centred(series.n, series.smooth), validation], [x, validation]);
  // From the first step to the newest, as the loss above it.
  const passes = validated ? series.epochs : [];
  const accuracy = useRarely(
    [
      [x[0], ...passes.map((epoch) => ofStep(epoch.step)), x.at(-1)],
      [null, ...passes.map((epoch) => 100 * epoch.validation_accuracy), null],
    ],
    RATE,
    `${axis} ${now.status} ${passes.length}`,
  );
  const rate = useRarely([x, series.lr], RATE, `${axis} ${now.status}`);
  const recent = series.seconds.slice(-20).filter((s) => s > 0);
  const speed = recent.length ? recent.length / recent.reduce((a, b) => a + b, 0) : null;
  const batch = about?.recipe?.batch;
  const nearest = (k) => closest(series.n[k]);
  const closest = async (step) => {
    const mine = (clicks.current += 1);
    const { hash } = location;
    const kept = (await get(path(run, "")).catch(() => about))?.snapshots ?? []; // of this very moment
    if (mine !== clicks.current || location.hash !== hash) return; // somebody clicked again, or went elsewhere
    if (kept.length !== about?.snapshots.length) news.value += 1; // so that the bar has them too
    if (kept.length) go({ at: String(kept.reduce((a, b) => (Math.abs(b - step) < Math.abs(a - step) ? b : a))) });
  };
  const marks = snapshot() === "best" ? [] : [ofStep(Number(snapshot()))].filter((v) => v !== undefined);
  const drawn = useMemo(
    () => html`
      <div class="two">
        <div>
          ${
            fitted
              ? html`<p class="read">${t("live.no_curve")}</p>`
              : html`
                <div class="row" role="group" aria-label=${t("axis")}>
                  ${Object.keys(units).map(
                    (name) => html`
                      <button aria-pressed=${axis === name} onClick=${() => choose(name)}>
                        ${t(`axis.${name}.short`)}
                      </button>
                    `,
                  )}
                </div>
              `
          }
          ${
            x.length > 1 &&
            html`
              <${Plot}
                data=${losses}
                xLabel=${units[axis]}
                whole=${axis === "epochs"}
                yLabel=${t("live.loss_axis")}
                onPoint=${nearest}
                marks=${marks}
                height=${280}
                series=${[
                  { label: t("live.batch"), stroke: "--line" },
                  { label: t("live.smooth"), stroke: "--ink" },
                  { label: t("live.validation_loss"), stroke: "--accent", points: true },
                ]}
              />
            `
          }
          ${
            passes.length > 0 &&
            html`
              <${Plot}
                data=${accuracy}
                xLabel=${units[axis]}
                whole=${axis === "epochs"}
                yLabel=${t("live.accuracy_axis")}
                height=${180}
                yRange=${around}
                onPoint=${(k) => closest(k ? (passes[k - 1]?.step ?? series.n.at(-1)) : 0)}
                series=${[{ label: t("live.validation"), stroke: "--accent", points: true }]}
              />
            `
          }
          ${
            validated &&
            html`
              <${Kept} epochs=${series.epochs} over=${about?.best} kind=${about?.final?.kind} first=${about?.first} />
            `
          }
          ${
            x.length > 1 &&
            html`
              <${Plot}
                data=${rate}
                xLabel=${units[axis]}
                whole=${axis === "epochs"}
                yLabel=${t("live.rate_axis")}
                height=${140}
                onPoint=${nearest}
                series=${[{ label: t("live.rate"), stroke: "--soft" }]}
              />
            `
          }
          ${
            x.length > 1 &&
            html`
              <p class="small">
                ${t("live.click")}${" "}
                ${
                  about?.recipe?.label_smoothing > 0 &&
                  t("live.smoothing", { share: percent(about.recipe.label_smoothing, 0) })
                }
              </p>
            `
          }
        </div>
        <div>
          ${fitting && html`<${Control} run=${run} paused=${now.status === "paused"} />`}
          ${
            about?.worth?.length > 0 &&
            html`
              <h2>${t("live.worth")}</h2>
              <ul class="small">
                ${about.worth.map(
                  ({ verdict, text }) => html`
                    <li><span class=${`badge ${verdict}`}>${t(`verdict.${verdict}`)}</span> ${text}</li>
                  `,
                )}
              </ul>
              <p class="small"><a href=${link({ page: "audit" })}>${t("live.evidence")}</a></p>
            `
          }
          <${Probes}
            run=${run}
            about=${about}
            updates=${!about?.best && snapshot() === "best" ? about?.snapshots.at(-1) : 0}
          />
          <h2>${t("live.told")}</h2>
          <ul class="small">${series.notes.slice(-8).map((note) => html`<li>${note.text}</li>`)}</ul>
          ${now.report && html`<p><a href=${path(run, "/report")}>${t("live.report")}</a></p>`}
        </div>
      </div>
    `,
    [series, about, now.status, now.phase, now.report, axis, marks.join(), language.value],
  );
  const used = now.energy;
  return html`
    <h1>
      ${
        now.status === "paused"
          ? t("live.paused", { n: count(now.paused) })
          : !series.diagnosis?.length
            ? t("page.live")
            : series.diagnosis.map(
                ({ kind, text }) => html`
                  <span class=${`claim ${kind}`} style="font-size: inherit">
                    ${text}${" "}
                  </span>
                `,
              )
      }
    </h1>
    <dl class="figures">
      <div>
        <dt>${t("runs.status")}</dt>
        <dd>${standing(now)}</dd>
      </div>
      ${
        !fitted &&
        html`
          <div>
            <dt>${t("live.step")}</dt>
            <dd>
              <${Step} newest=${newest} />
              ${
                fitting && now.steps
                  ? html`
                    ${" "}
                    <span class="small">/ ${count(now.steps)}</span>
                  `
                  : ""
              }
            </dd>
          </div>
          <div>
            <dt>${t("live.loss")}</dt>
            <dd><${Loss} newest=${newest} /> <span class="small">${t("unit.nats")}</span></dd>
          </div>
        `
      }
      <${Accuracy}
        epochs=${validated ? series.epochs : []}
        over=${about?.best && (validated || !series.epochs.length)}
        final=${about?.final}
      />
      ${
        !fitted &&
        html`
          <div>
            <dt>${t("live.rate")}</dt>
            <dd>${number(series.lr.at(-1), 2)}</dd>
          </div>
          <div>
            <dt>${t("live.speed")}</dt>
            <dd>
              ${
                speed && batch
                  ? html`${count(speed * batch)} <span class="small">${t("unit.images_s")}</span>`
                  : speed
                    ? html`${number(speed)} <span class="small">${t("unit.steps_s")}</span>`
                    : "–"
              }
            </dd>
          </div>
          ${
            fitting &&
            html`
              <div>
                <dt>${t("live.machine")}</dt>
                <dd>
                  ${
                    series.now
                      ? html`
                        ${number(series.now.cpu, 2)}${" "}
                        <span class="small">${t("unit.cores")} · ${bytes(series.now.memory)}</span>
                      `
                      : "–"
                  }
                </dd>
              </div>
            `
          }
        `
      }
      <div>
        <dt>
          ${t("runs.energy")}
          ${used ? `, ${t(`energy.${used.how}`)}` : ""}
        </dt>
        <dd>${used ? html`${number(used.joules / 3600)} <span class="small">Wh</span>` : "–"}</dd>
      </div>
    </dl>
    ${drawn}
  `;
};

// On validation: of the model that is kept, once it is; the last pass of another one stands beside it under its own
// name.
const Accuracy = ({ epochs, over, final }) => {
  const last = epochs.at(-1);
  const best = epochs.findLast((epoch) => epoch.best);
  const frozen = final?.kind === "frozen";
  if (!over)
    return html`
      <div>
        <dt>${t("live.validation")}</dt>
        <dd>
          ${percent(last?.validation_accuracy)}${" "}
          ${last && html`<span class="small">${t("live.pass", { n: count(last.n + 1) })}</span>`}
        </dd>
      </div>
    `;
  return html`
    <div>
      <dt>${t("live.validation.kept")}</dt>
      <dd>
        ${percent(final.validation)}${" "}
        ${
          frozen
            ? html`<span class="small">${t("live.first")}</span>`
            : best && html`<span class="small">${t("live.pass", { n: count(best.n + 1) })}</span>`
        }
      </dd>
    </div>
    ${
      last &&
      (frozen || last !== best) &&
      html`
        <div>
          <dt>${t("live.validation.last")}</dt>
          <dd>
            ${percent(last.validation_accuracy)}${" "}
            <span class="small">${t("live.pass", { n: count(last.n + 1) })}</span>
          </dd>
        </div>
      `
    }
  `;
};

const Control = ({ run, paused }) => {
  const [told, tell] = useState("");
  const order = async (values) => {
    try {
      await post(path(run, "/control"), JSON.stringify(values));
      tell(t(`control.${values.do}`));
    } catch (error) {
      tell(error.message);
    }
  };
  useEffect(() => tell(""), [paused]); // it was done, whoever asked
  return html`
    <h2>${t("control")}</h2>
    <div class="row">
      <button onClick=${() => order({ do: paused ? "go" : "pause" })}>
        ${paused ? t("control.button.go") : t("control.button.pause")}
      </button>
      <button onClick=${() => order({ do: "rate", by: 0.5 })}>${t("control.button.halve")}</button>
      <button onClick=${() => order({ do: "snapshot" })}>${t("control.button.snapshot")}</button>
      <button onClick=${() => order({ do: "stop" })}>${t("control.button.stop")}</button>
    </div>
    <p class="small" role="status">${told}</p>
  `;
};

const Probes = ({ run, about, updates }) => {
  const state = useFetched(
    () =>
      about?.probes && about.snapshots.length
        ? ask(run, "predictions", { snapshot: snapshot() })
        : Promise.resolve(null),
    [run, snapshot(), updates, about?.probes],
    { keep: true, still: true, of: `${run} ${snapshot()}` },
  );
  const shown = Math.min(SHOWN, about?.probes ?? 0);
  return html`
    <h2>
      ${t(!shown ? "live.probes.soon" : about.part === "validation" ? "live.probes.validation" : "live.probes", {
        n: count(shown),
      })}
    </h2>
    <${Fetched} state=${state}>
      ${(found) =>
        found === null
          ? html`<p class="small">${t("live.no_probes")}</p>`
          : html`
            <div class="probes four">
              ${found.predicted.slice(0, SHOWN).map((k, i) => {
                const wrong = found.truth[i] >= 0 && k !== found.truth[i];
                return html`
                  <a
                    class=${`probe ${wrong ? "wrong" : ""}`}
                    style="text-decoration: none"
                    href=${link({ page: "image", image: `probe-${i}` })}
                  >
                    <img
                      alt=${t("probe", { n: i + 1 })}
                      src=${path(run, "/look/picture", { image: `probe-${i}`, snapshot: snapshot() })}
                      loading="lazy"
                    />
                    <b>
                      ${wrong ? "✗ " : ""}
                      ${found.classes[k]}
                    </b>${" "}
                    ${percent(found.probability[i], 0)}
                    ${
                      wrong &&
                      html`
                        <br />
                        <span class="small">${t("live.truth", { label: found.classes[found.truth[i]] })}</span>
                      `
                    }
                  </a>
                `;
              })}
            </div>
          `}
    <//>
  `;
};
