"""The finished stack as GLB, which browsers, slides and Blender open: one mesh per layer."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import klayout.db as db
import numpy as np
from numpy.typing import NDArray

from .base.errors import ConfigError
from .base.layout import read_layout
from .base.outputs import one_step
from .pdk import Tech
from .pdk.solids import solids_um

#: beyond this, files take seconds to open and hundreds of MB
_MAX_BOXES = 200_000

#: what a part of the data is for, in glTF's numbers
_VERTICES, _INDICES = 34962, 34963
#: boxes whose corners 16-bit numbers can count; the last number is reserved
_PER_PRIMITIVE = 65_535 // 8

#: corners of a box by the low (0) or high (1) end of x, y and z
_CORNERS = np.array([[k & 1, k >> 1 & 1, k >> 2] for k in range(8)])
#: two triangles a face, anticlockwise from outside
_TRIANGLES = np.array(
    [
        *(4, 5, 7, 4, 7, 6),  # top
        *(2, 3, 1, 2, 1, 0),  # bottom
        *(1, 3, 7, 1, 7, 5),  # east
        *(2, 0, 4, 2, 4, 6),  # west
        *(3, 2, 6, 3, 6, 7),  # north
        *(0, 1, 5, 0, 5, 4),  # south
    ]
)


def write_glb(path: Path, tech: Tech, target: Path, stretch: float = 1.0) -> int:
    """Write the drawn layers of a layout as boxes at their true heights; returns their number.

    Args:
        path: layout file.
        tech: films and layers.
        target: GLB file.
        stretch: factor on all heights.

    Raises:
        ConfigError: if the layout is too large for one file.
    """
    layout = read_layout(path)
    meshes: list[tuple[str, str, NDArray[np.float32]]] = []
    total = 0
    for name, (low, high) in solids_um(tech).items():
        index = layout.find_layer(*tech.gds(name))
        if index is None:
            continue
        region = db.Region(layout.top_cell().begin_shapes_rec(index)).merged()
        pieces = [p.bbox() for p in region.decompose_trapezoids_to_region().each()]
        total += len(pieces)
        if total > _MAX_BOXES:
            raise ConfigError(f"{path} has more than {_MAX_BOXES} boxes; draw a smaller array")
        if pieces:
            flat = np.array([(b.left, b.bottom, b.right, b.top) for b in pieces]) * layout.dbu
            heights = np.tile([low * stretch, high * stretch], (len(flat), 1))
            ends = np.stack(
                [
                    np.column_stack([flat[:, :2], heights[:, 0]]),
                    np.column_stack([flat[:, 2:], heights[:, 1]]),
                ],
                axis=1,
            )
            corners = ends[:, _CORNERS, np.arange(3)].reshape(-1, 3)
            meshes.append((name, tech.layer(name).color, corners.astype(np.float32)))
    with one_step(target) as work:
        work.write_bytes(_pack(meshes, stretch))
    return total


def scale_text(stretch: float) -> str:
    """Say what a metre of the file is: glTF knows no other unit, and viewers no smaller one."""
    return "1 m in it is 1 um" + (f", heights x {stretch:g}" if stretch != 1 else "")


def _pack(meshes: list[tuple[str, str, NDArray[np.float32]]], stretch: float) -> bytes:
    """Return a GLB; glTF has y upwards, so the root turns the layout's z there.

    Boxes have eight corners each and no normals, which makes viewers shade faces flat. What joins
    corners to triangles is alike for all of them and stands in the file once.
    """
    root = [1.0, 0, 0, 0, 0, 0, -1.0, 0, 0, 1.0, 0, 0, 0, 0, 0, 1.0]
    most = min(_PER_PRIMITIVE, max((len(corners) // 8 for _, _, corners in meshes), default=0))
    triangles = (_TRIANGLES + 8 * np.arange(most)[:, None]).reshape(-1).astype(np.uint16)
    gltf: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "CrossStack",
                  "extras": {"unit": scale_text(stretch)}},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "stack", "matrix": root, "children": []}],
        "meshes": [], "materials": [], "accessors": [], "bufferViews": [], "buffers": [],
    }  # fmt: skip
    blob = [triangles.tobytes()]
    _view(gltf, blob[0], 0, _INDICES)
    for name, color, corners in meshes:
        place = sum(map(len, blob))
        _view(gltf, corners.tobytes(), place, _VERTICES)
        blob.append(corners.tobytes())
        rgb = [(int(color[k : k + 2], 16) / 255) ** 2.2 for k in (1, 3, 5)]
        surface = {"baseColorFactor": [*rgb, 1.0], "metallicFactor": 0.2, "roughnessFactor": 0.6}
        gltf["materials"].append({"name": name, "pbrMetallicRoughness": surface})
        step = 8 * _PER_PRIMITIVE
        pieces = [corners[k : k + step] for k in range(0, len(corners), step)]
        primitives = [_primitive(gltf, piece, k * step) for k, piece in enumerate(pieces)]
        gltf["meshes"].append({"name": name, "primitives": primitives})
        gltf["nodes"].append({"name": name, "mesh": len(gltf["meshes"]) - 1})
        gltf["nodes"][0]["children"].append(len(gltf["nodes"]) - 1)
    return _container(gltf, b"".join(blob))


def _view(gltf: dict[str, Any], data: bytes, offset: int, target: int) -> None:
    view = {"buffer": 0, "byteOffset": offset, "byteLength": len(data), "target": target}
    if target == _VERTICES:  # several primitives may read the same view
        view["byteStride"] = 12
    gltf["bufferViews"].append(view)


def _primitive(gltf: dict[str, Any], corners: NDArray[np.float32], skipped: int) -> dict[str, Any]:
    """Add the accessors of some boxes of the newest layer; `skipped` corners come before them."""
    first = len(gltf["accessors"])
    gltf["accessors"] += [
        {
            "bufferView": len(gltf["bufferViews"]) - 1,
            "byteOffset": 12 * skipped,
            "componentType": 5126,
            "count": len(corners),
            "type": "VEC3",
            "min": corners.min(axis=0).tolist(),
            "max": corners.max(axis=0).tolist(),
        },
        {
            "bufferView": 0,
            "componentType": 5123,
            "count": len(corners) // 8 * _TRIANGLES.size,
            "type": "SCALAR",
        },
    ]
    return {
        "attributes": {"POSITION": first},
        "indices": first + 1,
        "material": len(gltf["materials"]) - 1,
    }


def _container(gltf: dict[str, Any], blob: bytes) -> bytes:
    """Return header, JSON and data as one GLB."""
    blob += b"\0" * (-len(blob) % 4)
    gltf["buffers"] = [{"byteLength": len(blob)}]
    text = json.dumps(gltf, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(blob))
    return (
        head
        + struct.pack("<I4s", len(text), b"JSON")
        + text
        + struct.pack("<I4s", len(blob), b"BIN\0")
        + blob
    )
