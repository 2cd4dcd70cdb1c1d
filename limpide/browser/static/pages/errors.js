// What it confuses, and every claim about the model with its verdict.
import { html, useState } from "../html.js";
import { place } from "../state.js";
import { t, count, percent } from "../words.js";
import { get, path } from "../api.js";
import { useFetched, Fetched } from "../fetched.js";
import { language } from "../state.js";
import { unsigned, cell } from "../paint.js";

const WORST = ["bad", "warn", "unknown", "ok"];

export default () => {
  const { run } = place.value;
  const state = useFetched(() => get(path(run, "/findings")), [run, language.value]);
  return html`<h1>${t("page.errors")}</h1><${Fetched} state=${state}>${({ findings, confusion }) => findings.length === 0 ? html`<p class="read">${t("errors.none")}</p>` : html`
    ${confusion?.matrix && html`<${Matrix} matrix=${confusion.matrix} classes=${confusion.classes} pictures=${findings.find((one) => one.name === "confusion")?.pictures ?? []} />`}
    <h2>${t("errors.claims")}</h2><table><tbody>${[...findings].sort((a, b) => WORST.indexOf(a.verdict) - WORST.indexOf(b.verdict)).map((one) => html`<tr><td style="width: 7rem"><span class=${`badge ${one.verdict}`}>${t(`verdict.${one.verdict}`)}</span></td><td>${one.text}${one.name === "mistakes" && one.pictures.length > 0 && html`<div class="probes" style="margin-top: .5rem">${one.pictures.slice(0, 8).filter((p) => p.jpeg).map((p) => html`<figure class="probe"><img alt=${p.label} src=${`data:image/jpeg;base64,${p.jpeg}`} />${t("errors.said", { label: p.label, predicted: p.predicted })}</figure>`)}</div>`}</td></tr>`)}</tbody></table>`}<//>`;
};

const Matrix = ({ matrix, classes, pictures }) => {
  const [chosen, choose] = useState(null);
  const shown = chosen ? pictures.filter((p) => p.jpeg && p.label === classes[chosen[0]] && p.predicted === classes[chosen[1]]) : [];
  const most = Math.max(...matrix.flatMap((row, k) => row.filter((_, j) => j !== k))) || 1;
  if (classes.length > 20) return "";
  return html`<h2>${t("errors.matrix")}</h2><p class="small">${t("errors.matrix_read")}</p><div class="scroll"><table class="matrix" style="width: auto"><thead><tr><th></th>${classes.map((label) => html`<th class="n">${label}</th>`)}</tr></thead><tbody>${matrix.map((row, k) => html`<tr><th>${classes[k]}</th>${row.map((n, j) => html`<td class="n" style=${j !== k && n ? cell(unsigned(0.15 + (0.35 * n) / most, 1)) : ""}>${n ? html`<button onClick=${() => choose([k, j])}>${count(n)}</button>` : j === k ? "0" : html`<span class="small">·</span>`}</td>`)}</tr>`)}</tbody></table></div>
    ${chosen && html`<p class="small" role="status">${t(shown.length ? "errors.said" : "errors.no_pictures", { label: classes[chosen[0]], predicted: classes[chosen[1]] })}</p><div class="probes">${shown.map((p) => html`<figure class="probe"><img alt=${p.file} src=${`data:image/jpeg;base64,${p.jpeg}`} />${percent(p.probability, 0)}</figure>`)}</div>`}`;
};
