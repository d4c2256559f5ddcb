"""Networks on disk: one .npz with a schema version, written in one step."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import FileError, NetworkFileError
from ..base.outputs import one_step
from .network import ARRAY_TYPES, Network

FORMAT = "crossstack-network"
VERSION = 1


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
        NetworkFileError: if the folder is missing or not writable.
    """
    network.validate()
    path = Path(path)
    content: dict[str, Any] = {
        "format": np.array(FORMAT),
        "version": np.array(VERSION),
        "node_names": _pack(network.node_names),
        "layers": _pack(network.layers),
        "nets": _pack(network.nets),
        "port_names": _pack(network.ports),
        "port_nodes": np.array(list(network.ports.values()), dtype=np.int32),
    }
    content |= {name: getattr(network, name) for name in ARRAY_TYPES}
    try:
        write_archive(path, content)
    except FileError as error:
        raise NetworkFileError(str(error)) from None
    return path


def write_archive(path: Path, content: Mapping[str, Any]) -> None:
    """Write an .npz in one step.

    Raises:
        FileError: if it cannot be written.
    """
    with one_step(path) as work, work.open("wb") as stream:
        np.savez_compressed(stream, **content)


def load_network(path: str | Path) -> Network:
    """Read and validate a network.

    Raises:
        NetworkFileError: if the file is missing, truncated, not a network, or of another
            schema version; the message says which.
        NetworkError: if the content contradicts itself.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            _check_header(path, archive)
            arrays = {name: archive[name] for name in ARRAY_TYPES}
            names = {k: _unpack(archive[k]) for k in ("node_names", "layers", "nets", "port_names")}
            nodes = archive["port_nodes"]
    except FileNotFoundError:
        raise NetworkFileError(f"no network file at {path}") from None
    except KeyError as error:
        raise NetworkFileError(f"{path} is an incomplete network file: {error.args[0]}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, TypeError) as error:
        if isinstance(error, NetworkFileError):
            raise
        # numpy would tell a person to load what it takes for a pickle "unsafely"
        reason = "no .npz file" if "pickle" in str(error) else error
        raise NetworkFileError(f"{path} is not a readable network file ({reason})") from None
    return Network(
        node_names=np.array(names["node_names"], dtype=np.str_),
        layers=names["layers"],
        nets=names["nets"],
        ports=dict(zip(names["port_names"], nodes.tolist(), strict=True)),
        **arrays,
    ).validate()


def _check_header(path: Path, archive: np.lib.npyio.NpzFile) -> None:
    if not hasattr(archive, "files") or "format" not in archive.files:
        raise NetworkFileError(f"{path} is not a network file: it has no 'format' entry")
    if str(archive["format"]) != FORMAT:
        raise NetworkFileError(f"{path} holds {str(archive['format'])!r}, expected {FORMAT!r}")
    version = int(archive["version"])
    if version != VERSION:
        raise NetworkFileError(f"{path} has network schema {version}, this reads {VERSION}")


def _pack(names: Iterable[str]) -> NDArray[np.uint8]:
    """Names as UTF-8 lines: a tenth of the size of a fixed-width array, and no pickle."""
    names = [str(n) for n in names]
    for name in names:
        if "\n" in name:
            raise NetworkFileError(f"name {name!r} contains a line break")
    return np.frombuffer("\n".join([*names, ""]).encode(), dtype=np.uint8)


def _unpack(packed: NDArray[np.uint8]) -> tuple[str, ...]:
    return tuple(packed.tobytes().decode().split("\n")[:-1])
