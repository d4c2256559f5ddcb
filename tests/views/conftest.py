"""Macros with all their views, made once, and the programs and packages that read them."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from crossstack.analyse import Stimulus, stimulus
from crossstack.cells.drawing import to_layout
from crossstack.extract import NetCapacitance, extract_network, net_capacitance
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import ExtractedLayout, extract_layout, read_netlist
from crossstack.pdk import Tech
from crossstack.solve import Network
from crossstack.views import Abstract, Known, abstract_of, write_views
from crossstack.views.chain_delays import ChainDelays
from crossstack.views.corners import circuit_of, corner_figures
from crossstack.views.delays import Circuit, LogicDelays, control_lines
from crossstack.views.liberty import liberty_lines
from crossstack.views.ports import port_groups
from crossstack.views.verilog import black_box_lines


@dataclass(frozen=True)
class Block:
    """A macro and what was found of it."""

    spec: ArraySpec
    tech: Tech
    extracted: ExtractedLayout
    reference: Path
    gds: Path

    @property
    def abstract(self) -> Abstract:
        return abstract_of(self.extracted, pins=self.pins)

    @property
    def pins(self) -> tuple[str, ...]:
        models = self.tech.nets.models
        return read_netlist(self.reference, self.spec.top_name, models=models).pins


def draw_block(folder: Path, **values: object) -> Block:
    spec = ArraySpec(**{"top": "macro", "name": "blk", **values})
    array = build_top(spec)
    gds, reference = folder / "blk.gds", folder / "blk.spice"
    to_layout(array.cell, array.tech).write(str(gds))
    reference.write_text("\n".join(array.netlist_lines()) + "\n")
    return Block(spec, array.tech, extract_layout(gds, array.tech), reference, gds)


@pytest.fixture(scope="session")
def draw(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Block]:
    known: dict[str, Block] = {}

    def make(**values: object) -> Block:
        key = repr(sorted(values.items()))
        if key not in known:
            known[key] = draw_block(tmp_path_factory.mktemp("blk"), **values)
        return known[key]

    return make


@pytest.fixture(scope="session")
def network_of() -> Callable[[Block], Network]:
    """Extract a block's network once for all tests."""
    known: dict[Path, Network] = {}

    def extracted(block: Block) -> Network:
        if block.gds not in known:
            known[block.gds] = extract_network(block.extracted, block.tech)
        return known[block.gds]

    return extracted


#: a block with logic on board, its network, capacitances of its lines and its transistors
Logic = tuple[Block, Network, dict[str, NetCapacitance], Circuit]


def _logic(block: Block, network: Network) -> Logic:
    known = net_capacitance(block.extracted, block.tech, nets=control_lines(network))
    circuit = circuit_of(block.extracted, block.abstract, known)
    assert circuit is not None
    return block, network, known, circuit


@pytest.fixture(scope="session")
def decoder(draw: Callable[..., Block], network_of: Callable[[Block], Network]) -> Logic:
    """Return a block with a decoder."""
    block = draw(rows=1, cols=3, periphery="decoder")
    return _logic(block, network_of(block))


@pytest.fixture(scope="session")
def scan(draw: Callable[..., Block], network_of: Callable[[Block], Network]) -> Logic:
    """Return a block with a scan chain."""
    block = draw(rows=1, cols=2, periphery="scan")
    return _logic(block, network_of(block))


@pytest.fixture(scope="session")
def library_of(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Logic], tuple[Path, LogicDelays | ChainDelays | None]]:
    """Write the library and the black box of a block at its own conditions."""

    def written(of: Logic) -> tuple[Path, LogicDelays | ChainDelays | None]:
        block, network, known, circuit = of
        given = (block.extracted, block.tech, block.abstract, known, network, 1e-9)
        at = corner_figures(*given, circuit=circuit)
        path = tmp_path_factory.mktemp("lib") / "blk.lib"
        groups = port_groups(block.abstract.pins)
        path.write_text("\n".join(liberty_lines(block.abstract, groups, at)) + "\n")
        box = path.with_name("blk.v")
        box.write_text("\n".join(black_box_lines("blk", groups, "a test")) + "\n")
        return path, at.logic

    return written


@dataclass(frozen=True)
class Written:
    """A block with its views."""

    block: Block
    network: Network
    farad: dict[str, NetCapacitance]
    what: Stimulus
    folder: Path
    files: list[str]


@pytest.fixture(scope="session")
def views(draw: Callable[..., Block], tmp_path_factory: pytest.TempPathFactory) -> Written:
    block = draw(rows=3, cols=2)
    folder = tmp_path_factory.mktemp("views")
    network = extract_network(block.extracted, block.tech)
    farad = net_capacitance(block.extracted, block.tech)
    what = stimulus(network, block.tech)
    known = Known(network, farad, what)
    found = write_views(folder, block.extracted, block.tech, block.reference, known)
    return Written(block, network, farad, what, folder, found.files)


@pytest.fixture(scope="session")
def package() -> Callable[[str, str], ModuleType]:
    """Import an independent reader; skip without it, fail in CI."""

    def load(module: str, project: str) -> ModuleType:
        try:
            return importlib.import_module(module)
        except ImportError:
            if os.environ.get("CI", "").lower() not in ("", "0", "false"):
                pytest.fail(f"{project} is not installed (make setup)", pytrace=False)
            pytest.skip(f"{project} is not installed (make setup)")

    return load
