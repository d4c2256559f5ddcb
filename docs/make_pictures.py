"""Draw the pictures of the pages: `python docs/make_pictures.py`.

Layouts, cross-sections and stacks come from what `crossstack view` uses, IR-drop maps from
`crossstack build`; the report is a browser's view of the demo's (left as it is without a browser).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crossstack.base.files import write_layout
from crossstack.cells import alone, draw_cell, to_layout
from crossstack.glb import write_glb
from crossstack.pdk import get_tech

HERE = Path(__file__).resolve().parent / "pictures"
#: what `make demo` builds, whose page the tutorial looks at
DEMO = HERE.parents[1] / "examples" / "demo.yaml"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NAME = "crossstack_10x10x2"
CHIP = "crossstack_testchip_10x10x2"
#: films of 10 to 100 nm beside metals of 1 um: heights are stretched to be seen
STRETCH = 1.6
BACKGROUND = (255, 255, 255)
#: brightness of faces that look up, west and south
LIGHT = {2: 1.0, 0: 0.62, 1: 0.8}


def crossstack(*arguments: object) -> None:
    """Run the command line."""
    program = [sys.executable, "-c", "from crossstack.cli import main; main()"]
    subprocess.run([*program, *map(str, arguments), "--quiet"], check=True)


def boxes(glb: Path) -> Iterator[tuple[NDArray[np.float64], tuple[int, int, int]]]:
    """Yield (n, 2, 3) ends of the boxes and the colour of each layer of a GLB, in um."""
    raw = glb.read_bytes()
    size = int.from_bytes(raw[12:16], "little")
    gltf, blob = json.loads(raw[20 : 20 + size]), raw[28 + size :]
    for mesh, material in zip(gltf["meshes"], gltf["materials"], strict=True):
        place = gltf["accessors"][mesh["primitives"][0]["attributes"]["POSITION"]]
        view = gltf["bufferViews"][place["bufferView"]]
        flat = np.frombuffer(blob, np.float32, view["byteLength"] // 4, view["byteOffset"])
        corners = flat.reshape(-1, 8, 3).astype(float)
        ends = np.stack([corners.min(axis=1), corners.max(axis=1)], axis=1)
        rgb = material["pbrMetallicRoughness"]["baseColorFactor"][:3]
        yield ends, tuple(round(255 * c ** (1 / 2.2)) for c in rgb)  # type: ignore[misc]


class View:
    """An orthographic view from the south-west and above, drawn face by face with a depth buffer.

    Args:
        low, high: corners of what is to be seen, um.
        width: of the picture in pixels.
        turn, rise: degrees about the vertical, and above the horizon.
    """

    def __init__(self, low: NDArray[np.float64], high: NDArray[np.float64], width: int,
                 turn: float = 32.0, rise: float = 30.0) -> None:  # fmt: skip
        a, b = np.radians(turn), np.radians(rise)
        #: rows: right, up and towards the viewer
        self.axes = np.array([
            [np.cos(a), -np.sin(a), 0],
            [np.sin(a) * np.sin(b), np.cos(a) * np.sin(b), np.cos(b)],
            [-np.sin(a) * np.cos(b), -np.cos(a) * np.cos(b), np.sin(b)],
        ])  # fmt: skip
        corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T
        seen = corners @ self.axes.T
        span = np.ptp(seen[:, :2], axis=0)
        self.scale = 0.96 * width / span[0]
        height = round(span[1] * self.scale + 0.04 * width)
        middle = (seen[:, :2].max(axis=0) + seen[:, :2].min(axis=0)) / 2
        self.offset = np.array([width / 2, height / 2]) - middle * self.scale
        self.depth = np.full((height, width), -np.inf)
        self.image = np.full((height, width, 3), BACKGROUND, dtype=np.uint8)

    def box(self, ends: NDArray[np.float64], color: tuple[int, int, int]) -> None:
        """Draw the three faces of a box that can be seen: up, west and south."""
        low, high = ends
        for axis, side in ((2, high), (0, low), (1, low)):
            first, second = (k for k in range(3) if k != axis)
            corner = low.copy()
            corner[axis] = side[axis]
            u, v = np.zeros(3), np.zeros(3)
            u[first], v[second] = high[first] - low[first], high[second] - low[second]
            shade = tuple(round(c * LIGHT[axis]) for c in color)
            self._face(self.axes @ corner, self.axes @ u, self.axes @ v, shade)

    def _face(self, corner: NDArray[np.float64], u: NDArray[np.float64], v: NDArray[np.float64],
              color: tuple[int, ...]) -> None:  # fmt: skip
        """Fill the parallelogram corner + s u + t v, 0 <= s, t <= 1, where it is nearest."""
        at = corner[:2] * self.scale + self.offset
        edges = np.column_stack([u[:2], v[:2]]) * self.scale
        area = edges[0, 0] * edges[1, 1] - edges[0, 1] * edges[1, 0]
        if abs(area) < 1e-9:
            return
        points = at + np.array([[0, 0], edges[:, 0], edges[:, 1], edges.sum(axis=1)])
        height, width = self.depth.shape
        x1, y1 = np.maximum(np.floor(points.min(axis=0)), 0).astype(int)
        x2, y2 = np.minimum(np.ceil(points.max(axis=0)) + 1, (width, height)).astype(int)
        if x1 >= x2 or y1 >= y2:
            return
        x, y = np.meshgrid(np.arange(x1, x2) + 0.5 - at[0], np.arange(y1, y2) + 0.5 - at[1])
        s = (x * edges[1, 1] - y * edges[0, 1]) / area
        t = (y * edges[0, 0] - x * edges[1, 0]) / area
        near = corner[2] + s * u[2] + t * v[2]
        depth = self.depth[y1:y2, x1:x2]
        shown = (s >= 0) & (s <= 1) & (t >= 0) & (t <= 1) & (near > depth)
        depth[shown] = near[shown]
        self.image[y1:y2, x1:x2][shown] = color

    def save(self, target: Path, smooth: int) -> None:
        """Write the picture, made `smooth` times smaller so that edges are even."""
        picture = Image.fromarray(self.image[::-1])
        picture = picture.resize((picture.width // smooth, picture.height // smooth), Image.BOX)
        save(picture, target)


def save(picture: Image.Image, target: Path, colors: int = 128) -> None:
    """Write a PNG of few colours: drawings need no more, and files stay small."""
    plain = picture.convert("RGB").quantize(colors, kmeans=3, dither=Image.Dither.NONE)
    plain.save(target, optimize=True)


def stack_picture(layout: Path, target: Path, width: int = 1000, smooth: int = 3) -> None:
    """Draw the finished stack of a layout in three dimensions."""
    with tempfile.TemporaryDirectory() as folder:
        glb = Path(folder) / "stack.glb"
        write_glb(layout, get_tech(), glb, STRETCH)
        layers = [(ends, color) for ends, color in boxes(glb) if len(ends)]
    every = np.concatenate([ends for ends, _ in layers])
    view = View(every[:, 0].min(axis=0), every[:, 1].max(axis=0), width * smooth)
    for ends, color in layers:
        for one in ends:
            view.box(one, color)
    view.save(target, smooth)


def report_picture(page: Path, target: Path, folder: Path) -> bool:
    """Take a picture of a page in a browser; returns whether there is one."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        return False
    shot = folder / "shot.png"
    subprocess.run(
        [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         f"--user-data-dir={folder / 'profile'}", "--window-size=1200,2080",
         "--virtual-time-budget=3000", f"--screenshot={shot}", page.resolve().as_uri()],
        check=True, capture_output=True,
    )  # fmt: skip
    with Image.open(shot) as picture:
        high = round(1000 * picture.height / picture.width)
        # maps blend their colours: fewer would draw steps that are none
        save(picture.resize((1000, high), Image.LANCZOS), target, colors=256)
    return True


