"""Whether every current is within its limit, and the words for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..base.units import percent
from ..extract.array.tiled import SUMS
from ..solve.modes.mode import ArrayKind
from ..solve.modes.modes import MODES, writing_mode
from ..solve.study.em import Stress
from .loads import CurrentVerdict, Hardest, ModeLoads
from .writing import MOST_TURNS

if TYPE_CHECKING:
    from ..pdk.electromigration import CurrentLimits
    from ..solve.network.network import Network


@dataclass(frozen=True)
class Sure:
    """What is certain of the average of writes, where they are counted as a bound.

    Attributes:
        hardest: mode that writes -> its hardest loads.
        turns: of the rows of a column.
    """

    hardest: Mapping[str, Sequence[Stress]]
    turns: int


@dataclass(frozen=True)
class Open:
    """What no solved mode does: reading or writing.

    Attributes:
        what: that, in one word.
        why: why no mode was solved that does it.
    """

    what: str
    why: str


def open_questions(network: Network, done: Iterable[str]) -> list[Open]:
    """Return what nothing solved speaks of: a verdict on reads says nothing of a write."""
    kind, solved, found = ArrayKind.of(network), set(done), []
    reading = [mode for mode in MODES.values() if not mode.writes]
    for what, modes in (("reading", reading), ("writing", [writing_mode(kind)])):
        if not modes or solved & {mode.name for mode in modes}:
            continue
        reasons = [mode.refusal(kind, network.cols) or f"{mode.name} was not run" for mode in modes]
        found.append(Open(what, "; ".join(reasons)))
    return found


def verdict_of(
    limits: CurrentLimits,
    modes: Mapping[str, ModeLoads],
    sure: Sure,
    missing: list[Open],
    left_out: Iterable[str],
) -> CurrentVerdict:
    """Return whether every current is within its limit, and the words for it.

    Judged is only what every layer has a limit for, and only if reads and writes were solved with
    every wire and device that the layout has. A bound above a limit exceeds nothing.
    """
    found = [
        (mode, load)
        for mode, m in modes.items()
        for load in (m.loads.worst_wire, m.loads.worst_cut)
        if load is not None
    ]
    unknown = [f"not judged: {line}" for line in left_out]
    loose = sorted({layer for m in modes.values() for layer in m.loads.unchecked_layers})
    summed = [layer for layer in loose if layer in SUMS]
    pieces = f"{', '.join(summed)}, which the network holds without the pieces of wire"
    if not found:
        bare = "no piece of wire in the network has a width; --engine flat of extract keeps them"
        return CurrentVerdict.unjudged(pieces if summed else bare if modes else "no mode")
    mode, worst = max(found, key=_ratio)
    if doubt := sure.turns > MOST_TURNS and not worst.ratio <= 1:
        certain = [each for each in found if each[0] not in sure.hardest]
        certain += [(mode, load) for mode, loads in sure.hardest.items() for load in loads]
        known_mode, known_worst = max(certain, key=_ratio)
        if not known_worst.ratio <= 1:
            mode, worst, doubt = known_mode, known_worst, False
    left = {gap.what for gap in missing}
    known = [layer for layer in loose if layer not in SUMS]
    hardest = Hardest(
        tuple(what for what in ("reading", "writing") if what not in left),
        mode,
        worst,
        worst.layer in limits.assumed,
        sum(m.loads.above_limit for m in modes.values()),
    )
    return CurrentVerdict(
        judged=not (loose or missing or unknown or doubt),
        exceeded=not (worst.ratio <= 1 or doubt),
        text="; ".join(
            (_words(hardest, missing, whole=not (loose or unknown)) if not doubt else
             _doubtful(hardest, sure.turns),
             *([f"no limit is known for {', '.join(known)}"] if known else []),
             *([f"not judged: {pieces}"] if summed else []),
             *(f"{gap.what} not judged: {gap.why}" for gap in missing),
             *unknown)
        ),
        hardest=hardest,
    )  # fmt: skip


def _ratio(load: tuple[str, Stress]) -> float:
    return load[1].ratio


def _doubtful(hardest: Hardest, turns: int) -> str:
    """Say in one phrase that a bound is above a limit, and nothing else is."""
    return (
        f"current limits not judged: at most {_load_words(hardest)}, a bound: of {turns} turns of "
        "rows the first and last are solved"
    )


def _load_words(hardest: Hardest) -> str:
    """Return a load, its place and what kind of limit it is part of."""
    worst = hardest.stress
    shown = percent(worst.ratio)
    if worst.ratio > 1 and shown == percent(1.0):
        shown = f"{worst.ratio * 100:.6g} %"  # a limit that is exceeded by little reads as more
    limit = "assumed" if hardest.assumed else "published"
    return f"{shown} in {worst.layer} of {worst.net}, {hardest.mode} mode ({limit} limit)"


def _words(hardest: Hardest, missing: list[Open], *, whole: bool) -> str:
    """Say in one phrase what was found, and of what if not of everything.

    Args:
        hardest: the hardest load.
        missing: what nothing solved speaks of.
        whole: whether every wire was judged.
    """
    worst = hardest.stress
    done = "writing" if [gap.what for gap in missing] == ["reading"] else "reading"
    state = "within the current limits: at most" if worst.ratio <= 1 else "current limits exceeded:"
    if worst.ratio <= 1 and not whole:
        state = "current limits not judged, of what is known at most"
    return f"{f'{done} ' if missing and worst.ratio <= 1 else ''}{state} {_load_words(hardest)}"
