// The studio: the bar, and the page that the URL names.
import { signal } from "@preact/signals";
import { html, render, useEffect, useRef } from "./html.js";
import { place, language, theme, link, go, snapshot, image, looked, other, news } from "./state.js";
import { load, t, count } from "./i18n.js";
import { get, path, runs, upload } from "./api.js";
import { useFetched } from "./use_fetched.js";
import { Pad } from "./drawing_pad.js";

const PAGES = {
  runs: "runs",
  live: "live",
  anatomy: "anatomy",
  layer: "layer",
  unit: "unit",
  image: "image",
  errors: "errors",
  map: "map",
  audit: "audit",
  data: "data",
  compare: "compare",
  learn: "learn",
};
const OF_A_RUN = ["live", "anatomy", "layer", "unit", "image", "errors", "map", "audit", "data"];
const OF_A_TRAINING = ["live", "errors", "audit"]; // a network that was only opened was neither trained nor judged here
const OF_ONE_IMAGE = ["anatomy", "layer", "unit", "image", "data"]; // pages that show the current image
const AGAIN = 5000; // ms between two requests for an unfinished run
const SMALL = 64; // pixels of the side: drawings say little about larger colour squares
const told = signal(""); // the error about a photograph
const over = signal(false); // a file is held over the page
const loaded = signal({}); // a signal, so that the page is drawn when its module is loaded

const page = () =>
  Object.hasOwn(PAGES, place.value.page ?? "") ? place.value.page : place.value.run ? "live" : "runs";

// On a narrow screen the menu is one row, in which the open page is visible.
const turnMenu = () => {
  const at = document.querySelector("header nav [aria-current]");
  if (at) at.parentElement.scrollLeft = at.offsetLeft - at.parentElement.offsetLeft - 40;
};

const Header = ({ name, run, about }) => html`
  <header>
    <a class="mark" href="#page=runs">limpide</a>
    <nav aria-label=${t("pages")}>
      <a href=${link({ page: "runs" })} aria-current=${name === "runs" ? "page" : null}>${t("page.runs")}</a>
      ${
        run &&
        OF_A_RUN.filter((each) => about.value?.status !== "opened" || !OF_A_TRAINING.includes(each)).map(
          (each) => html`
            <a href=${link({ page: each })} aria-current=${name === each ? "page" : null}>
              ${t(`page.${each}`)}
            </a>
          `,
        )
      }
      <a href=${link({ page: "learn" })} aria-current=${name === "learn" ? "page" : null}>
        ${t("page.learn")}
      </a>
    </nav>
    <span class="spring"></span>
    <button
      class="plain"
      onClick=${() => (language.value = language.value === "fr" ? "en" : "fr")}
      lang=${language.value === "fr" ? "en" : "fr"}
    >
      ${language.value === "fr" ? "English" : "Français"}
    </button>
    <button class="plain" onClick=${() => (theme.value = theme.value === "dark" ? "light" : "dark")}>
      ${theme.value === "dark" ? t("light") : t("dark")}
    </button>
  </header>
`;

const App = () => {
  const name = page();
  const { run } = place.value;
  const about = useFetched(() => (run ? get(path(run, "")) : Promise.resolve(null)), [run, name, news.value], {
    keep: true,
    of: run,
  });
  // Pages of an unfinished run are updated by themselves; Live has its own stream.
  const growing =
    OF_A_RUN.includes(name) && name !== "live" && about.value && !["finished", "opened"].includes(about.value.status);
  const waiting = useRef(false);
  waiting.current = about.waiting;
  useEffect(() => {
    if (!growing) return;
    const timer = setInterval(() => document.hidden || waiting.current || (news.value += 1), AGAIN);
    return () => clearInterval(timer);
  }, [growing, run]);
  const Page = loaded.value[name];
  useEffect(() => {
    told.value = "";
  }, [name, run]); // another page: the error no longer applies
  useEffect(turnMenu, [name, run, language.value]);
  useEffect(() => {
    document.title = [t(`page.${name}`), run, "limpide"].filter(Boolean).join(" · ");
  });
  return html`
    <${Header} name=${name} run=${run} about=${about} />
    <main id="main" tabindex="-1">
      ${
        told.value &&
        html`
          <p class="error told" role="alert">
            ${told.value}${" "}
            <button class="plain" aria-label=${t("close")} onClick=${() => (told.value = "")}>✕</button>
          </p>
        `
      }
      ${
        over.value &&
        html`
          <div class="landing" aria-hidden="true">
            ${t({ studio: "drop.here", bench: "drop.bench" }[accepts()] ?? "drop.nowhere")}
          </div>
        `
      }
      ${run && OF_A_RUN.includes(name) && html`<${Bar} about=${about.value} />`}
      ${run && name === "image" && html`<${Draw} run=${run} sees=${about.value?.sees} />`}
      ${about.value?.fresh && html`<p class="error" role="note">${t("opened.fresh")}</p>`}
      ${
        about.error && run
          ? html`<p class="error" role="alert">${about.error}</p>`
          : Page
            ? html`<${Page} key=${`${name}/${run}`} about=${about.value} />`
            : html`<p class="small">${t("waiting")}</p>`
      }
    </main>
    <footer>${t("footer")}</footer>
  `;
};

