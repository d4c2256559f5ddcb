"""The modes that a macro's views tell of: those it computes in, and the one that writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..solve import MODES, ArrayKind
from ..solve.modes.modes import writing_mode

if TYPE_CHECKING:
    from ..solve import Mode, Network


def written_in(network: Network) -> tuple[Mode, str | None]:
    """Return the mode that writes a macro, and why it cannot be written; None if it can.

    A lone column is written in a mode that reads others meanwhile, too: there are none.
    """
    kind = ArrayKind.of(network)
    mode = writing_mode(kind)
    return mode, mode.refusal(kind, max(network.cols, 2))


def reads_meanwhile(network: Network) -> bool:
    """Tell whether columns are read while another one is written."""
    mode, why_not = written_in(network)
    return why_not is None and mode.reads == "one" and network.cols > 1


def macro_modes(network: Network) -> tuple[Mode, ...]:
    """Return the modes of a macro, in the order of the mode table, the one that writes it last."""
    kind = ArrayKind.of(network)
    found = [m for m in MODES.values() if not m.writes and m.refusal(kind, network.cols) is None]
    mode, why_not = written_in(network)
    return tuple(found if why_not else [*found, mode])