def main() -> None:
    """Draw every picture."""
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        crossstack("build", "--rows", 10, "--cols", 10, "-o", folder)
        crossstack("build", "--rows", 10, "--cols", 10, "--top", "testchip", "-o", folder)
        array = folder / NAME
        section = ("view", array, "--cross-section", "auto", "-o", HERE / "section.svg")
        crossstack(*section)
        for source, picture in ((array, "layout.png"), (folder / CHIP, "testchip.png")):
            crossstack("view", source, "--png", "--size", 1000, "-o", folder / picture)
            with Image.open(folder / picture) as drawn:
                save(drawn, HERE / picture)
        for mode in ("expansion", "deep-net"):
            shutil.copyfile(array / f"ir_drop_{mode}.svg", HERE / f"ir_drop_{mode}.svg")
        stack_picture(array / f"{NAME}.gds", HERE / "stack.png")
        tech, cell = get_tech(), folder / "cell.gds"
        write_layout(to_layout(alone(draw_cell("hybrid_cell", tech), tech), tech), cell)
        stack_picture(cell, HERE / "cell.png", 700)
        crossstack("build", DEMO, "--name", "demo", "-o", folder)
        if not report_picture(folder / "demo" / "report.html", HERE / "report.png", folder):
            print("no browser: report.png stays as it is", file=sys.stderr)


if __name__ == "__main__":
    main()
