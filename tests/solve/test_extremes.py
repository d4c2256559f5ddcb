"""Values with which arithmetic ends are refused by name, before any of it."""

from __future__ import annotations

import numpy as np
import pytest

from crossstack.solve import DriveError, ModeError, NetworkError, solve_network
from crossstack.solve.modes.drives import mode_drives
from crossstack.solve.network.builder import NetworkBuilder


def network(ohm: float = 1.0, area: float = 1.0, end: int = 1):
    builder = NetworkBuilder()
    nodes = builder.nodes(["TR[0]", "C[0]"])
    net, layer = builder.net("TR[0]"), builder.layer("Metal4")
    builder.resistors(
        nodes[:1], nodes[[end]], [ohm], layer=[layer], net=net, width_um=[1.0], cuts=[np.nan]
    )
    builder.memristors([1], [0], [0], nodes[:1], nodes[1:], area_um2=[area])
    builder.port("TR[0]", int(nodes[0]))
    builder.port("C[0]", int(nodes[1]))
    return builder.build()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"ohm": 5e-324}, "resistor_ohm"),
        ({"ohm": 1e300}, "resistor_ohm"),
        ({"area": 1e300}, "memristor_area_um2"),
        ({"end": 0}, "resistor_b"),
    ],
)
def test_a_network_beyond_numbers_is_refused(values, told):
    with pytest.raises(NetworkError, match=told):
        network(**values)
    network()


def test_a_conductance_beyond_numbers_is_refused():
    with pytest.raises(DriveError, match=r"1e\+300 S, allowed: 0 .. 1e\+100 S"):
        solve_network(
            network(),
            conductances=np.full((2, 1, 1), 1e300),
            port_voltages={"TR[0]": 0.2, "C[0]": 0.0},
        )


def test_inputs_without_digits():
    """1e-320 V gave a loss of 1.7 %, all of it rounding: it counts as no input."""
    drives = mode_drives("expansion", 1, 1, np.full((2, 1), 1e-320))
    assert [drives.port_voltages[pin] for pin in ("TR[0]", "BR[0]")] == [0.0, 0.0]
    with pytest.raises(ModeError, match="true and false"):
        mode_drives("expansion", 1, 1, np.full((2, 1), True))
