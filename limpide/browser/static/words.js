// Sentences and numbers in the language of the page. Catalogues: locale/en.json and fr.json, with the same keys (a test compares them).
import { signal } from "@preact/signals";
import { language } from "./state.js";

const catalogues = signal({});

export const load = async () => {
  const names = ["en", "fr"];
  const found = await Promise.all(names.map((name) => fetch(`/static/locale/${name}.json`).then((answer) => answer.json())));
  catalogues.value = Object.fromEntries(names.map((name, k) => [name, found[k]]));
};

/** The sentences of a page that nothing is loaded for: the report hands over its own, in the one language that it is written in. */
export const give = (sentences) => (catalogues.value = { [language.value]: sentences });

/** The sentence of this key, with {values} filled in. */
export const t = (key, values = {}) => {
  const sentence = catalogues.value[language.value]?.[key] ?? key;
  const one = (value) => value === "1" || value === 1 || (language.value === "fr" && (value === "0" || value === 0));
  return sentence.replace(/\{(\w+)\|([^|}]*)\|([^}]*)\}/g, (_, name, single, many) => (one(values[name]) ? single : many)).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
};

const formats = new Map(); // making one takes far longer than using it
const format = (options) => {
  const key = language.value + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(language.value === "fr" ? "fr-FR" : "en-US", options));
  return formats.get(key);
};
export const count = (value) => (value == null ? "–" : format({ maximumFractionDigits: 0 }).format(value));
const signed = (text) => text.replace("-", "\u2212");
/** 0.000000012 → "1.2 · 10⁻⁸". */
export const tiny = (value) => {
  if (!value) return "0";
  const [mantissa, exponent] = value.toExponential(1).split("e");
  return `${signed(format({ minimumFractionDigits: 1 }).format(Number(mantissa)))}\u00a0·\u00a010${[...String(Number(exponent))].map((sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]).join("")}`;
};
export const number = (value, digits = 3) => (value == null || !isFinite(value) ? "–" : value !== 0 && Math.abs(value) < 1e-4 ? tiny(value) : signed(format({ maximumSignificantDigits: Math.max(digits, 1) }).format(Object.is(value, -0) ? 0 : value)));
/** With so many digits, a true minus sign, and never "−0.00". */
export const fixed = (value, digits = 2) => (value == null ? "–" : signed(format({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(Number(value.toFixed(digits)) || 0)));
export const percent = (value, digits = 1) => (value == null ? "–" : format({ style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value));
/** A probability: never quite 0 or 100 %. */
export const chance = (value, digits = 1) => {
  const least = 0.5 / 10 ** (digits + 2);
  return value == null ? "–" : value > 1 - least ? `>\u202f${percent(1 - 1 / 10 ** (digits + 2), digits)}` : value < least ? `<\u202f${percent(1 / 10 ** (digits + 2), digits)}` : percent(value, digits);
};
export const bytes = (value) => {
  if (value == null) return "–";
  const letter = language.value === "fr" ? "o" : "B";
  const [scale, prefix] = value >= 1e9 ? [1e9, "G"] : value >= 1e6 ? [1e6, "M"] : value >= 1e3 ? [1e3, "k"] : [1, ""];
  return `${number(value / scale)} ${prefix}${letter}`;
};
export const large = (value) => (value == null ? "–" : format({ notation: "compact", maximumSignificantDigits: 3 }).format(value));
export const duration = (seconds) => {
  if (seconds == null) return "–";
  if (seconds < 60) return `${fixed(seconds, seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};
/** A value with its unit, as a finding states it. */
export const measured = (value, unit) => {
  if (value == null) return "–";
  const forms = { share: () => percent(value), percent: () => percent(value), count: () => count(value), bytes: () => bytes(value), s: () => duration(value), duration: () => duration(value), large: () => large(value), ms: () => `${number(value)} ms` };
  return typeof value !== "number" ? String(value) : forms[unit] ? forms[unit]() : `${number(value)}${unit && !["text", "number"].includes(unit) ? ` ${unit}` : ""}`;
};
