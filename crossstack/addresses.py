"""Logic on board of a macro as a build leaves it: nets of a scan chain, or codes of a decoder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base import names
from .base.errors import ConfigError, CrossStackError, FileError, shortened
from .base.files import MANIFEST, read_json, sha256

if TYPE_CHECKING:
    from .generators import Array
    from .solve.modes.address import Chain
    from .solve.modes.decoder import Decoder

_LOG = logging.getLogger(__name__)
#: files of a build
CHAIN, DECODER = FILES = ("scan.json", "decoder.json")


def values_of(array: Array) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the contents of the file that tells a macro's logic on board, if any."""
    from .solve.modes.decoder import Decoder

    if array.chain:
        yield CHAIN, chain_value(array.chain)
    if array.decoded:
        yield DECODER, Decoder(array.spec.cols, array.decoded).to_json()


def chain_value(nets: tuple[str, ...]) -> dict[str, Any]:
    """Return what a chain's file holds: pins, and the nets of the bits from the data input on."""
    from .solve.modes.address import Chain

    return {"pins": [*Chain(nets).pins, names.SCAN_PINS[-1]], "chain": list(nets)}


def addressing_beside(network: Path) -> Chain | Decoder:
    """Read the logic on board of the build whose folder, or whose network, is given.

    Raises:
        ConfigError: if there is none.
        FileError: if the file does not say what it should, or is not the one that the build left:
            bits in another order would be those of another address.
    """
    folder = network if network.is_dir() else network.parent
    there = [folder / name for name in FILES if (folder / name).is_file()]
    if not there:
        raise ConfigError(
            f"--address needs {CHAIN} or {DECODER} beside the network, as the build of a macro "
            f"with periphery: scan or decoder leaves it; {folder} holds none"
        )
    if len(there) > 1:
        raise FileError(f"{folder} holds {' and '.join(FILES)}, of two builds: keep that of one")
    path = there[0]
    value = read_json(path)
    value = value if isinstance(value, dict) else {}
    try:
        return _decoder(path, value) if path.name == DECODER else _chain(path, value)
    except CrossStackError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path}: {error}") from None


def _chain(path: Path, value: dict[str, Any]) -> Chain:
    from .solve.modes.address import Chain

    nets = _nets(path, value, "chain")
    _check_left(path)
    return Chain(nets)


def _decoder(path: Path, value: dict[str, Any]) -> Decoder:
    from .pdk.ranges import MAX_LINES
    from .solve.modes.decoder import Decoder

    nets, cols = _nets(path, value, "nets"), value.get("columns")
    if isinstance(cols, bool) or not isinstance(cols, int) or not 1 <= cols <= MAX_LINES:
        allowed = f"a whole number from 1 to {MAX_LINES}"
        raise FileError(f"{path}: columns is {shortened(cols)}, allowed: {allowed}")
    _check_left(path)
    found = Decoder(cols, nets)
    # what a user reads there is what is solved
    if any(value.get(key) != told for key, told in found.to_json().items()):
        raise FileError(f"{path}: its codes are not those of a decoder of {cols} columns")
    return found


def _nets(path: Path, value: dict[str, Any], key: str) -> tuple[str, ...]:
    nets = value.get(key)
    if not (isinstance(nets, list) and nets and all(isinstance(net, str) for net in nets)):
        raise FileError(f"{path}: {key} is {shortened(nets)}, allowed: a list of names of nets")
    return tuple(nets)


def _check_left(path: Path) -> None:
    """Refuse a file that the manifest beside it lists otherwise; say so where none lists it.

    Raises:
        FileError: naming the file.
    """
    manifest = path.with_name(MANIFEST)
    value = read_json(manifest) if manifest.is_file() else None
    sums = value.get("files") if isinstance(value, dict) else None
    if not isinstance(sums, dict) or path.name not in sums:
        _LOG.warning("%s: no manifest lists it; taken for that of what lies beside it", path)
    elif sums[path.name] != sha256(path):
        raise FileError(f"{path} is not the one that the build left: build again")


def check_address(address: int, cols: int, logic: object = None) -> int:
    """Return an address that a macro has.

    Args:
        address: to check.
        cols: number of columns.
        logic: on board that is addressed, a chain or a decoder.

    Raises:
        ConfigError: for any other.
    """
    from .solve.modes.decoder import Decoder

    if not 0 <= address < cols:
        told = f"--address is {address}, allowed 0..{cols - 1}"
        if isinstance(logic, Decoder) and 0 <= address < 1 << names.address_bits(cols):
            told += ": no column has this one, and the decoder would read them all and write none"
        raise ConfigError(told)
    return address
