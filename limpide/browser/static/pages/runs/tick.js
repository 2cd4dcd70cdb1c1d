// The runs that are ticked, to be laid beside each other. They stand in the address: there they are still when somebody
// comes back.
import { html } from "../../html.js";
import { go, place } from "../../state.js";

export const STROKES = ["--accent", "--plus", "--minus", "--ok", "--bad", "--soft"]; // of their curves
const MOST = STROKES.length;

export const ticked = () => (place.value.runs ?? "").split(",").filter(Boolean);

/** names: of the runs that are ticked. The first of too many makes way. */
export const Tick = ({ name, names }) => {
  const tick = () => {
    const next = names.includes(name) ? names.filter((one) => one !== name) : [...names, name].slice(-MOST);
    go({ runs: next.join(",") }, { replace: true });
  };
  return html`<input type="checkbox" aria-label=${name} checked=${names.includes(name)} onChange=${tick} />`;
};
