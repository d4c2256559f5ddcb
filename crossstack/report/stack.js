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
    uniform mat3 turn; uniform vec3 scale; varying vec3 color;
    void main() {
      vec3 p = turn * at;
      float light = 0.62 + 0.38 * max(dot(turn * normal, normalize(vec3(0.35, 0.55, 0.75))), 0.0);
      color = tint * light;
      gl_Position = vec4(p.xy * scale.xy, -p.z * scale.z, 1.0);
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
  let reach = 1;
  const parts = layers.map(([name, hex, numbers]) => {
    const tint = hexToTint(hex), data = [];
    for (let k = 0; k < numbers.length; k += 6) {
      const ends = [numbers.slice(k, k + 3), numbers.slice(k + 3, k + 6)];
      reach = Math.max(reach, Math.hypot(...ends[0]), Math.hypot(...ends[1]));
      for (const [normal, corners] of faces) {
        for (const c of [0, 1, 2, 0, 2, 3]) {
          data.push(...[0, 1, 2].map((axis) => ends[corners[c][axis]][axis]), ...normal, ...tint);
        }
      }
    }
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(data), gl.STATIC_DRAW);
    return { name, buffer, count: data.length / 9 };
  });

  let yaw = -0.6, pitch = -1.12, zoom = 1;
  const hidden = (name) => {
    const box = document.querySelector(`[data-layer="${name}"]`);
    return box && !box.checked;
  };
  function draw() {
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
    const size = (zoom * 0.98) / reach;
    const flat = canvas.height / canvas.width;
    gl.uniform3f(gl.getUniformLocation(program, "scale"), size * Math.min(flat, 1), size * Math.min(1, 1 / flat), 0.5 / reach);
    for (const part of parts) {
      if (hidden(part.name)) continue;
      gl.bindBuffer(gl.ARRAY_BUFFER, part.buffer);
      ["at", "normal", "tint"].forEach((name, k) => {
        const where = gl.getAttribLocation(program, name);
        gl.enableVertexAttribArray(where);
        gl.vertexAttribPointer(where, 3, gl.FLOAT, false, 36, 12 * k);
      });
      gl.drawArrays(gl.TRIANGLES, 0, part.count);
    }
    canvas.dataset.drawn = `${yaw.toFixed(2)} ${pitch.toFixed(2)} ${zoom.toFixed(2)}`;
  }
  const turnBy = (dx, dy) => {
    yaw += dx;
    pitch = Math.min(0, Math.max(-Math.PI / 2, pitch + dy));
    draw();
  };
  const zoomBy = (factor) => {
    zoom = Math.min(Math.max(zoom * factor, 0.5), 12);
    draw();
  };
  let grabbed = false;
  canvas.addEventListener("pointerdown", (event) => {
    grabbed = true;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (grabbed) turnBy(event.movementX / 120, event.movementY / 120);
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (grabbed = false));
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey) return;
    event.preventDefault();
    zoomBy(event.deltaY > 0 ? 1 / 1.15 : 1.15);
  }, { passive: false });
  const keys = {
    ArrowLeft: () => turnBy(-0.15, 0),
    ArrowRight: () => turnBy(0.15, 0),
    ArrowUp: () => turnBy(0, 0.12),
    ArrowDown: () => turnBy(0, -0.12),
    "+": () => zoomBy(1.2),
    "=": () => zoomBy(1.2),
    "-": () => zoomBy(1 / 1.2),
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.addEventListener("change", draw);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-layers]")) draw();
  });
  addEventListener("resize", draw);
  draw();
})();
