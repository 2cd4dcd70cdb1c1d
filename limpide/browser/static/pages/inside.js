// A look inside, in a page that was sent by mail: every sum of the first and the last layer, computed in the reader's
// browser. The report (report/html/interactive.py) contains the numbers and the sentences.
import { html, render } from "../html.js";
import { give } from "../i18n.js";
import { First } from "./inside/first.js";
import { Last } from "./inside/last.js";

const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
const opened = (layer) =>
  layer &&
  Object.fromEntries(
    Object.entries(layer).map(([name, value]) => [
      name,
      value?.shape === undefined ? value : { shape: value.shape, values: floats(value.values) },
    ]),
  );

/** The existing content is replaced only when all of this is drawn. */
export const start = () => {
  const data = JSON.parse(document.getElementById("inside-data").textContent);
  const [first, last] = [opened(data.first), opened(data.last)];
  const live = document.getElementById("inside-live");
  give(data.sentences);
  render(
    html`
      ${first && html`<${First} first=${first} begin=${data.start} mean=${data.mean} std=${data.std} />`}
      ${last && html`<${Last} last=${last} names=${data.names} />`}
    `,
    live,
  );
  live.hidden = false;
  document.getElementById("inside-still").hidden = Boolean(first);
};
