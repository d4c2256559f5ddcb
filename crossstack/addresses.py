"""The scan chain of a macro as a build leaves it: which nets its bits drive, and in what order."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base import names
from .base.errors import ConfigError, CrossStackError, FileError, shortened
from .base.files import MANIFEST, read_json, sha256

if TYPE_CHECKING:
    from .solve.modes.address import Chain

_LOG = logging.getLogger(__name__)
#: file of a build
FILE = "scan.json"


def chain_value(nets: tuple[str, ...]) -> dict[str, Any]:
    """Return what the file holds: pins, and the nets of the bits from the data input on."""
    return {"pins": list(names.SCAN_PINS), "chain": list(nets)}


def chain_beside(network: Path) -> Chain:
    """Read the chain of the build whose folder, or whose network, is given.

    Raises:
        ConfigError: if there is none.
        FileError: if the file does not say what it should, or is not the one that the build left:
            bits in another order would be those of another address.
    """
    from .solve.modes.address import Chain

    path = (network if network.is_dir() else network.parent) / FILE
    if not path.is_file():
        raise ConfigError(
            f"--address needs {FILE} beside the network, as the build of a macro with "
            f"periphery: scan leaves it; {path.parent} holds none"
        )
    value = read_json(path)
    nets = value.get("chain") if isinstance(value, dict) else None
    if not (isinstance(nets, list) and nets and all(isinstance(net, str) for net in nets)):
        raise FileError(f"{path}: chain is {shortened(nets)}, allowed: a list of names of nets")
    _check_left(path)
    try:
        return Chain(tuple(nets))
    except CrossStackError as error:
        raise FileError(f"{path}: {error}") from None


def _check_left(path: Path) -> None:
    """Refuse a file that the manifest beside it lists otherwise; say so where none lists it.

    Raises:
        FileError: naming the file.
    """
    manifest = path.with_name(MANIFEST)
    value = read_json(manifest) if manifest.is_file() else None
    sums = value.get("files") if isinstance(value, dict) else None
    if not isinstance(sums, dict) or FILE not in sums:
        _LOG.warning("%s: no manifest lists it; taken for the chain of what lies beside it", path)
    elif sums[FILE] != sha256(path):
        raise FileError(f"{path} is not the one that the build left: build again")


def check_address(address: int, cols: int) -> int:
    """Return an address that a macro has.

    Raises:
        ConfigError: for any other.
    """
    if not 0 <= address < cols:
        raise ConfigError(f"--address is {address}, allowed 0..{cols - 1}")
    return address
