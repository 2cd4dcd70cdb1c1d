// The instruments in a notebook: the studio's pages for one network and one image, in a shadow root, so that the styles
// do not affect each other.
import { html, render } from "../html.js";
import { signal } from "@preact/signals";
import { ask, listen, path, silent } from "../api.js";
import { begin, model, put } from "../location.js";
import { language, link, looked, place, theme } from "../state.js";
import { give, t } from "../i18n.js";
import Anatomy from "../pages/anatomy.js";
import Image from "../pages/image.js";
import Layer from "../pages/layer.js";
import Unit from "../pages/unit.js";

const PAGES = { image: Image, anatomy: Anatomy, layer: Layer, unit: Unit };
const LATER = 400; // ms until a style sheet of another theme is loaded
const title = signal("");

const App = () => {
  const Page = PAGES[place.value.page];
  const other = language.value === "fr" ? "en" : "fr";
  const speak = () => (model.set("language", other), model.save_changes());
  return html`
    <div class="head">
      <img class="pixels" alt="" width="34" height="34" src=${path("", "/look/picture", looked())} />
      <b>${title.value}</b>
      <nav aria-label=${t("pages")}>
        ${Object.keys(PAGES).map(
          (name) => html`
            <a href=${link({ page: name })} aria-current=${name === place.value.page ? "page" : null}>
              ${t(`page.${name}`)}
            </a>
          `,
        )}
      </nav>
      <span class="spring"></span>
      <button class="plain" lang=${other} onClick=${speak}>${other === "en" ? "English" : "Français"}</button>
    </div>
    ${silent.value && html`<p class="small" role="status">${t("widget.silent")}</p>`}
    <${Page} key=${place.value.page} />
  `;
};

// The sentences come from the kernel.
const speak = async (stage) => {
  const told = await ask("", "words", { language: model.get("language") });
  language.value = stage.lang = told.language;
  give(told.sentences);
  title.value = told.title;
};

/**
 * Dark where the notebook has light letters: each kind of notebook has its own names for themes, and all have letters.
 */
const follow = (host) => {
  const pencil = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", {
    willReadFrequently: true,
  });
  const look = () => {
    pencil.fillStyle = getComputedStyle(host).color;
    pencil.fillRect(0, 0, 1, 1);
    const [red, green, blue] = pencil.getImageData(0, 0, 1, 1).data;
    host.dataset.theme = theme.value = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 127 ? "dark" : "light";
  };
  const soon = () => (look(), setTimeout(look, LATER));
  soon();
  const observer = new MutationObserver(soon);
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", soon);
  return () => (observer.disconnect(), system.removeEventListener("change", soon));
};

/**
 * Keys pressed here are ours, except for those that save or run a cell. JupyterLab receives them before any element and
 * respects this attribute.
 */
const keep = (stage, host) => {
  const ours = ({ altKey, ctrlKey, metaKey, shiftKey, key }) =>
    !(altKey || ctrlKey || metaKey || (shiftKey && key === "Enter"));
  const before = (event) =>
    event.composedPath().includes(stage) && host.toggleAttribute("data-lm-suppress-shortcuts", ours(event));
  addEventListener("keydown", before, true);
  stage.addEventListener("keydown", (event) => ours(event) && event.stopPropagation());
  return () => removeEventListener("keydown", before, true);
};

/** root: a shadow root with a still picture, which is replaced when the kernel has answered. */
export const start = (given, root, style) => {
  const still = [...root.children];
  const stage = Object.assign(document.createElement("div"), { className: "studio", tabIndex: -1, hidden: true });
  root.append(Object.assign(document.createElement("style"), { textContent: style }), stage);
  const ends = [begin(given, stage), listen(), follow(root.host), keep(stage, root.host)];
  stage.addEventListener("click", (event) => {
    const way = event.target.closest("a[href^='#']");
    if (way) {
      event.preventDefault(); // the address belongs to the notebook
      put(way.getAttribute("href"));
    }
    // otherwise the notebook takes the focus, and the arrow keys
    if (way || !root.activeElement) stage.focus({ preventScroll: true });
  });
  const spoken = () => speak(stage).catch(() => {});
  model.on("change:language", spoken);
  spoken().then(() => {
    still.forEach((element) => element.remove());
    stage.hidden = false;
    render(html`<${App} />`, stage);
  });
  return () => {
    model.off("change:language", spoken);
    ends.forEach((end) => end());
    render(null, stage);
  };
};
