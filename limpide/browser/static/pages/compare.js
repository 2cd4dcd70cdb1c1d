// Runs side by side: accuracy against what it costs, curves over each other, and where the recipes differ.
import { html } from "../html.js";
import { place } from "../state.js";
import { t } from "../i18n.js";
import { STROKES } from "./compare/chart.js";
import { Costs } from "./compare/costs.js";
import { Curves } from "./compare/curves.js";

export default () => {
  const names = (place.value.runs ?? "").split(",").filter(Boolean).slice(0, STROKES.length);
  return html`
    <h1>${t("page.compare")}</h1>
    <${Costs} names=${names} />
    ${names.length > 0 && html`<${Curves} names=${names} />`}
  `;
};
