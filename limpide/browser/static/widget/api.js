// api.js for a notebook: questions are messages to the kernel. It answers one at a time, so one is sent at a time, long
// questions last; a question whose answer is no longer wanted is not sent.
import { signal } from "@preact/signals";
import { model } from "./location.js";
import { npy } from "./npy.js";

const LONG = ["saliency", "maximized"];
const PATIENCE = 3000; // ms
const PICTURES = 60; // kept
const BLANK = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

const view = Math.random().toString(36).slice(2); // other views of the same widget receive these answers, too
const queue = [];
let asked = null,
  number = 0,
  current = null;
export const silent = signal(false); // the kernel does not answer: it is busy, or gone

const next = () => {
  if (asked || !queue.length) return;
  [asked] = queue.splice(
    Math.max(
      0,
      queue.findIndex(({ what }) => !LONG.includes(what)),
    ),
    1,
  );
  asked.id = `${view}-${++number}`;
  asked.timer = setTimeout(() => (silent.value = true), PATIENCE);
  model.send({ id: asked.id, what: asked.what, values: asked.values });
};

const hear = (message, buffers) => {
  if (!asked || message?.id !== asked.id) return;
  const { resolve, reject, timer } = asked;
  clearTimeout(timer);
  [asked, silent.value] = [null, false];
  if (message.error === undefined) resolve({ about: message.about, data: buffers?.length ? bytes(buffers[0]) : null });
  else reject(new Error(message.error));
  next();
};
const bytes = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);

export const listen = () => {
  model.on("msg:custom", hear);
  return () => {
    model.off("msg:custom", hear);
    queue.length = 0;
    clearTimeout(asked?.timer);
    for (const { url } of pictures.values()) if (url.peek() !== BLANK) URL.revokeObjectURL(url.peek());
  };
};

const question = (what, values, signal = current) =>
  new Promise((resolve, reject) => {
    const one = { what, values, resolve, reject };
    queue.push(one);
    signal?.addEventListener("abort", () => queue.includes(one) && queue.splice(queue.indexOf(one), 1));
    next();
  });

// As in api.js: questions that begin before the first await belong to this signal.
export const within = (signal, ask) => {
  current = signal;
  try {
    return ask();
  } finally {
    current = null;
  }
};

export const ask = async (run, what, values) => (await question(what, values)).about;
export const array = async (run, what, values) => {
  const { about, data } = await question(what, values);
  return data ? { ...npy(data), about } : { about }; // a network without maps has a sentence instead
};
export const picture = async (run, what, values) => {
  const { about, data } = await question(what, values);
  return data && { url: URL.createObjectURL(new Blob([data])), about };
};

/** The progress of a question: the kernel reports none before its answer. */
export const howFar = async () => null;

/** The records of a training; there are none here. */
export const get = async () => ({ stats: [] });

// The address of a picture: blank until the kernel has drawn it; a component that reads it is then drawn again.
const pictures = new Map();
export const path = (run, rest, values) => {
  const key = rest + JSON.stringify(values);
  if (!pictures.has(key)) {
    const url = signal(BLANK);
    pictures.set(key, { url });
    question(rest.split("/").at(-1), values, null).then(
      ({ data }) => (url.value = URL.createObjectURL(new Blob([data]))),
      () => pictures.delete(key),
    );
    if (pictures.size > PICTURES) {
      const [oldest, { url }] = pictures.entries().next().value;
      pictures.delete(oldest);
      URL.revokeObjectURL(url.peek());
    }
  }
  return pictures.get(key).url.value;
};
