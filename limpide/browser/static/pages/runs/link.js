// A link from a list of runs to a page of one of them, without the list's own part of the address.
import { link } from "../../state.js";

const OF_THE_LISTS = ["at", "key", "runs", "find", "by", "frame", "data"];

export const linkToRun = (run, page) =>
  link({ ...Object.fromEntries(OF_THE_LISTS.map((name) => [name, null])), page, run: run.name });
