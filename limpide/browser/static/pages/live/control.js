// Controls of a training: pause, continue, a lower learning rate, keep the weights, stop.
import { html, useState, useEffect } from "../../html.js";
import { t } from "../../i18n.js";
import { path, post } from "../../api.js";

export const Control = ({ run, paused }) => {
  const [told, tell] = useState("");
  const order = async (values) => {
    try {
      await post(path(run, "/control"), JSON.stringify(values));
      tell(t(`control.${values.do}`));
    } catch (error) {
      tell(error.message);
    }
  };
  useEffect(() => tell(""), [paused]); // the order was obeyed, from whichever page it came
  return html`
    <h2>${t("control")}</h2>
    <div class="row">
      <button onClick=${() => order({ do: paused ? "go" : "pause" })}>
        ${paused ? t("control.button.go") : t("control.button.pause")}
      </button>
      <button onClick=${() => order({ do: "rate", by: 0.5 })}>${t("control.button.halve")}</button>
      <button onClick=${() => order({ do: "snapshot" })}>${t("control.button.snapshot")}</button>
      <button onClick=${() => order({ do: "stop" })}>${t("control.button.stop")}</button>
    </div>
    <p class="small" role="status">${told}</p>
  `;
};
