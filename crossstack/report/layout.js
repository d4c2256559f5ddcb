"use strict";
// The layout: drag, wheel and keys move and zoom it; check boxes switch its layers.
(() => {
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];

  // the view box is the only state
  const svg = $("#layoutsvg");
  if (!svg) return;
  const home = svg.getAttribute("viewBox").split(" ").map(Number);
  let view = [...home];
  const labels = all("#layer-labels g").map((g) => [g, ...g.querySelectorAll("circle, text")]);
  const show = () => {
    svg.setAttribute("viewBox", view.join(" "));
    const scale = Math.max(view[2] / svg.clientWidth, view[3] / svg.clientHeight);
    // names keep their size on the screen, but never grow into each other: what would be too
    // small to read is a dot
    for (const [name, dot, text] of labels) {
      const size = Math.min(11 * scale, Number(text.dataset.font));
      text.style.fontSize = size + "px";
      dot.setAttribute("r", 1.5 * scale);
      name.classList.toggle("small", size < 7 * scale);
    }
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
  svg.addEventListener("click", () => svg.focus({ preventScroll: true }));
  svg.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" && document.activeElement !== svg) return; // it scrolls
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
  // what is wrong: a click shows the first place, each further click the next
  all("[data-goto]").forEach((button) => {
    const places = button.dataset.goto.split(";").map((box) => box.split(" ").map(Number));
    let next = 0;
    button.addEventListener("click", () => {
      view = [...places[next]];
      const count = places.length > 1 ? `, place ${next + 1} of ${places.length}` : "";
      next = (next + 1) % places.length;
      show();
      $("#where").textContent = button.dataset.name + count;
      $("#layout").scrollIntoView();
      svg.focus({ preventScroll: true });
    });
  });
  addEventListener("resize", show);
  show();

  // layers
  const boxes = all("[data-layer]");
  const apply = (box) => {
    document.getElementById("layer-" + box.dataset.layer).style.display = box.checked ? "" : "none";
  };
  boxes.forEach((box) => box.addEventListener("change", () => apply(box)));
  // a link that asks for a layer over the layout switches it on
  all("[data-need]").forEach((link) =>
    link.addEventListener("click", () => {
      const box = boxes.find((b) => b.dataset.layer === link.dataset.need);
      if (!box) return;
      box.checked = true;
      apply(box);
    })
  );
  // the pin names stay as they are unless everything is meant
  const of = (kind) => (box) =>
    box.dataset.kind ? box.dataset.kind.split(" ").includes(kind) : box.checked;
  const choose = {
    // what lies over the layout is not a layer of it
    all: (box) => box.dataset.layer !== "limits" || box.checked,
    none: () => false,
    main: of("main"),
    module: of("module"),
    foundry: of("foundry"),
  };
  all("[data-layers]").forEach((button) =>
    button.addEventListener("click", () =>
      boxes.forEach((box) => {
        box.checked = choose[button.dataset.layers](box);
        apply(box);
      })
    )
  );
})();
