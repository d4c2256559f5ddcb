"""Whether the films of a stack lie as layouts are taken to be: bodies over each other, no gap lost.

Heights are summed from thicknesses, so that a film in the wrong place, or thicker than what lies
beside it, moves into another. A capacitance of such bodies would be that of other ones: half as
large, or none at all. So it is refused by the film.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from .films import stack
from .model import Film, Module
from .nets import Device, Nets
from .ranges import LEAST_UM

#: heights are rounded to a millionth; those that differ by no more are one, um
_SAME_UM = 1.5e-6


def problems_of_bodies(films: Sequence[Film]) -> Iterator[str]:
    """Yield conductors that lie in each other or on each other, or stand out of the stack."""
    yield from (text for _, text in _bodies(films))


def problems_of_stack(films: Sequence[Film], module: Module, found: Nets) -> Iterator[str]:
    """Yield what is wrong with the order and the thicknesses of base and module together.

    Args:
        films: of both, bottom to top.
        module: its electrodes, from bottom to top, and layers.
        found: devices: all that lies between the electrodes of a memristor is its films, but
            where it is a film on a via.
    """
    named = set()
    drawn = {layer.name for layer in module.layers}
    on_via = "memristor_via" in dict(module.roles)
    wrong = (
        *_electrodes(films, module.electrodes),
        *_without_film(films, found.memristors, drawn),
        *_memristors(films, found.memristors, on_via),
    )
    for film, text in wrong:
        named.add(film)
        yield text
    yield from (text for film, text in _bodies(films) if film not in named)


def _bodies(films: Sequence[Film]) -> Iterator[tuple[str, str]]:
    """Yield (film, what is wrong): each conductor lies over the one before and an insulator."""
    z, told = stack(films), set()
    below: Film | None = None
    for film in films:
        if film.sheet_ohm_sq is None:
            continue
        low = z[film.name][0]
        if below is None:
            if low < LEAST_UM - _SAME_UM:
                yield film.name, f"no insulator lies below film {film.name} (order of films.csv)"
        elif low - z[below.name][1] < LEAST_UM - _SAME_UM and below.name not in told:
            told.add(below.name)
            yield below.name, _too_high(below, low - z[below.name][0], film.name)
        if below is None or z[film.name][1] > z[below.name][1]:
            below = film
    end = sum(film.thickness_um for film in films if not film.shares_bottom)
    if below and below.name not in told and z[below.name][1] > end + _SAME_UM:
        yield below.name, _limited(below, end - z[below.name][0], "with the last film", upto=True)


def _too_high(film: Film, room_um: float, above: str) -> str:
    if not film.shares_bottom or room_um < 2 * LEAST_UM:
        return (
            f"no insulator lies between films {film.name} and {above} (order and shares_bottom of "
            "films.csv)"
        )
    return _limited(film, room_um, f"where {above} begins", upto=False)


def _limited(film: Film, most_um: float, why: str, *, upto: bool) -> str:
    most = f"{'up to' if upto else 'less than'} {most_um:.6g}"
    end = f"to end {why}" if upto else why
    return f"{_said(film)}, allowed: {most}, {end} (films.csv)"


def _said(film: Film) -> str:
    return f"film {film.name}: thickness_um = {film.thickness_um:g}"


def _electrodes(films: Sequence[Film], electrodes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield electrodes that are not in the order of the stack."""
    order = [film.name for film in films]
    there = [name for name in electrodes if name in order]
    for lower, upper in pairwise(there):
        if order.index(upper) < order.index(lower):
            what = f"{upper} does not lie above {lower}, as electrodes of module.toml say"
            yield upper, f"film {what} (order of films.csv)"


def _without_film(
    films: Sequence[Film], memristors: Sequence[Device], drawn: set[str]
) -> Iterator[tuple[str, str]]:
    """Yield layers that a memristor is drawn with, and that no film is of."""
    insulators = {film.name for film in films if film.permittivity is not None}
    for device in memristors:
        for name in device.films:
            if name in drawn and name not in insulators:
                yield name, f"{name} of {device.name} is no insulating film (films.csv)"


def _memristors(
    films: Sequence[Film], memristors: Sequence[Device], on_via: bool
) -> Iterator[tuple[str, str]]:
    """Yield films of memristors that do not lie between their electrodes, from one to the other."""
    z = stack(films)
    for device in memristors:
        ends = sorted((wire for _, wire in device.terminals if wire in z), key=lambda w: z[w])
        own = sorted((name for name in device.films if name in z), key=lambda n: z[n])
        if len(ends) != 2 or not own:
            continue  # said of its terminals and layers
        if on_via:
            yield from _between(device, own, ends, z)
        else:
            for lower, upper in zip((ends[0], *own), (*own, ends[1]), strict=True):
                if abs(z[upper][0] - z[lower][1]) > _SAME_UM:
                    yield lower, _apart(device, lower, upper, films)


def _between(
    device: Device, own: list[str], ends: list[str], z: dict[str, tuple[float, float]]
) -> Iterator[tuple[str, str]]:
    """Yield films of a memristor on a via that reach beyond the via's ends."""
    low, high = z[ends[0]][1], z[ends[1]][0]
    for name in own:
        bottom, top = z[name]
        if bottom < low - _SAME_UM or top > high + _SAME_UM:
            allowed = f"{low:g} .. {high:g} um, between {ends[0]} and {ends[1]}"
            at = f"{bottom:g} .. {top:g} um"
            yield name, f"film {name} of {device.name} lies at {at}, allowed: {allowed} (films.csv)"


def _apart(device: Device, lower: str, upper: str, films: Sequence[Film]) -> str:
    """Return that a film does not begin where the one that it lies on ends."""
    z, order = stack(films), [film.name for film in films]
    gap, room = z[upper][0] - z[lower][1], z[upper][0] - z[lower][0]
    film = films[order.index(lower)]
    if film.shares_bottom and room > LEAST_UM - _SAME_UM:
        beside = films[order.index(lower) + 1 : order.index(upper)]
        names = " and ".join(other.name for other in beside if not other.shares_bottom)
        why = f"equal to {names} next to it, because {upper} of {device.name} is on both"
        return f"{_said(film)}, allowed: {room:.6g}, {why} (films.csv)"
    side = "above" if gap > 0 else "below"
    return (
        f"film {upper} begins {abs(gap):.6g} um {side} the top of {lower}, allowed: on it, as "
        f"in {device.name} (order and shares_bottom of films.csv)"
    )
