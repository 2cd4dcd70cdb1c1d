// Sentences and numbers in the language of the page. English is stored by key in limpide/locale/pages.json, every other
// language in its gettext catalogue; the server of the page passes the sentences on (text/page_sentences.py).
import { signal } from "@preact/signals";
import { language } from "./state.js";

const catalogues = signal({});

export const load = async () => {
  catalogues.value = await fetch("api/sentences").then((answer) => answer.json());
};

/** The sentences of a page that loads nothing: the report contains its own, in the language in which it is written. */
export const give = (sentences) => (catalogues.value = { [language.value]: sentences });

/** The sentence of this key, with {values} filled in. */
export const t = (key, values = {}) => {
  const sentence = catalogues.value[language.value]?.[key] ?? key;
  const one = (value) => value === "1" || value === 1 || (language.value === "fr" && (value === "0" || value === 0));
  return sentence
    .replace(/\{(\w+)\|([^|}]*)\|([^}]*)\}/g, (_, name, single, many) => (one(values[name]) ? single : many))
    .replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
};

const formats = new Map(); // making one takes far longer than using it
const format = (options) => {
  const key = language.value + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(language.value === "fr" ? "fr-FR" : "en-US", options));
  return formats.get(key);
};
export const count = (value) => (value == null ? "–" : format({ maximumFractionDigits: 0 }).format(value));
const signed = (text) => text.replace("-", "\u2212");
/** 10⁻⁸ of −8. */
export const ten = (exponent) =>
  `10${[...String(exponent)].map((sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]).join("")}`;
/** 0.000000012 → "1.2 · 10⁻⁸". */
export const tiny = (value) => {
  if (!value) return "0";
  const [mantissa, exponent] = value.toExponential(1).split("e");
  const written = signed(format({ minimumFractionDigits: 1 }).format(Number(mantissa)));
  return `${written}\u00a0·\u00a0${ten(Number(exponent))}`;
};
/**
 * To `digits` decimals, a tie to the even digit, as Python rounds: a share that is 0.5 of the last digit is the same on
 * every page.
 */
export const rounded = (value, decimals = 0) => {
  const all = Math.abs(value).toFixed(60);
  const cut = all.indexOf(".") + 1 + decimals;
  const even = /^50*$/.test(all.slice(cut)) && "02468".includes(all.slice(0, cut).replace(/\.$/, "").at(-1));
  return even ? Math.sign(value) * Number(all.slice(0, cut)) : Number(value.toFixed(decimals));
};
/** With this many significant digits, and all of them before the point, as the report writes it (text/messages.py). */
export const number = (value, digits = 3) => {
  if (value == null || !isFinite(value)) return "–";
  if (value !== 0 && Math.abs(value) < 1e-4) return tiny(value);
  const decimals = value ? Math.max(0, digits - 1 - Number(value.toExponential(6).split("e")[1])) : 0;
  return signed(format({ maximumFractionDigits: decimals }).format(rounded(value, decimals) || 0));
};
/** With this many digits, a true minus sign, and never "−0.00". */
export const fixed = (value, digits = 2) =>
  value == null
    ? "–"
    : signed(
        format({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(rounded(value, digits) || 0),
      );
/** A share. A share below 1 is never rounded up to 100 %, nor one above 0 down to 0 %. */
export const percent = (value, digits = 1) => {
  if (value == null) return "–";
  const least = 10 ** -digits;
  const near = rounded(100 * value, digits);
  const text = (whole) => `${fixed(whole, digits)}\u00a0%`;
  if (value < 1 && near === 100) return text(100 - least);
  return value > 0 && near === 0 ? `<\u00a0${text(least)}` : text(near);
};
/** A probability: never quite 0 or 1, as exact as its numbers are. */
export const chance = (value, digits = 1) =>
  percent(value == null ? value : Math.min(Math.max(value, 1e-9), 1 - 1e-9), digits);
export const bytes = (value) => {
  if (value == null) return "–";
  const letter = language.value === "fr" ? "o" : "B";
  const k = ["", "k", "M", "G", "T"].findIndex((_, k) => k === 4 || value / 1000 ** k < 999.5);
  return `${number(value / 1000 ** k)} ${["", "k", "M", "G", "T"][k]}${letter}`;
};
export const large = (value) => {
  if (value == null) return "–";
  return value >= 1e9
    ? t("billion", { n: number(value / 1e9) })
    : value >= 1e6
      ? t("million", { n: number(value / 1e6) })
      : count(value);
};
export const duration = (seconds) => {
  if (seconds == null) return "–";
  const whole = rounded(seconds);
  const minutes = rounded(whole / 60);
  const more = (rest, unit) => (rest ? ` ${rest} ${unit}` : ""); // as the report says it (text/messages.py)
  if (whole < 60) return `${fixed(seconds, seconds < 9.95 ? 1 : 0)} s`;
  return whole < 3600
    ? `${Math.floor(whole / 60)} min${more(whole % 60, "s")}`
    : `${count(Math.floor(minutes / 60))} h${more(minutes % 60, "min")}`;
};
/** The start time, from an ISO 8601 time, in the reader's local time. */
export const date = (text) =>
  text
    ? new Intl.DateTimeFormat(language.value === "fr" ? "fr-FR" : "en-US", {
        dateStyle: "medium",
        timeStyle: "short",
      }).format(new Date(text))
    : "–";
/** The state of a run: what it does, where it waits, how it ended. */
export const standing = ({ status, phase, paused }) =>
  status === "running" ? t(`phase.${phase}`) : t(`status.${status}`, { n: count(paused) });
/** A value with its unit, as a finding states it. */
export const measured = (value, unit) => {
  if (value == null) return "–";
  const forms = {
    share: () => percent(value),
    percent: () => percent(value),
    count: () => count(value),
    bytes: () => bytes(value),
    s: () => duration(value),
    duration: () => duration(value),
    large: () => large(value),
    ms: () => `${number(value)} ms`,
  };
  return typeof value !== "number"
    ? String(value)
    : forms[unit]
      ? forms[unit]()
      : `${number(value)}${unit && !["text", "number"].includes(unit) ? ` ${unit}` : ""}`;
};
