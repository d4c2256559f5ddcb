"use strict";
(() => {
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];

  // theme: the system's choice until the reader makes one
  const root = document.documentElement;
  const dark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const themeButton = $("#theme");
  themeButton.setAttribute("aria-pressed", dark());
  themeButton.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    themeButton.setAttribute("aria-pressed", dark());
    drawMaps();
  });

  // layout: view box as the only state
  const svg = $("#layoutsvg");
  const home = svg.getAttribute("viewBox").split(" ").map(Number);
  let view = [...home];
  const labels = $("#layer-labels");
  const show = () => {
    svg.setAttribute("viewBox", view.join(" "));
    const scale = Math.max(view[2] / svg.clientWidth, view[3] / svg.clientHeight);
    // names keep their size on the screen, but never grow into each other
    labels.style.fontSize = Math.min(11 * scale, Number(labels.dataset.font)) + "px";
  };
  const zoom = (factor, x = view[0] + view[2] / 2, y = view[1] + view[3] / 2) => {
    const f = Math.min(Math.max(factor, home[2] / 2000 / view[2]), (home[2] * 2) / view[2]);
    view = [x - (x - view[0]) * f, y - (y - view[1]) * f, view[2] * f, view[3] * f];
    show();
  };
  const move = (dx, dy) => {
    view[0] += dx;
    view[1] += dy;
    show();
  };
  const point = (event) => {
    const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [p.x, p.y];
  };
  svg.addEventListener(
    "wheel",
    (event) => {
      // plain scrolling over the picture must not trap the page: zoom once it has the focus
      if (document.activeElement !== svg && !event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, ...point(event));
    },
    { passive: false }
  );
  let grabbed = null;
  svg.addEventListener("pointerdown", (event) => {
    grabbed = point(event);
    svg.focus({ preventScroll: true });
    svg.setPointerCapture(event.pointerId);
    svg.classList.add("moving");
  });
  svg.addEventListener("pointermove", (event) => {
    const [x, y] = point(event);
    $("#where").textContent = `${(x * 0.005).toFixed(2)}, ${(-y * 0.005).toFixed(2)} um`;
    if (grabbed) move(grabbed[0] - x, grabbed[1] - y);
  });
  const release = () => {
    grabbed = null;
    svg.classList.remove("moving");
  };
  svg.addEventListener("pointerup", release);
  svg.addEventListener("pointercancel", release);
  svg.addEventListener("dblclick", (event) => zoom(0.5, ...point(event)));
  const actions = { in: () => zoom(1 / 1.5), out: () => zoom(1.5), all: () => ((view = [...home]), show()) };
  all("[data-zoom]").forEach((b) => b.addEventListener("click", actions[b.dataset.zoom]));
  const keys = {
    "+": actions.in,
    "=": actions.in,
    "-": actions.out,
    0: actions.all,
    ArrowLeft: () => move(-view[2] / 10, 0),
    ArrowRight: () => move(view[2] / 10, 0),
    ArrowUp: () => move(0, -view[3] / 10),
    ArrowDown: () => move(0, view[3] / 10),
  };
  svg.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  addEventListener("resize", show);
  show();

  // layers
  const boxes = all("[data-layer]");
  const apply = (box) => {
    document.getElementById("layer-" + box.dataset.layer).style.display = box.checked ? "" : "none";
  };
  boxes.forEach((box) => box.addEventListener("change", () => apply(box)));
  const choose = {
    all: () => true,
    none: () => false,
    module: (box) => "module" in box.dataset,
    foundry: (box) => !("module" in box.dataset),
  };
  all("[data-layers]").forEach((button) =>
    button.addEventListener("click", () =>
      boxes.forEach((box) => {
        box.checked = choose[button.dataset.layers](box);
        apply(box);
      })
    )
  );

  // maps
  const data = JSON.parse($("#mapdata").textContent).modes;
  const holder = $("#maps");
  const viridis = [
    [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141],
    [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37],
  ];
  const color = (share) => {
    const x = Math.min(Math.max(share, 0), 1) * (viridis.length - 1);
    const k = Math.min(Math.floor(x), viridis.length - 2);
    const mix = (c) => Math.round(viridis[k][c] + (viridis[k + 1][c] - viridis[k][c]) * (x - k));
    return `rgb(${mix(0)},${mix(1)},${mix(2)})`;
  };
  const percent = (v) => (v === 0 ? "0" : `${(v * 100).toPrecision(3)} %`);
  let series = "all";
  let fromZero = false;
  const tiers = ["bottom tier", "top tier"];
  const readout = $("#readout");

  function drawMaps() {
    if (!holder) return;
    holder.replaceChildren();
    const values = Object.values(data).flatMap((m) => m[series].flat(2)).filter((v) => v !== null);
    const top = values.reduce((a, b) => Math.max(a, b), 0) || 1;
    const low = fromZero ? 0 : Math.min(values.reduce((a, b) => Math.min(a, b), top), top * 0.999);
    for (const [mode, m] of Object.entries(data)) {
      m[series].forEach((grid, tier) => holder.append(oneMap(mode, m, grid, tier, low, top)));
    }
    holder.append(legend(low, top));
  }
  function oneMap(mode, m, grid, tier, low, top) {
    const rows = grid.length, cols = grid[0].length;
    const size = Math.max(1, Math.min(36, Math.floor(232 / Math.max(rows, cols))));
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    const empty = grid.every((row) => row.every((v) => v === null));
    caption.textContent = `${mode}, ${tiers[tier]}${empty ? " (being written)" : ""}`;
    const canvas = document.createElement("canvas");
    canvas.width = cols * size;
    canvas.height = rows * size;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `IR drop, ${caption.textContent}, ${rows} rows, ${cols} columns`);
    const pen = canvas.getContext("2d");
    const none = getComputedStyle(root).getPropertyValue("--line");
    const paint = (mark) => {
      grid.forEach((row, i) =>
        row.forEach((v, j) => {
          pen.fillStyle = v === null ? none : color((v - low) / (top - low));
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
      const [r, c] = at, k = m.block, v = grid[r][c];
      const range = (n, last) => (k === 1 ? `${n}` : `${n * k}-${Math.min(n * k + k, last) - 1}`);
      let text = `${mode}, ${tiers[tier]}, row ${range(r, m.shape[1])}, column ${range(c, m.shape[2])}: `;
      text += v === null ? "does not take part" : `${percent(v)} lost`;
      if (m.volts && m.volts[tier][r][c] !== null) {
        text += `; ${m.volts[tier][r][c].toPrecision(4)} V`;
        if (m.amps[tier][r][c] !== null) text += `, ${(m.amps[tier][r][c] * 1e6).toPrecision(4)} uA`;
        text += " with everything counted";
      }
      readout.textContent = text;
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
    figure.append(caption, canvas);
    return figure;
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
    words.innerHTML = [1, 0.75, 0.5, 0.25, 0]
      .map((s) => `<span>${percent(low + (top - low) * s)}</span>`)
      .join("");
    box.append(canvas, words);
    return box;
  }
  all("[data-series]").forEach((button) =>
    button.addEventListener("click", () => {
      series = button.dataset.series;
      all("[data-series]").forEach((b) => b.setAttribute("aria-pressed", b === button));
      drawMaps();
    })
  );
  const zeroButton = $("#fromzero");
  if (zeroButton) {
    zeroButton.addEventListener("click", () => {
      fromZero = !fromZero;
      zeroButton.setAttribute("aria-pressed", fromZero);
      drawMaps();
    });
  }
  drawMaps();

  // nets
  const filter = $("#netfilter");
  if (filter) {
    filter.addEventListener("input", () => {
      const word = filter.value.toLowerCase();
      all("#nettable tbody tr").forEach((row) => {
        row.hidden = !row.cells[0].textContent.toLowerCase().includes(word);
      });
    });
  }
})();
