// Shared by the first and the last layer: numbers as a newspaper prints them, written sums, one stop of the tab key for
// many buttons.
import { html } from "../../html.js";
import { t as say, fixed, tiny } from "../../i18n.js";

export const plain = (value, digits = 4) => fixed(value, digits);
/** The digits with which the largest of these numbers shows three. */
export const digitsFor = (most) => Math.max(1, Math.min(5, 2 - Math.floor(Math.log10(most || 1))));

/**
 * lines: [sign, value, label], or null; then the total, torch's value and whether they agree; after: [value, label] of
 * the steps that follow.
 */
export const Written = ({ lines, sum, total, after = [] }) => html`
  <table class="column-sum">
    <tbody>
      ${lines.filter(Boolean).map(
        ([sign, value, what]) => html`
          <tr>
            <td class="n">${sign} ${value}</td>
            <td>${what}</td>
          </tr>
        `,
      )}
      <tr class="rule">
        <td class="n">= ${plain(sum.value, 6)}</td>
        <td>${total}</td>
      </tr>
      <tr>
        <td class="n">${plain(sum.torch, 6)}</td>
        <td>
          ${say("inside.same")}
          <br />
          <span class=${sum.agrees ? "agrees" : "differs"}>
            ${say(sum.agrees ? "inside.agrees" : "inside.differs")}
          </span>${" "}
          <span class="small">
            ${say("inside.difference", {
              difference: tiny(sum.difference),
              most: tiny(sum.most),
            })}
          </span>
        </td>
      </tr>
      ${after.map(
        ([value, what]) => html`
          <tr class="step">
            <td class="n">→ ${value}</td>
            <td>${what}</td>
          </tr>
        `,
      )}
    </tbody>
  </table>
`;

/** A term that is added or, below zero, subtracted. */
export const added = (value, what) => [value < 0 ? "−" : "+", plain(Math.abs(value), 6), what];

/** The keys of a group of buttons, of which only the chosen one is a stop of the tab key. */
export const among = (at, n, choose) => (event) => {
  const to = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1, Home: 0, End: n - 1 }[
    event.key
  ];
  if (to === undefined || event.target.tagName !== "BUTTON") return;
  event.preventDefault();
  const next = (to + n) % n;
  choose(next);
  event.currentTarget.querySelectorAll("button")[next].focus();
};
