"""Macros with logic on board: the drawn one, and the run of its behavioural model."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from crossstack.analyse import stimulus
from crossstack.analyse.analysis import Stimulus
from crossstack.cells.drawing import to_layout
from crossstack.extract import extract_network
from crossstack.generators import ArraySpec, build_top
from crossstack.generators.array import Array
from crossstack.lvs import ExtractedLayout, extract_layout
from crossstack.pdk import Tech
from crossstack.solve import Network
from crossstack.views import abstract_of
from crossstack.views.abstract import Abstract
from crossstack.views.delays import Circuit
from crossstack.views.ports import PortGroup, port_groups


@dataclass(frozen=True, eq=False)
class Drawn:
    """A macro called ``blk``, read back from its layout."""

    array: Array

    @classmethod
    def of(cls, rows: int, cols: int, periphery: str) -> Drawn:
        """Draw it."""
        return cls(build_top(ArraySpec(rows, cols, top="macro", periphery=periphery, name="blk")))

    @property
    def tech(self) -> Tech:
        """Its process."""
        return self.array.tech

    @cached_property
    def extracted(self) -> ExtractedLayout:
        """Its devices and nets."""
        return extract_layout(to_layout(self.array.cell, self.tech), self.tech)

    @cached_property
    def block(self) -> Abstract:
        """Its pins."""
        return abstract_of(self.extracted, pins=[pin.name for pin in self.array.pins])

    @cached_property
    def groups(self) -> tuple[PortGroup, ...]:
        """Its pins by bus."""
        return port_groups(self.block.pins)

    @cached_property
    def network(self) -> Network:
        """Its wires."""
        return extract_network(self.extracted, self.tech)

    @cached_property
    def what(self) -> Stimulus:
        """Devices and inputs."""
        return stimulus(self.network, self.tech)

    def circuit(self) -> Circuit:
        """Return its transistors as switches."""
        return Circuit(self.extracted, self.block, None)


def modelled(
    folder: Path,
    bench: str,
    ports: Callable[[Mapping[str, int]], str],
    pins: Sequence[str],
    every: Sequence[Mapping[str, bool]],
) -> list[str]:
    """Run ``blk_model.sv`` of a folder under Icarus Verilog, step after step.

    Args:
        folder: with the model; receives the bench.
        bench: text of a module ``bench`` that reads ``steps.txt``, with places for `last` bit,
            `count` of steps and `ports`.
        ports: place of every pin in a step's bits -> connections of the block.
        pins: that are driven.
        every: their levels in each step.

    Returns:
        what the bench printed, line by line.
    """
    rows = ["".join("01"[levels[pin]] for pin in reversed(pins)) for levels in every]
    (folder / "steps.txt").write_text("\n".join(rows) + "\n")
    place = {pin: k for k, pin in enumerate(pins)}
    text = bench.format(last=len(pins) - 1, count=len(rows), ports=ports(place))
    (folder / "bench.sv").write_text(text)
    command = ["iverilog", "-g2012", "-s", "bench", "-o", "bench.vvp", "bench.sv", "blk_model.sv"]
    subprocess.run(command, cwd=folder, check=True)
    done = subprocess.run(
        ["vvp", "bench.vvp"], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.splitlines()