// A photograph of the user becomes the image of every page; a page that shows no image is replaced by one that does.
const accepts = () =>
  OF_A_RUN.includes(page()) && place.value.run
    ? "studio"
    : page() === "learn" && place.value.part === "bench"
      ? "bench"
      : "";
const take = async (file) => {
  told.value = "";
  try {
    const { run } = place.value;
    const { image } = await upload(file);
    if (place.value.run === run) go({ ...other(image), page: OF_ONE_IMAGE.includes(page()) ? page() : "image" });
  } catch (error) {
    told.value = t("drop.failed", { file: file.name, why: error.message });
  }
};
const drop = (event) => {
  event.preventDefault();
  over.value = false;
  const file = event.dataTransfer?.files?.[0];
  if (!file || accepts() === "bench") return; // the bench takes it itself
  if (!accepts()) told.value = t("drop.nowhere");
  else take(file);
};
const hover = (event) => {
  event.preventDefault();
  over.value = event.type !== "dragleave" && [...(event.dataTransfer?.types ?? [])].includes("Files");
};

const ImageChoice = ({ probes }) => html`
  <label>
    <span>${t("image")}</span>
    <select value=${image()} onChange=${(event) => go(other(event.target.value))}>
      ${Array.from(
        { length: probes },
        (_, k) => html`<option value=${`probe-${k}`}>${t("probe", { n: k + 1 })}</option>`,
      )}
      ${
        image().startsWith("row-") &&
        html`<option value=${image()}>${t("row", { n: count(Number(image().slice(4)) + 1) })}</option>`
      }
      ${image().startsWith("drop-") && html`<option value=${image()}>${t("dropped")}</option>`}
    </select>
  </label>
`;

// Snapshot and image, which every page of a run uses.
const Bar = ({ about }) => {
  const steps = about?.snapshots ?? [];
  const at = snapshot();
  const probes = about?.probes ?? 0;
  const turn = (by) => {
    const now = image().startsWith("probe-") ? Number(image().slice(6)) : by > 0 ? -1 : 0;
    go(other(`probe-${(now + by + probes) % (probes || 1)}`));
  };
  const choose = (event) => {
    const [file] = event.target.files;
    event.target.value = ""; // so that the same file can be chosen again
    if (file) take(file);
  };
  return html`
    <div class="bar">
      <span class="strong">${place.value.run}</span>
      <label>
        <span>${t("snapshot")}</span>
        <select value=${at} onChange=${(event) => go({ at: event.target.value })}>
          <option value="best">
            ${about?.status === "opened" ? t("weights.opened") : about?.best ? t("final") : t("newest")}
          </option>
          ${steps.map((step) => html`<option value=${String(step)}>${t("after", { n: count(step) })}</option>`)}
        </select>
      </label>
      <${ImageChoice} probes=${probes} />
      <span>
        <button class="plain" aria-label=${t("probe.before")} onClick=${() => turn(-1)}>‹</button>
        <button class="plain" aria-label=${t("probe.next")} onClick=${() => turn(1)}>›</button>
      </span>
      ${
        (steps.length > 0 || about?.best) &&
        html`
          <img class="pixels" alt="" width="34" height="34" src=${path(place.value.run, "/look/picture", looked())} />
        `
      }
      ${
        ["noise", "turn", "mirror"].some((name) => place.value[name]) &&
        html`<button class="plain" onClick=${() => go(other(image()))}>${t("changed")} ✕</button>`
      }
      <label class="button">
        ${t("own")}
        <input type="file" accept="image/*" onChange=${choose} />
      </label>
      ${about?.report && html`<a class="small" href=${path(place.value.run, "/report")}>${t("live.report")}</a>`}
    </div>
  `;
};

// For networks that see small or grey squares: the drawing becomes the image, here and on every other page.
const Draw = ({ run, sees }) => {
  if (!sees || (sees.channels > 1 && sees.size > SMALL)) return null;
  const take = (image) => go(other(image), { replace: place.value.image?.startsWith("drop-") });
  return html`
    <details
      class="draw"
      open=${place.value.draw === "1"}
      onToggle=${(event) =>
        event.target.open !== (place.value.draw === "1") &&
        go({ draw: event.target.open ? "1" : null }, { replace: true })}
    >
      <summary>${t("draw.open")}</summary>
      <${Pad} run=${run} onImage=${take} />
    </details>
  `;
};

const open = async () => {
  const name = page();
  if (loaded.value[name]) return;
  try {
    const { default: Page } = await import(`./pages/${name}.js`);
    loaded.value = { ...loaded.value, [name]: Page };
  } catch {
    // the studio was closed, or started again: a request finds out which
    told.value = await runs().then(
      () => t("server.gone"),
      (error) => error.message,
    );
  }
};

const start = async () => {
  addEventListener("hashchange", open); // before any await: the address may change meanwhile
  await Promise.all([load(), open()]);
  render(html`<${App} />`, document.getElementById("app"));
  for (const name of ["dragenter", "dragover", "dragleave"]) addEventListener(name, hover);
  addEventListener("drop", drop);
  addEventListener("resize", turnMenu);
};
start();
