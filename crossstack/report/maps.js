"use strict";
// IR-drop maps: every panel on one scale, values by pointer or arrow keys.
(() => {
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const holder = $("#maps");
  if (!holder) return;
  const { panels } = JSON.parse($("#mapdata").textContent);
  const viridis = holder.dataset.colours.split(" ").map((text) =>
    [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16))
  );
  const color = (share) => {
    const x = Math.min(Math.max(share, 0), 1) * (viridis.length - 1);
    const k = Math.min(Math.floor(x), viridis.length - 2);
    const mix = (c) => Math.round(viridis[k][c] + (viridis[k + 1][c] - viridis[k][c]) * (x - k));
    return `rgb(${mix(0)},${mix(1)},${mix(2)})`;
  };
  // lies on light and dark pages and on paper alike
  const none = "rgba(128, 138, 150, 0.3)", beingWritten = "#e07b39";
  const percent = (v, digits = 3) => (v === 0 ? "0" : `${(v * 100).toPrecision(digits)} %`);
  const SHARES = [1, 0.75, 0.5, 0.25, 0], FIGURES = 4; // of the values, as the page holds them
  // as many digits as tell the numbers beside a scale apart
  const digitsOf = (low, top) =>
    [3, 4, 5, 6, 7].find((n) => {
      return new Set(SHARES.map((s) => percent(low + (top - low) * s, n))).size === SHARES.length;
    }) ?? 8;
  const buttons = all("[data-series]");
  let series = buttons[0].dataset.series;
  let fromZero = false, told = null, digits = 3;
  const readout = $("#readout");
  const seen = () => panels.flatMap((p) => p.values[series].flat()).filter((v) => v !== null);

  function drawMaps() {
    const values = seen();
    const top = values.reduce((a, b) => Math.max(a, b), 0) || 1;
    const low = fromZero ? 0 : Math.min(values.reduce((a, b) => Math.min(a, b), top), top * 0.999);
    digits = digitsOf(low, top);
    holder.replaceChildren(...panels.map((panel) => oneMap(panel, low, top)), legend(low, top));
    const from = fromZero ? "from zero" : `from ${percent(low, digits)}, not from zero,`;
    $("#range").textContent = `Colours go ${from} to ${percent(top, digits)} of the voltage lost.`;
    if (told) readout.textContent = told();
  }
  function oneMap(panel, low, top) {
    const grid = panel.values[series];
    const rows = grid.length, cols = grid[0].length;
    const size = Math.max(1, Math.min(36, Math.floor(200 / Math.max(rows, cols))));
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    const written = panel.written;
    const isWritten = (j) => written?.here && j === Math.floor(written.column / panel.block);
    const state = written && `column ${written.column} ${written.here ? "being written" : "not read"}`;
    caption.textContent = panel.title + (state ? ` (${state})` : "");
    const canvas = document.createElement("canvas");
    canvas.width = cols * size;
    canvas.height = rows * size;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `IR drop, ${caption.textContent}, ${rows} rows, ${cols} columns`);
    const pen = canvas.getContext("2d");
    const paint = (mark) => {
      pen.clearRect(0, 0, canvas.width, canvas.height);
      grid.forEach((row, i) =>
        row.forEach((v, j) => {
          pen.fillStyle = isWritten(j) ? beingWritten : v === null ? none : color((v - low) / (top - low));
          pen.fillRect(j * size, (rows - 1 - i) * size, size, size);
        })
      );
      if (mark) {
        pen.strokeStyle = "#ff3b30";
        pen.lineWidth = 2;
        pen.strokeRect(mark[1] * size + 1, (rows - 1 - mark[0]) * size + 1, Math.max(size - 2, 1), Math.max(size - 2, 1));
      }
    };
    let at = [0, 0];
    const tell = (i, j) => {
      at = [Math.min(Math.max(i, 0), rows - 1), Math.min(Math.max(j, 0), cols - 1)];
      const here = [...at];
      // said again when another series is chosen
      told = () => says(panel, panel.values[series], ...here);
      readout.textContent = told();
      paint(at);
    };
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect();
      tell(
        rows - 1 - Math.floor(((event.clientY - box.top) / box.height) * rows),
        Math.floor(((event.clientX - box.left) / box.width) * cols)
      );
    });
    canvas.addEventListener("pointerleave", () => paint(null));
    canvas.addEventListener("blur", () => paint(null));
    canvas.addEventListener("focus", () => tell(...at));
    const steps = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    canvas.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      tell(at[0] + step[0], at[1] + step[1]);
    });
    paint(null);
    figure.append(caption, canvas, axisName("rows", "row", rows), axisName("cols", "column", cols));
    return figure;
  }
  // rows are driven at column 0's side, columns sensed at row 0's: both ends are named
  function axisName(side, word, count) {
    const axis = document.createElement("div");
    axis.className = "axis " + side;
    const last = panels[0].block === 1 ? count - 1 : "";
    for (const text of [0, word, last]) {
      const part = document.createElement("span");
      part.textContent = text;
      axis.append(part);
    }
    return axis;
  }
  function says(panel, grid, r, c) {
    const k = panel.block, v = grid[r][c];
    const range = (n, last) => (k === 1 ? `${n}` : `${n * k}-${Math.min(n * k + k, last) - 1}`);
    let text = `${panel.title}, row ${range(r, panel.shape[0])}, column ${range(c, panel.shape[1])}: `;
    if (v === null) return text + idle(panel, r, c);
    text += `${percent(v, Math.min(digits, FIGURES))} lost`;
    if (panel.volts && panel.volts[r][c] !== null) {
      text += `; ${panel.volts[r][c].toPrecision(4)} V`;
      if (panel.amps[r][c] !== null) text += `, ${(panel.amps[r][c] * 1e6).toPrecision(4)} uA`;
      text += " with everything counted";
    }
    return text;
  }
  // a device that is not read: written, beside the written column, or of that column's other tier
  function idle(panel, r, c) {
    const written = panel.written, k = panel.block;
    if (!written) return "does not take part";
    const inColumn = c === Math.floor(written.column / k);
    if (!written.here) return inColumn ? `not read, as column ${written.column} is being written` : "does not take part";
    if (!inColumn) return "not selected";
    if (k > 1) return `column ${written.column} is being written`;
    const lost = written.lost[r] === null ? "" : ` (${percent(written.lost[r])} of the write voltage lost)`;
    return `written with ${written.volts[r].toPrecision(4)} V${lost}`;
  }
  function legend(low, top) {
    const box = document.createElement("div");
    box.className = "legend";
    const canvas = document.createElement("canvas");
    canvas.width = 16;
    canvas.height = 180;
    const pen = canvas.getContext("2d");
    for (let y = 0; y < 180; y++) {
      pen.fillStyle = color(1 - y / 179);
      pen.fillRect(0, y, 16, 1);
    }
    const words = document.createElement("div");
    words.innerHTML = SHARES.map(
      (s) => `<span>${percent(low + (top - low) * s, digits)}</span>`
    ).join("");
    box.append(canvas, words);
    return box;
  }
  buttons.forEach((button) =>
    button.addEventListener("click", () => {
      series = button.dataset.series;
      buttons.forEach((b) => b.setAttribute("aria-pressed", b === button));
      drawMaps();
    })
  );
  const zeroButton = $("#fromzero");
  zeroButton.addEventListener("click", () => {
    fromZero = !fromZero;
    zeroButton.setAttribute("aria-pressed", fromZero);
    drawMaps();
  });
  drawMaps();
})();
