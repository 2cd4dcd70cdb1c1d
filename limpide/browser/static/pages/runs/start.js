// Starting a training: the same command that the user would type, shown as it will run. It continues when the studio is
// closed.
import { html, useEffect, useState } from "../../html.js";
import { go, language } from "../../state.js";
import { t, count, large } from "../../i18n.js";
import { get, send } from "../../api.js";
import { useFetched } from "../../use_fetched.js";

const CALM = 350; // ms after the last key before the folder is scanned
const TIMES = ["1m", "5m", "30m", "2h"];
const SIZES = [28, 32, 64, 96, 128, 160, 224, 320];

/**
 * The server's preview of a request: {command, folders, classes, images, problem, more_than}, or {error}; a moment
 * after it was changed.
 */
const usePlan = (wish) => {
  const [plan, set] = useState({});
  const asked = JSON.stringify(wish);
  useEffect(() => {
    let current = true;
    const timer = setTimeout(async () => {
      try {
        const found = await send(`api/plan?lang=${language.value}`, wish);
        if (current) set({ ...found, of: asked });
      } catch (error) {
        if (current) set((before) => ({ folders: before.folders, error: error.message, of: asked }));
      }
    }, CALM);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [asked, language.value]);
  return plan.of === asked ? plan : { folders: plan.folders, waiting: true };
};

/** The networks that can be trained, requested when the list is visible. */
const Networks = ({ shown, value, onChange }) => {
  const networks = useFetched(
    () => (shown ? get(`api/networks?lang=${language.value}`).then((found) => found.networks) : Promise.resolve(null)),
    [shown],
  );
  const known = networks.value ?? [];
  const option = ({ name, parameters, size }) => html`
    <option value=${name}>${t("start.network", { name, n: large(parameters), size: count(size) })}</option>
  `;
  return html`
    <label>
      ${t("runs.network")}
      <select value=${value} onChange=${onChange}>
        <option value="">${t("start.auto")}</option>
        <optgroup label=${t("start.published")}>${known.filter((one) => one.published).map(option)}</optgroup>
        <optgroup label=${t("start.scratch")}>${known.filter((one) => !one.published).map(option)}</optgroup>
      </select>
      ${shown && networks.waiting && html`<span class="small" role="status">${t("start.counting")}</span>`}
      ${networks.error && html`<span class="small" role="alert">${networks.error}</span>`}
    </label>
  `;
};

/** All optional fields. put: (name) → the handler of a field of that name. */
const Options = ({ chosen, put }) => {
  const [more, open] = useState(false);
  return html`
    <details open=${more} onToggle=${(event) => open(event.target.open)}>
      <summary>${t("start.more")}</summary>
      <div class="choices">
        <${Networks} shown=${more} value=${chosen.model} onChange=${put("model")} />
        <label>
          ${t("start.limit")}
          <select value=${chosen.limit} onChange=${put("limit")}>
            <option value="">${t("runs.decide")}</option>
            ${TIMES.map((one) => html`<option value=${one}>${one.replace("m", " min").replace("h", " h")}</option>`)}
            <option value="epochs">${t("start.passes")}</option>
          </select>
        </label>
        ${
          chosen.limit === "epochs" &&
          html`
            <label>
              ${t("start.passes_n")}
              <input type="number" min="1" step="1" value=${chosen.epochs} onInput=${put("epochs")} />
            </label>
          `
        }
        <label>
          ${t("start.size")}
          <select value=${chosen.image_size} onChange=${put("image_size")}>
            <option value="">${t("start.auto")}</option>
            ${SIZES.map((n) => html`<option value=${String(n)}>${n} × ${n} px</option>`)}
          </select>
        </label>
        <label>
          ${t("start.from")}
          <select value=${chosen.weights} onChange=${put("weights")}>
            <option value="">${t("start.from.auto")}</option>
            <option value="none">${t("start.from.none")}</option>
          </select>
        </label>
      </div>
    </details>
  `;
};

const Where = ({ data, put, folders = [], disabled }) => html`
  <div class="row">
    <label>
      ${t("runs.data")}${" "}
      <input
        type="search"
        list="folders"
        autocomplete="off"
        spellcheck="false"
        aria-describedby="found"
        value=${data}
        placeholder="photos/"
        onInput=${put("data")}
      />
    </label>
    <datalist id="folders">
      ${folders.map((name) => html`<option value=${name}></option>`)}
    </datalist>
    <button disabled=${disabled}>${t("runs.start")}</button>
  </div>
`;

/** The request to the server, from the choices: a limit is a time or a number of epochs. */
const wishOf = ({ limit, data, epochs, ...choices }) => ({
  data: data.trim(),
  ...choices,
  time: limit === "epochs" ? "" : limit,
  epochs: limit === "epochs" ? epochs : "",
});

/** The server's preview of a request, in a sentence. */
const answered = (plan) =>
  plan.waiting
    ? t("runs.starting")
    : plan.classes
      ? t("start.found", { classes: count(plan.classes), images: count(plan.images) })
      : "more_than" in plan
        ? t("start.many", { n: count(plan.more_than) })
        : t("start.named");

const Command = ({ command }) => html`
  <p class="small">
    ${t("start.command")}
    <br />
    <code id="command">${command}</code>
  </p>
`;

export const Start = ({ given = "" }) => {
  const [chosen, choose] = useState({ data: given, model: "", limit: "", epochs: "", image_size: "", weights: "" });
  const [said, say] = useState("");
  const [starting, wait] = useState(false);
  const wish = wishOf(chosen);
  const plan = usePlan(wish);
  const wrong = plan.error ?? plan.problem;
  const put = (name) => (event) => {
    const { value } = event.target;
    choose((chosen) => ({ ...chosen, [name]: value }));
    say("");
  };
  const start = async (event) => {
    event.preventDefault();
    say(t("runs.starting"));
    wait(true);
    try {
      const { run } = await send(`api/start?lang=${language.value}`, wish);
      go({ page: "live", run, at: null, key: null });
    } catch (error) {
      say(error.message);
    }
    wait(false);
  };
  return html`
    <form class="start" onSubmit=${start}>
      <${Where}
        data=${chosen.data}
        put=${put}
        folders=${plan.folders}
        disabled=${!wish.data || starting || Boolean(wrong)}
      />
      <p id="found" class=${wish.data && wrong ? "error" : "small"} role="status">
        ${said || (!wish.data ? t("start.what") : wrong || answered(plan))}
      </p>
      <${Options} chosen=${chosen} put=${put} />
      ${wish.data && plan.command && html`<${Command} command=${plan.command} />`}
    </form>
  `;
};
