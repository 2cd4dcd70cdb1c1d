// The one module that anywidget takes: limpide/browser puts MODULES, {name: text}, in the order of their dependencies,
// and STYLE in front of these lines.
const IMPORTED = /(\bfrom\s*|\bimport\s*)(["'])([^"'\s]+)\2/g;
// text → address: Preact and the signals exist once, for any number of widgets on a page
const theirs = (globalThis.limpideModules ??= new Map());

const address = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));

/** The last module, loaded anew like all our modules: every view has its own place, language and theme. */
const opened = async () => {
  const known = {};
  const ours = [];
  for (const [name, text] of Object.entries(MODULES)) {
    const bound = text.replace(IMPORTED, (whole, before, quote, needed) =>
      known[needed] ? before + quote + known[needed] + quote : whole,
    );
    if (!name.startsWith("limpide/") && !theirs.has(bound)) theirs.set(bound, address(bound));
    known[name] = theirs.get(bound) ?? address(bound);
    if (name.startsWith("limpide/")) ours.push(known[name]);
  }
  try {
    return await import(ours.at(-1));
  } finally {
    ours.forEach((url) => URL.revokeObjectURL(url));
  }
};

const render = async ({ model, el }) => {
  const root = el.appendChild(document.createElement("div")).attachShadow({ mode: "open" });
  // remains where no kernel answers
  root.append(Object.assign(document.createElement("div"), { innerHTML: model.get("_still") }));
  const { start } = await opened();
  return start(model, root, STYLE);
};

export default { render };
