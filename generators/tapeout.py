"""Tapeout as pure functions of a layout: which slot, which masks, where the marks are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Slot:
    """A die size that the shuttle offers, in dbu."""

    name: str
    width: int
    height: int


#: wafer.space precheck, check_size.py (facts/gf180mcu.yaml, slots_um)
SLOTS = (
    Slot("1x1", 3_932_000, 5_122_000),
    Slot("0p5x1", 1_936_000, 5_122_000),
    Slot("1x0p5", 3_932_000, 2_531_000),
    Slot("0p5x0p5", 1_936_000, 2_531_000),
)
