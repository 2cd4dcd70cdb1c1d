"""A page that plays the notebook to a widget of this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.studio.widget.kernel import Kernel

HERE = "http://notebook.test/"
PAGE = """<!doctype html><html lang="en"><body style="color: #111; background: #fff"><div id="cell" style="width: 900px"></div><script>
class Model {
  constructor(state) { [this.state, this.changed, this.heard] = [state, {}, {}]; }
  get(name) { return this.state[name]; }
  set(name, value) {
    if (Object.is(this.state[name], value)) return;
    this.state[name] = this.changed[name] = value;
    this.emit(`change:${name}`);
  }
  save_changes() { if (Object.keys(this.changed).length) this.tell({ method: "update", state: this.changed }); this.changed = {}; }
  send(content) { this.tell({ method: "custom", content }); }
  on(name, heard) { (this.heard[name] ??= new Set()).add(heard); }
  off(name, heard) { this.heard[name]?.delete(heard); }
  emit(name, ...values) { for (const heard of [...(this.heard[name] ?? [])]) heard(...values); }
  async tell(message) { this.take(await kernel(JSON.stringify(message))); }
  take(messages) {
    for (const { method, content, state, buffers } of messages) {
      if (method === "update") { Object.assign(this.state, state); for (const name of Object.keys(state)) this.emit(`change:${name}`); }
      if (method === "custom") this.emit("msg:custom", content, buffers.map((each) => new DataView(Uint8Array.from(atob(each), (letter) => letter.charCodeAt(0)).buffer)));
    }
  }
}
const show = async (state, el = document.getElementById("cell")) => {
  window.model ??= new Model(state);
  const widget = await import(URL.createObjectURL(new Blob([state._esm], { type: "text/javascript" })));
  return (window.ends ??= []).push(await widget.default.render({ model, el }));
};
</script></body></html>"""


class Notebook:
    """A page that plays anywidget's model to a widget of this process."""

    def __init__(self, page: Any, kernel: Kernel) -> None:
        self.page, self.kernel = page, kernel
        page.expose_function("kernel", lambda message: kernel.hear(json.loads(message)))
        page.goto(HERE)
        self.show()

    def show(self) -> None:
        self.page.evaluate(
            "state => show(state)",
            {name: value for name, value in self.kernel.widget.get_state().items() if not name.startswith("_view")},
        )

    def do(self, **place: object) -> None:
        """Set from Python."""
        for name, value in place.items():
            setattr(self.kernel.widget, name, value)
        self.page.evaluate("messages => model.take(messages)", self.kernel.taken())

    def text(self) -> str:
        return str(self.page.locator(".studio").first.inner_text())

    def wait(self, condition: Callable[[], bool]) -> None:
        for _ in range(200):
            if condition():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(self.text())
