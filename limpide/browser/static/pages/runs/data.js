// The data of a run, as lists name them.
import { t, count } from "../../i18n.js";

/**
 * Distinguishes the data of a run from those of another: two folders may have one name, and a folder may have changed.
 */
export const same = (run) => run.fingerprint || run.data || "";
/**
 * Their name and size; for data with a name and size that occur twice in a list, the first digits of their fingerprint,
 * too.
 */
export const named = (run, runs = []) => {
  const twin = runs.some(
    (other) => same(other) !== same(run) && other.data === run.data && other.images === run.images,
  );
  return [
    run.data ?? "–",
    run.images ? t("runs.images", { n: count(run.images) }) : "",
    twin ? same(run).slice(0, 6) : "",
  ]
    .filter(Boolean)
    .join(", ");
};
