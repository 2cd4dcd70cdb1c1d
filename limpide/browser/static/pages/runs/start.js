// Starting a training: the same command that somebody would type, shown as it will run. It goes on when the studio is
// closed.
import { html, useEffect, useState } from "../../html.js";
import { go, language } from "../../state.js";
import { t, count, large } from "../../i18n.js";
import { get, send } from "../../api.js";
import { useFetched } from "../../use_fetched.js";

const CALM = 350; // ms after the last key before the folder is looked at
const TIMES = ["1m", "5m", "30m", "2h"];
const SIZES = [28, 32, 64, 96, 128, 160, 224, 320];

/**
 * What the server says of a wish: {command, folders, classes, images, problem, more_than}, or {error}; a moment after
 * it was changed.
 */
const usePlan = (wish) => {
  const [plan, set] = useState({});
  const asked = JSON.stringify(wish);
  useEffect(() => {
    let current = true;
    const timer = setTimeout(async () => {
      try {
        const found = await send(`/api/plan?lang=${language.value}`, wish);
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

const Options = ({ more, open, chosen, networks, limit, put, network, known }) => html`
  <details open=${more} onToggle=${(event) => open(event.target.open)}>
    <summary>${t("start.more")}</summary>
    <div class="choices">
      <label>
        ${t("runs.network")}
        <select value=${chosen.model} onChange=${put("model")}>
          <option value="">${t("start.auto")}</option>
          <optgroup label=${t("start.published")}>${known.filter((one) => one.published).map(network)}</optgroup>
          <optgroup label=${t("start.scratch")}>${known.filter((one) => !one.published).map(network)}</optgroup>
        </select>
        ${more && networks.waiting && html`<span class="small" role="status">${t("start.counting")}</span>`}
        ${networks.error && html`<span class="small" role="alert">${networks.error}</span>`}
      </label>
      <label>
        ${t("start.limit")}
        <select value=${limit} onChange=${put("limit")}>
          <option value="">${t("runs.decide")}</option>
          ${TIMES.map((one) => html`<option value=${one}>${one.replace("m", " min").replace("h", " h")}</option>`)}
          <option value="epochs">${t("start.passes")}</option>
        </select>
      </label>
      ${
        limit === "epochs" &&
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

const Where = ({ data, set, say, starting, wish, plan, wrong }) => html`
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
        onInput=${(event) => {
          set(event.target.value);
          say("");
        }}
      />
    </label>
    <datalist id="folders">
      ${(plan.folders ?? []).map((name) => html`<option value=${name}></option>`)}
    </datalist>
    <button disabled=${!wish.data || starting || Boolean(wrong)}>${t("runs.start")}</button>
  </div>
`;

export const Start = ({ given = "" }) => {
  const [data, set] = useState(given);
  const [more, open] = useState(false);
  const [chosen, choose] = useState({ model: "", limit: "", time: "", epochs: "", image_size: "", weights: "" });
  const [said, say] = useState("");
  const [starting, wait] = useState(false);
  const networks = useFetched(
    () => (more ? get(`/api/networks?lang=${language.value}`).then((found) => found.networks) : Promise.resolve(null)),
    [more],
  );
  const { limit, ...choices } = chosen;
  const wish = {
    data: data.trim(),
    ...choices,
    time: limit === "epochs" ? "" : limit,
    epochs: limit === "epochs" ? chosen.epochs : "",
  };
  const plan = usePlan(wish);
  const put = (name) => (event) => {
    choose({ ...chosen, [name]: event.target.value });
    say("");
  };
  const start = async (event) => {
    event.preventDefault();
    say(t("runs.starting"));
    wait(true);
    try {
      const { run } = await send(`/api/start?lang=${language.value}`, wish);
      go({ page: "live", run, at: null, key: null });
    } catch (error) {
      say(error.message);
    }
    wait(false);
  };
  const network = ({ name, parameters, size }) => html`
    <option value=${name}>${t("start.network", { name, n: large(parameters), size: count(size) })}</option>
  `;
  const known = networks.value ?? [];
  const wrong = plan.error ?? plan.problem;
  return html`
    <form class="start" onSubmit=${start}>
      <${Where} data=${data} set=${set} say=${say} starting=${starting} wish=${wish} plan=${plan} wrong=${wrong} />
      <p id="found" class=${wish.data && wrong ? "error" : "small"} role="status">
        ${
          said ||
          (!wish.data
            ? t("start.what")
            : wrong
              ? wrong
              : plan.waiting
                ? t("runs.starting")
                : plan.classes
                  ? t("start.found", { classes: count(plan.classes), images: count(plan.images) })
                  : "more_than" in plan
                    ? t("start.many", { n: count(plan.more_than) })
                    : t("start.named"))
        }
      </p>
      <${Options}
        more=${more}
        open=${open}
        chosen=${chosen}
        networks=${networks}
        limit=${limit}
        put=${put}
        network=${network}
        known=${known}
      />
      ${
        wish.data &&
        plan.command &&
        html`
          <p class="small">
            ${t("start.command")}
            <br />
            <code id="command">${plan.command}</code>
          </p>
        `
      }
    </form>
  `;
};
