// The network as it ran: every operation in order, folded by module.
import { html, useState } from "../html.js";
import { place, link, snapshot, looked, lookedAt } from "../state.js";
import { t, count, large, number, bytes, percent } from "../i18n.js";
import { ask, get, path } from "../api.js";
import { useFetched, Fetched } from "../use_fetched.js";

const MOST_KINDS = 3; // named in a folded group

const group = (op) => (op.layer.includes(".") ? op.layer.split(".").slice(0, 2).join(".") : op.layer);

export default () => {
  const { run } = place.value;
  const state = useFetched(
    () => Promise.all([ask(run, "anatomy", looked()), get(path(run, "/stats"))]),
    [run, lookedAt()],
  );
  return html`
    <h1>${t("page.anatomy")}</h1>
    <p class="read">${t("anatomy.read")}</p>
    <${Fetched} state=${state}>${([anatomy, { stats }]) => html`<${Table} anatomy=${anatomy} stats=${stats} />`}<//>
  `;
};

const sum = (ops, key) => ops.reduce((total, op) => total + (op[key] ?? 0), 0);

/** Operations that follow each other in one module: [{name, ops}]. */
const groupsOf = (ops) => {
  const groups = [];
  for (const op of ops) {
    const name = group(op);
    if (groups.at(-1)?.name !== name) groups.push({ name, ops: [] });
    groups.at(-1).ops.push(op);
  }
  return groups;
};

const kindsOf = (ops) => {
  const found = [...new Set(ops.map((op) => op.kind))];
  return [...found.slice(0, MOST_KINDS), ...(found.length > MOST_KINDS ? ["…"] : [])].join(", ");
};

/** The inputs of an operation where they are not simply the output of the one before it: branches and short cuts. */
const sourcesOf = (op, ops) =>
  op.inputs.length && (op.inputs.length > 1 || op.inputs[0] !== ops.indexOf(op) - 1)
    ? op.inputs.map((k) => (k < 0 ? t("image") : ops[k].key)).join(" + ")
    : "";

/** How far each operation's weights moved with the current weights, and which columns have values. */
const columnsOf = ({ ops }, stats) => {
  const at =
    snapshot() === "best" ? stats.at(-1) : (stats.findLast((line) => line.step <= Number(snapshot())) ?? stats[0]);
  const update = (op) => {
    const found = op.weights.map((name) => at?.parameters[name]?.update).filter((v) => v != null);
    return found.length ? Math.max(...found) : null;
  };
  return {
    update,
    // An empty column is left out, and the reason is given below.
    updated: ops.some((op) => update(op) != null),
    waking: ops.some((op) => op.asleep != null),
    most: Math.max(...ops.map((op) => op.milliseconds ?? 0)),
  };
};

/** Which groups are open, and whether there are enough operations to fold groups at all. */
const useFolding = (anatomy, groups) => {
  const many = anatomy.ops.length > 40;
  const all = () => new Set(groups.map((_, k) => k));
  const [open, set] = useState(() => (many ? new Set() : all()));
  const toggle = (k) => {
    const next = new Set(open);
    next.has(k) ? next.delete(k) : next.add(k);
    set(next);
  };
  return { many, open, toggle, toggleAll: () => set(open.size ? new Set() : all()) };
};

const GroupRow = ({ name, ops, unfolded, toggle, columns: { updated, waking } }) => html`
  <tr>
    <td>
      <button class="plain" aria-expanded=${unfolded ? "true" : "false"} onClick=${toggle}>
        ${unfolded ? "▾" : "▸"} ${name || t("anatomy.itself")}
      </button>
    </td>
    <td class="small">
      ${kindsOf(ops)}
      ${
        ops.length > 1 &&
        html`
          <br />
          ${t("anatomy.steps", { n: ops.length })}
        `
      }
    </td>
    <td class="n">${ops.at(-1).shape.join(" × ")}</td>
    <td class="n">${count(sum(ops, "parameters"))}</td>
    <td class="n">${large(sum(ops, "multiply_adds"))}</td>
    <td class="n">${number(sum(ops, "milliseconds"), 2)} ms</td>
    <td class="n">${bytes(sum(ops, "bytes"))}</td>
    ${updated && html`<td></td>`}
    ${waking && html`<td></td>`}
  </tr>
`;

