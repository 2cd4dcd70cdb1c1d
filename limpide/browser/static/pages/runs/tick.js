// The runs that are ticked for comparison. They are part of the address, so that they are there when the user comes
// back.
import { html } from "../../html.js";
import { go, place } from "../../state.js";

export const STROKES = ["--accent", "--plus", "--minus", "--ok", "--bad", "--soft"]; // of their curves
const MOST = STROKES.length;

export const ticked = () => (place.value.runs ?? "").split(",").filter(Boolean);

/** names: of the ticked runs. If there are too many, the first is dropped. */
export const Tick = ({ name, names }) => {
  const tick = () => {
    const next = names.includes(name) ? names.filter((one) => one !== name) : [...names, name].slice(-MOST);
    go({ runs: next.join(",") }, { replace: true });
  };
  return html`<input type="checkbox" aria-label=${name} checked=${names.includes(name)} onChange=${tick} />`;
};
