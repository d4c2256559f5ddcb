"""The scan chain of a macro as a build leaves it: which nets its bits drive, and in what order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base import names
from .base.errors import ConfigError
from .base.files import read_json

if TYPE_CHECKING:
    from .solve.modes.address import Chain

#: file of a build
FILE = "scan.json"


def chain_value(nets: tuple[str, ...]) -> dict[str, Any]:
    """Return what the file holds: pins, and the nets of the bits from the data input on."""
    return {"pins": list(names.SCAN_PINS), "chain": list(nets)}


def chain_beside(network: Path) -> Chain:
    """Read the chain of the build whose folder, or whose network, is given.

    Raises:
        ConfigError: if there is none, or the file does not say what it should.
    """
    from .solve.modes.address import Chain

    path = (network if network.is_dir() else network.parent) / FILE
    if not path.is_file():
        raise ConfigError(
            f"--address needs {FILE} beside the network, as the build of a macro with "
            f"periphery: scan leaves it; {path.parent} holds none"
        )
    nets = read_json(path).get("chain")
    if not (isinstance(nets, list) and nets and all(isinstance(net, str) for net in nets)):
        raise ConfigError(f"{path}: chain is {nets!r}, allowed: a list of names of nets")
    return Chain(tuple(nets))


def check_address(address: int, cols: int) -> int:
    """Return an address that a macro has.

    Raises:
        ConfigError: for any other.
    """
    if not 0 <= address < cols:
        raise ConfigError(f"--address is {address}, allowed 0..{cols - 1}")
    return address
