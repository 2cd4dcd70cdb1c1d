"use strict";
(function () {
  var matrix = document.getElementById("matrix");
  var panel = document.getElementById("cell");
  if (matrix && panel) {
    var open = null;
    var pressed = null;

    var show = function (button) {
      var pictures = document.getElementById("cell-" + button.dataset.cell);
      if (open) open.hidden = true;
      if (pressed) pressed.setAttribute("aria-expanded", "false");
      if (pressed === button) {
        panel.hidden = true;
        open = pressed = null;
        return;
      }
      panel.hidden = false;
      panel.querySelector(".cell-sentence").textContent = button.getAttribute("aria-label");
      panel.querySelector(".cell-none").hidden = Boolean(pictures);
      if (pictures) pictures.hidden = false;
      button.setAttribute("aria-expanded", "true");
      open = pictures;
      pressed = button;
    };

    // The nearest button in this direction: empty cells cannot be pressed and are skipped.
    var neighbour = function (button, down, right) {
      var cell = button.closest("td");
      var row = cell.parentNode;
      var column = Array.prototype.indexOf.call(row.children, cell);
      for (;;) {
        column += right;
        if (down > 0) row = row.nextElementSibling;
        if (down < 0) row = row.previousElementSibling;
        var next = row && row.children[column];
        if (!next) return null;
        var found = next.querySelector("button");
        if (found) return found;
      }
    };

    // One stop of the tab key for the whole matrix; the arrow keys move inside it.
    var buttons = matrix.querySelectorAll("button");
    var active = matrix.querySelector("button:not(.right)") || buttons[0];
    buttons.forEach(function (button) {
      button.tabIndex = button === active ? 0 : -1;
      button.setAttribute("aria-expanded", "false");
    });
    var move = function (button) {
      active.tabIndex = -1;
      button.tabIndex = 0;
      active = button;
    };
    matrix.addEventListener("click", function (event) {
      var button = event.target.closest("button");
      if (button) { move(button); show(button); }
    });
    matrix.addEventListener("keydown", function (event) {
      var way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      var button = event.target.closest("button");
      if (!way || !button) return;
      event.preventDefault();
      var next = neighbour(button, way[0], way[1]);
      if (next) { move(next); next.focus(); }
    });
  }

  // Nothing can be opened on paper.
  var opened = [];
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details:not([open])").forEach(function (details) {
      details.open = true;
      opened.push(details);
    });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (details) { details.open = false; });
    opened = [];
  });
})();
