"""What first-order theory says of one extracted network, where no baseline has been drawn."""

from __future__ import annotations

from ..analyse.paper import IR_DROP
from ..analyse.summary import Stacking, StackingView
from ..base import names
from ..pdk import Tech
from ..solve.modes.mode import is_macro
from ..solve.network.network import Network
from ..solve.study.theory import Parts, stack_reduction
from .drops import VIEWS, series_parts
from .table import BARE_TEXT, VIEW_TEXT

#: rows and columns below which wires cannot be told from a line's ends
LEAST = 3


def views_of(network: Network) -> tuple[str, ...]:
    """Return the views that a network allows; regulation needs a tap on every line."""
    taps = {names.row(0, 0), names.row_input(0, 0), names.column(0), names.output(0)} <= set(
        network.ports
    )
    return VIEWS if taps else ("wires", "all")


def measure_parts(network: Network, tech: Tech) -> dict[str, list[Parts]]:
    """Return view -> series parts of every tier, measured on the network."""
    return {
        view: [series_parts(network, tech, view, tier) for tier in network.tiers]
        for view in views_of(network)
    }


def estimate(network: Network, parts: dict[str, list[Parts]]) -> Stacking:
    """Return the reduction of the IR drop against a planar array of the same parts.

    The planar array is imagined: one tier with all rows, made of the bottom tier's parts.
    `crossstack compare` draws it.

    Args:
        network: a stacked network.
        parts: from `measure_parts`.
    """
    if len(network.tiers) < 2:
        return Stacking(IR_DROP, {}, "one tier alone is the planar array")
    if min(network.rows, network.cols) < LEAST:
        return Stacking(IR_DROP, {}, f"wires show from {LEAST} rows and columns on")
    n, m = network.rows, network.cols
    bare = not is_macro(network.ports)
    views = {
        view: StackingView(
            BARE_TEXT.get(view, VIEW_TEXT[view]) if bare else VIEW_TEXT[view],
            tuple(tiers),
            stack_reduction(n, m, tiers, tiers[0]),
        )
        for view, tiers in parts.items()
    }
    return Stacking(IR_DROP, views)