const OpRow = ({ op, all, many, columns: { update, updated, waking, most } }) => {
  const names = sourcesOf(op, all);
  const moved = update(op);
  return html`
    <tr>
      <td style=${many ? "padding-left: 1.5rem" : ""}>
        <a href=${link({ page: "layer", key: op.key, c: null, y: null, x: null })}>${op.key}</a>
        ${names && html`<div class="small">${t("anatomy.from", { names })}</div>`}
      </td>
      <td>${op.kind}</td>
      <td class="n">${op.shape.join(" × ")}</td>
      <td class="n">${op.parameters ? count(op.parameters) : ""}</td>
      <td class="n">${op.multiply_adds ? large(op.multiply_adds) : ""}</td>
      <td class="n">
        ${
          op.milliseconds != null
            ? html`
              ${number(op.milliseconds, 2)} ms
              <span class="under">
                <span class="beam" style=${`width: ${(100 * op.milliseconds) / most}%`}></span>
              </span>
            `
            : ""
        }
      </td>
      <td class="n">${bytes(op.bytes)}</td>
      ${updated && html`<td class="n">${moved != null ? html`<${Update} value=${moved} />` : ""}</td>`}
      ${waking && html`<td class="n">${op.asleep != null ? percent(op.asleep, 0) : ""}</td>`}
    </tr>
  `;
};

const Search = ({ anatomy, wanted, want, folding: { many, open, toggleAll } }) => html`
  <div class="row">
    <input
      type="search"
      aria-label=${t("search")}
      placeholder=${t("search")}
      value=${wanted}
      onInput=${(event) => want(event.target.value)}
    />
    ${many && html`<button onClick=${toggleAll}>${open.size ? t("anatomy.fold") : t("anatomy.unfold")}</button>`}
    <span class="small">
      ${anatomy.network} · ${t("anatomy.in", { shape: anatomy.input.join(" × ") })} ·${" "}
      ${count(sum(anatomy.ops, "parameters"))} ${t("anatomy.parameters").toLowerCase()} ·${" "}
      ${large(sum(anatomy.ops, "multiply_adds"))} ${t("anatomy.products").toLowerCase()}
    </span>
  </div>
`;

const Head = ({ columns: { updated, waking } }) => html`
  <thead>
    <tr>
      <th>${t("anatomy.layer")}</th>
      <th>${t("anatomy.kind")}</th>
      <th class="n">${t("anatomy.shape")}</th>
      <th class="n">${t("anatomy.parameters")}</th>
      <th class="n">${t("anatomy.products")}</th>
      <th class="n">${t("anatomy.time")}</th>
      <th class="n">${t("anatomy.memory")}</th>
      ${updated && html`<th class="n">${t("anatomy.update")}</th>`}
      ${waking && html`<th class="n">${t("anatomy.asleep")}</th>`}
    </tr>
  </thead>
`;

const Table = ({ anatomy, stats }) => {
  const [wanted, want] = useState("");
  const all = anatomy.ops;
  const groups = groupsOf(all);
  const folding = useFolding(anatomy, groups);
  const { many, open, toggle } = folding;
  const columns = columnsOf(anatomy, stats);
  const shown = (op) => `${op.key} ${op.kind}`.toLowerCase().includes(wanted.toLowerCase());
  const rows = ({ name, ops }, k) => {
    const inside = ops.filter(shown);
    if (!inside.length) return null;
    const unfolded = open.has(k) || wanted;
    const fold = () => toggle(k);
    return html`
      ${many && html`<${GroupRow} name=${name} ops=${ops} unfolded=${unfolded} toggle=${fold} columns=${columns} />`}
      ${
        (unfolded || !many) &&
        inside.map((op) => html`<${OpRow} op=${op} all=${all} many=${many} columns=${columns} />`)
      }
    `;
  };
  return html`
    <${Search} anatomy=${anatomy} wanted=${wanted} want=${want} folding=${folding} />
    <div class="scroll">
      <table>
        <${Head} columns=${columns} />
        <tbody>
          ${groups.map(rows)}
        </tbody>
      </table>
    </div>
    <p class="small">
      ${t("anatomy.legend")} ${t(columns.updated ? "anatomy.legend_update" : "anatomy.no_update")}${" "}
      ${t(columns.waking ? "anatomy.legend_asleep" : "anatomy.no_asleep", { n: count(anatomy.watched) })}
    </p>
  `;
};

// A thousandth is usual: above a hundredth it is large, below a hundred-thousandth it hardly moves.
const Update = ({ value }) => html`
  <span class=${value > 1e-2 ? "badge warn" : value < 1e-5 ? "badge unknown" : ""}>${number(value, 2)}</span>
`;
