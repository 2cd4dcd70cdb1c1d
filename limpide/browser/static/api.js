// Questions to the server. Every failure becomes a sentence; arrays come as .npy bytes. Addresses are relative to the
// page, which may be below the path of a proxy.
import { npy } from "./npy.js";
import { language } from "./state.js";
import { t } from "./i18n.js";

const query = (values) =>
  new URLSearchParams(
    Object.entries({ lang: language.value, ...values }).filter(([, value]) => value !== undefined && value !== null),
  ).toString();

const addresses = new WeakMap(); // the addresses asked under a signal, as the server names them

/** fetch, with a sentence for a server that does not answer. */
const reach = (url, values) => {
  if (values.signal) addresses.set(values.signal, [...(addresses.get(values.signal) ?? []), `/${url}`]);
  return fetch(url, values).catch((error) => {
    throw error.name === "TypeError" ? new Error(t("server.gone")) : error;
  });
};

const told = async (answer) => {
  if (answer.ok) return answer;
  // another studio, which does not know this page
  let text = answer.status === 403 ? t("server.other") : `${answer.status}`;
  try {
    text = (await answer.json()).error ?? text;
  } catch {}
  throw new Error(text);
};

export const path = (run, rest, values = {}) => `api/runs/${encodeURIComponent(run)}${rest}?${query(values)}`;
// The signal of the question that is being built: fetches that begin before the first await belong to it.
let current = null;
export const within = (signal, ask) => {
  current = signal;
  try {
    return ask();
  } finally {
    current = null;
  }
};
export const get = async (url) => (await told(await reach(url, { signal: current }))).json();
export const runs = () => get(`api/runs?${query({})}`);
export const ask = (run, what, values) => get(path(run, `/look/${what}`, values));
export const post = async (url, body) => (await told(await reach(url, { method: "POST", body }))).json();
export const send = (url, values) => post(url, JSON.stringify(values));
export const upload = (file) => post(`api/upload?${query({})}`, file);

/** An array from the inspector: {shape, values: Float32Array, about}; only {about} where there is none. */
export const array = async (run, what, values) => {
  const answer = await told(await reach(path(run, `/look/${what}`, values), { signal: current }));
  if (answer.headers.get("content-type").startsWith("application/json")) return { about: await answer.json() };
  return { ...npy(await answer.arrayBuffer()), about: JSON.parse(answer.headers.get("x-about") || "{}") };
};

/** {url, about} of a computed picture, or null where there is none. */
export const picture = async (run, what, values) => {
  const answer = await told(await reach(path(run, `/look/${what}`, values), { signal: current }));
  if (!answer.headers.get("content-type").startsWith("image/")) return null;
  return {
    url: URL.createObjectURL(await answer.blob()),
    about: JSON.parse(answer.headers.get("x-about") || "{}"),
  };
};

// One request for all components that wait.
let [atWork, when] = [null, 0];
/**
 * {done, total, unit} of the question under this signal, while it is answered; {waits: true} while others come first;
 * nothing where that is not known.
 */
export const howFar = async (signal) => {
  if (performance.now() - when > 400) [atWork, when] = [get("api/at-work").catch(() => []), performance.now()];
  const all = await atWork;
  const mine = addresses.get(signal) ?? [];
  return all.find(({ of }) => mine.includes(of)) ?? null;
};
