"""Networks on disk: one .npz with a schema version, written in one step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...base.errors import FileError, NetworkError, NetworkFileError
from .archive import (
    Entry,
    pack_json,
    pack_names,
    read_archive,
    unpack_json,
    unpack_names,
    write_archive,
)
from .left_out import LeftOut
from .network import ARRAY_TYPES, CAPACITOR_TYPES, PARTING_TYPES, Network
from .sense import check_sense

FORMAT = "crossstack-network"
#: 2: with the conditions of the extraction; 3: with what it left out
VERSION = 3
#: what to do with a file of an earlier version
REMEDY = "it does not say all of how it was extracted; run crossstack extract or build again"
_NAMES = ("node_names", "layers", "nets", "port_names")
ENTRIES: dict[str, Entry] = {
    **dict.fromkeys((*_NAMES, "conditions", "left_out"), Entry(np.dtype(np.uint8))),
    "port_nodes": Entry(np.dtype(np.int32)),
    **{name: Entry(np.dtype(kind)) for name, kind in ARRAY_TYPES.items()},
}
#: of the network of a die only, of wires with pieces of several ends, and of one with capacitors
OPTIONAL: dict[str, Entry] = {
    "pads": Entry(np.dtype(np.uint8)),
    **{name: Entry(np.dtype(kind)) for name, kind in (PARTING_TYPES | CAPACITOR_TYPES).items()},
}


def save_network(network: Network, path: str | Path) -> Path:
    """Write a network; equal networks give equal bytes.

    The file is written beside its target and moved over it, so a failed run leaves an
    earlier file whole.

    Args:
        network: what to write; it is validated first.
        path: the target, by convention `network.npz`.

    Returns:
        The path written.

    Raises:
        NetworkFileError: if the folder is missing or not writable, or the network too large.
    """
    check_sense(network.validate())
    path = Path(path)
    content: dict[str, Any] = {
        "format": np.array(FORMAT),
        "version": np.array(VERSION, dtype=np.int64),
        "node_names": pack_names(network.node_names),
        "layers": pack_names(network.layers),
        "nets": pack_names(network.nets),
        "port_names": pack_names(network.ports),
        "conditions": pack_json(network.conditions),
        "left_out": pack_json(network.left_out.to_json()),
        "port_nodes": np.array(list(network.ports.values()), dtype=np.int32),
    }
    content |= {"pads": pack_names(network.pads)} if network.pads else {}
    kinds = [*ARRAY_TYPES, *(CAPACITOR_TYPES if len(network.capacitor_f) else ())]
    kinds += PARTING_TYPES if (network.resistor_parting >= 0).any() else ()
    content |= {name: getattr(network, name) for name in kinds}
    try:
        write_archive(path, content)
    except FileError as error:
        raise NetworkFileError(str(error)) from None
    return path


def load_network(path: str | Path) -> Network:
    """Read and validate a network.

    Raises:
        NetworkFileError: if the file is missing, cut off, not a network, of another schema
            version, or contradicts itself; the message names file, entry and value.
    """
    path = Path(path)
    content = read_archive(path, FORMAT, VERSION, ENTRIES, REMEDY, OPTIONAL)
    names = {name: unpack_names(f"{path}: entry {name!r}", content[name]) for name in _NAMES}
    nodes = content["port_nodes"].tolist()
    if len(nodes) != len(names["port_names"]):
        raise NetworkFileError(
            f"{path}: entry 'port_nodes' has {len(nodes)} nodes for {len(names['port_names'])} "
            "names in 'port_names'"
        )
    pads = content.get("pads")
    try:
        found = Network(
            node_names=np.array(names["node_names"], dtype=np.str_),
            layers=names["layers"],
            nets=names["nets"],
            ports=dict(zip(names["port_names"], nodes, strict=True)),
            conditions=unpack_json(f"{path}: entry 'conditions'", content["conditions"]),
            left_out=LeftOut.from_json(
                unpack_json(f"{path}: entry 'left_out'", content["left_out"])
            ),
            pads=() if pads is None else unpack_names(f"{path}: entry 'pads'", pads),
            **{name: content[name] for name in ARRAY_TYPES},
            **{name: content[name] for name in PARTING_TYPES | CAPACITOR_TYPES if name in content},
        ).validate()
        check_sense(found)
    except NetworkError as error:
        raise NetworkFileError(f"{path}: {error}") from None
    return found
