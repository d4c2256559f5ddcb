"use strict";
// One cell of the stack, turned by hand. Boxes only, so a few lines of WebGL do.
(() => {
  const canvas = document.getElementById("stackview");
  if (!canvas) return;
  const layers = JSON.parse(document.getElementById("stackdata").textContent).layers;
  const gl = canvas.getContext("webgl", { antialias: true, preserveDrawingBuffer: true });
  if (!gl) {
    canvas.replaceWith("This browser has no WebGL; the cross-section above shows the same films.");
    return;
  }

  const vertexSource = `
    attribute vec3 at; attribute vec3 normal; attribute vec3 tint;
    uniform mat3 turn; uniform vec3 scale; uniform vec3 centre; uniform vec2 shift; varying vec3 color;
    void main() {
      vec3 p = turn * (at - centre);
      float light = 0.62 + 0.38 * max(dot(turn * normal, normalize(vec3(0.35, 0.55, 0.75))), 0.0);
      color = tint * light;
      gl_Position = vec4(p.xy * scale.xy + shift, -p.z * scale.z, 1.0);
    }`;
  const fragmentSource = "precision mediump float; varying vec3 color; void main() { gl_FragColor = vec4(color, 1.0); }";
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertexSource], [gl.FRAGMENT_SHADER, fragmentSource]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);

  // faces as (normal, four corners); a corner picks the low (0) or high (1) end of x, y, z
  const faces = [
    [[0, 0, 1], [[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]]],
    [[0, 0, -1], [[0, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]]],
    [[1, 0, 0], [[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 1]]],
    [[-1, 0, 0], [[0, 1, 0], [0, 0, 0], [0, 0, 1], [0, 1, 1]]],
    [[0, 1, 0], [[1, 1, 0], [0, 1, 0], [0, 1, 1], [1, 1, 1]]],
    [[0, -1, 0], [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]]],
  ];
  const hexToTint = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16) / 255);
  const parts = layers.map(([name, hex, numbers]) => {
    const tint = hexToTint(hex), data = [];
    const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
    for (let k = 0; k < numbers.length; k += 6) {
      const ends = [numbers.slice(k, k + 3), numbers.slice(k + 3, k + 6)];
      for (let axis = 0; axis < 3; axis++) {
        low[axis] = Math.min(low[axis], ends[0][axis]);
        high[axis] = Math.max(high[axis], ends[1][axis]);
      }
      for (const [normal, corners] of faces) {
        for (const c of [0, 1, 2, 0, 2, 3]) {
          data.push(...[0, 1, 2].map((axis) => ends[corners[c][axis]][axis]), ...normal, ...tint);
        }
      }
    }
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(data), gl.STATIC_DRAW);
    return { name, buffer, low, high, count: data.length / 9 };
  });

  const home = { yaw: -0.6, pitch: -1.12, zoom: 1, shift: [0, 0] };
  let { yaw, pitch, zoom, shift } = home;
  // all of the cell, until someone switches a layer of the layout
  let touched = false;
  const hidden = (name) => {
    if (!touched) return false;
    const box = document.querySelector(`[data-layer="${name}"]`);
    return box && !box.checked;
  };
  // the middle of what is shown, and how far its corners lie from it
  function bounds(shown) {
    const end = (pick, key) => [0, 1, 2].map((axis) => pick(...shown.map((part) => part[key][axis])));
    const low = end(Math.min, "low"), high = end(Math.max, "high");
    const centre = low.map((v, axis) => (v + high[axis]) / 2);
    return { centre, reach: Math.max(1, Math.hypot(...high.map((v, axis) => v - centre[axis]))) };
  }
  function draw() {
    const shown = parts.filter((part) => !hidden(part.name));
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
    // turn about the vertical axis of the stack, then tip towards the reader; column-major
    const turn = [cy, cp * sy, sp * sy, -sy, cp * cy, sp * cy, 0, -sp, cp];
    gl.uniformMatrix3fv(gl.getUniformLocation(program, "turn"), false, turn);
    const { centre, reach } = bounds(shown.length ? shown : parts);
    const size = (zoom * 0.98) / reach;
    const flat = canvas.height / canvas.width;
    gl.uniform3f(gl.getUniformLocation(program, "scale"), size * Math.min(flat, 1), size * Math.min(1, 1 / flat), 0.5 / reach);
    gl.uniform3fv(gl.getUniformLocation(program, "centre"), centre);
    gl.uniform2fv(gl.getUniformLocation(program, "shift"), shift);
    for (const part of shown) {
      gl.bindBuffer(gl.ARRAY_BUFFER, part.buffer);
      ["at", "normal", "tint"].forEach((name, k) => {
        const where = gl.getAttribLocation(program, name);
        gl.enableVertexAttribArray(where);
        gl.vertexAttribPointer(where, 3, gl.FLOAT, false, 36, 12 * k);
      });
      gl.drawArrays(gl.TRIANGLES, 0, part.count);
    }
    canvas.dataset.drawn = [yaw, pitch, zoom, ...shift].map((v) => v.toFixed(2)).join(" ");
    canvas.dataset.centre = centre.join(" ");
  }
  const turnBy = (dx, dy) => {
    yaw += dx;
    pitch = Math.min(0, Math.max(-Math.PI / 2, pitch + dy));
    draw();
  };
  const moveBy = (dx, dy) => {
    shift = [shift[0] + dx, shift[1] + dy];
    draw();
  };
  // what lies at a point of the picture, -1 .. 1 from its middle, stays there
  const zoomBy = (factor, at = [0, 0]) => {
    const f = Math.min(Math.max(zoom * factor, 0.5), 40) / zoom;
    zoom *= f;
    shift = shift.map((v, k) => at[k] - (at[k] - v) * f);
    draw();
  };
  const reset = () => {
    ({ yaw, pitch, zoom, shift } = home);
    draw();
  };
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * 2 - 1, 1 - ((event.clientY - box.top) / box.height) * 2];
  };
  let grabbed = null;
  canvas.addEventListener("click", () => canvas.focus({ preventScroll: true }));
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" && document.activeElement !== canvas) return; // it scrolls
    grabbed = place(event);
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!grabbed) return;
    const now = place(event);
    const [dx, dy] = [now[0] - grabbed[0], now[1] - grabbed[1]];
    grabbed = now;
    if (event.shiftKey) moveBy(dx, dy);
    else turnBy((dx * canvas.clientWidth) / 240, (-dy * canvas.clientHeight) / 240);
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (grabbed = null));
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey) return;
    event.preventDefault();
    zoomBy(event.deltaY > 0 ? 1 / 1.15 : 1.15, place(event));
  }, { passive: false });
  const arrow = (x, y) => (event) => (event.shiftKey ? moveBy(0.1 * x, 0.1 * y) : turnBy(0.15 * x, 0.12 * y));
  const keys = {
    ArrowLeft: arrow(-1, 0),
    ArrowRight: arrow(1, 0),
    ArrowUp: arrow(0, 1),
    ArrowDown: arrow(0, -1),
    "+": () => zoomBy(1.2),
    "=": () => zoomBy(1.2),
    "-": () => zoomBy(1 / 1.2),
    0: reset,
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key](event);
  });
  const follow = () => {
    touched = true;
    draw();
  };
  document.addEventListener("change", follow);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-layers]")) follow();
  });
  // unfolded, it has a size at last
  document.addEventListener("toggle", draw, true);
  addEventListener("resize", draw);
  draw();
})();
