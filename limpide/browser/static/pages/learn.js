// The ladder in the same instruments. The choice is part of the URL: a homework is a link.
import { html } from "../html.js";
import { place, link } from "../state.js";
import { t } from "../i18n.js";
import Neuron from "./learn/neuron.js";
import Descent from "./learn/descent.js";
import Race from "./learn/race.js";
import Playground from "./learn/playground.js";
import Bench from "./learn/bench.js";
import Digit from "./learn/digit.js";

const PARTS = { neuron: Neuron, descent: Descent, race: Race, playground: Playground, bench: Bench, digit: Digit };

export default () => {
  const name = Object.hasOwn(PARTS, place.value.part ?? "") ? place.value.part : "neuron";
  const Part = PARTS[name];
  return html`
    <nav aria-label=${t("page.learn")} style="margin-bottom: 1.5rem">
      ${Object.keys(PARTS).map(
        (each) => html`
          <a href=${link({ page: "learn", part: each })} aria-current=${each === name ? "page" : null}>
            ${t(`learn.${each}`)}
          </a>
        `,
      )}
    </nav>
    <h1>${t(`learn.${name}.title`)}</h1>
    <p class="read">${t(`learn.${name}.read`)}</p>
    <${Part} />
  `;
};
