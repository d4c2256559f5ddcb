"""The finished stack as GLB, which browsers, slides and Blender open: one mesh per layer."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import klayout.db as db
import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError
from .pdk import Tech
from .pdk.solids import solids_um

#: beyond this, files take seconds to open and hundreds of MB
_MAX_BOXES = 200_000

#: corners of a box by the low (0) or high (1) end of x, y and z, four per face, outward
_FACES = np.array(
    [
        [[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]],
        [[0, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]],
        [[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 1]],
        [[0, 1, 0], [0, 0, 0], [0, 0, 1], [0, 1, 1]],
        [[1, 1, 0], [0, 1, 0], [0, 1, 1], [1, 1, 1]],
        [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]],
    ]
).reshape(24, 3)
_NORMALS = np.repeat(
    [[0, 0, 1], [0, 0, -1], [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], 4, axis=0
)
_TRIANGLES = (np.array([0, 1, 2, 0, 2, 3]) + 4 * np.arange(6)[:, None]).reshape(-1)


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
    layout = db.Layout()
    layout.read(str(path))
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
            corners = ends[:, _FACES, np.arange(3)].reshape(-1, 3)
            meshes.append((name, tech.layer(name).color, corners.astype(np.float32)))
    target.write_bytes(_pack(meshes))
    return total


def _pack(meshes: list[tuple[str, str, NDArray[np.float32]]]) -> bytes:
    """Return a GLB; glTF has y upwards, so the root turns the layout's z there."""
    root = [1.0, 0, 0, 0, 0, 0, -1.0, 0, 0, 1.0, 0, 0, 0, 0, 0, 1.0]
    gltf: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "CrossStack"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "stack", "matrix": root, "children": []}],
        "meshes": [], "materials": [], "accessors": [], "bufferViews": [], "buffers": [],
    }  # fmt: skip
    blob = b""
    for name, color, corners in meshes:
        boxes = len(corners) // 24
        normals = np.tile(_NORMALS, (boxes, 1)).astype(np.float32)
        triangles = (_TRIANGLES + 24 * np.arange(boxes)[:, None]).reshape(-1).astype(np.uint32)
        first = len(gltf["accessors"])
        for data, kind, count, buffer in (
            (corners, "VEC3", len(corners), 34962),
            (normals, "VEC3", len(normals), 34962),
            (triangles, "SCALAR", len(triangles), 34963),
        ):
            view = {
                "buffer": 0,
                "byteOffset": len(blob),
                "byteLength": data.nbytes,
                "target": buffer,
            }
            gltf["bufferViews"].append(view)
            blob += data.tobytes()
            accessor = {
                "bufferView": len(gltf["bufferViews"]) - 1,
                "componentType": 5126 if kind == "VEC3" else 5125,
                "count": count,
                "type": kind,
            }
            if data is corners:
                accessor |= {
                    "min": corners.min(axis=0).tolist(),
                    "max": corners.max(axis=0).tolist(),
                }
            gltf["accessors"].append(accessor)
        rgb = [(int(color[k : k + 2], 16) / 255) ** 2.2 for k in (1, 3, 5)]
        surface = {"baseColorFactor": [*rgb, 1.0], "metallicFactor": 0.2, "roughnessFactor": 0.6}
        gltf["materials"].append({"name": name, "pbrMetallicRoughness": surface})
        primitive = {
            "attributes": {"POSITION": first, "NORMAL": first + 1},
            "indices": first + 2,
            "material": len(gltf["materials"]) - 1,
        }
        gltf["meshes"].append({"name": name, "primitives": [primitive]})
        gltf["nodes"].append({"name": name, "mesh": len(gltf["meshes"]) - 1})
        gltf["nodes"][0]["children"].append(len(gltf["nodes"]) - 1)
    gltf["buffers"] = [{"byteLength": len(blob)}]
    text = json.dumps(gltf, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(blob))
    return (
        head
        + struct.pack("<I4s", len(text), b"JSON")
        + text
        + struct.pack("<I4s", len(blob), b"BIN\0")
        + blob
    )
