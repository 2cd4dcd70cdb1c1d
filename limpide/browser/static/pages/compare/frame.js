// The frame that keeps some runs: least and most of cost and accuracy.
import { html } from "../../html.js";
import { place, go } from "../../state.js";
import { t } from "../../i18n.js";

// The quantities of a run in words, and the factors between the units of the frame and theirs. 57 % is 57 / 100 to the
// last bit, which 57 × 0.01 is not: a run on the edge of the frame is inside.
const given = (text, factor) => (factor < 1 ? Number(text) / Math.round(1 / factor) : Number(text) * factor);

// The frame that keeps some runs: least and most of cost and accuracy, "" where it is open. It is part of the URL as
// frame=0.1,2.5,0.8,
export const bounds = () =>
  Object.fromEntries(
    (place.value.frame ?? "")
      .split(",")
      .concat("", "", "", "")
      .slice(0, 4)
      .map((v, k) => [ENDS[k], v !== "" && isFinite(v) ? Number(v) : null]),
  );
export const frame = (values) => {
  const next = { ...bounds(), ...values };
  const told = ENDS.map((name) => next[name] ?? "");
  go({ frame: told.some((v) => v !== "") ? told.join(",") : null }, { replace: true });
};
const ENDS = ["cost_low", "cost_high", "low", "high"];
export const three = (value) => Number(value.toPrecision(3));

export const isFramed = (kept) => ENDS.some((name) => kept[name] != null);

export const Frame = ({ costs: { by, scale, unit }, kept }) => {
  const end = (name, factor, label) => html`
    <input
      type="number"
      step="any"
      min="0"
      aria-label=${label}
      value=${kept[name] == null ? "" : three(kept[name] / factor)}
      onChange=${(event) => frame({ [name]: event.target.value === "" ? null : given(event.target.value, factor) })}
    />
  `;
  return html`
    <fieldset class="frame">
      <legend class="small">${t("compare.frame")}</legend>
      <span class="ends">
        ${t(`compare.${by}`)}${" "}
        ${end("cost_low", scale, t("compare.from", { what: t(`compare.${by}`), unit }))}${" "}
        ${t("compare.to")}${" "}
        ${end("cost_high", scale, t("compare.most", { what: t(`compare.${by}`), unit }))} ${unit}
      </span>
      <span class="ends">
        ${t("compare.accuracy")}${" "}
        ${end("low", 0.01, t("compare.from", { what: t("compare.accuracy"), unit: "%" }))}${" "}
        ${t("compare.to")}${" "}
        ${end("high", 0.01, t("compare.most", { what: t("compare.accuracy"), unit: "%" }))} %
      </span>
      ${
        isFramed(kept) &&
        html`
          <button class="plain" onClick=${() => go({ frame: null }, { replace: true })}>
            ${t("image.clear")}
          </button>
        `
      }
    </fieldset>
  `;
};
