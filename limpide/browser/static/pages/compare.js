// Runs side by side: accuracy against cost, their curves in one picture, and differences of their recipes.
import { html } from "../html.js";
import { t } from "../i18n.js";
import { Costs } from "./compare/costs.js";
import { Curves } from "./compare/curves.js";
import { STROKES, ticked } from "./runs/tick.js";

export default () => {
  const names = ticked().slice(0, STROKES.length);
  return html`
    <h1>${t("page.compare")}</h1>
    <${Costs} names=${names} />
    ${names.length > 0 && html`<${Curves} names=${names} />`}
  `;
};
