"""Settling of extracted lines, and capacitances against a field solution."""

from __future__ import annotations

import klayout.db as db
import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from crossstack.extract import elmore_delays, extract_network, net_capacitance
from crossstack.extract.field.dielectric import EPSILON_0_F_UM
from crossstack.pdk import ParameterError, get_tech

TECH = get_tech()


def test_row_line_settles_like_a_distributed_line(draw) -> None:
    """R C / 2 for an even line, within what its stacks and ends add."""
    layout = draw(2, 24)
    network, found = extract_network(layout, TECH), net_capacitance(layout, TECH)
    delays = elmore_delays(network, found)
    me = network.resistor_layer == network.layers.index("Metal3")
    line = network.resistor_ohm[me & (network.resistor_net == network.nets.index("BR[0]"))].sum()
    even = line * found["BR[0]"].total_f / 2
    assert 0.8 * even < delays["BR[0]"] < 1.6 * even
    driven = elmore_delays(network, found, drive_ohm=1000.0)
    more = driven["BR[0]"] - delays["BR[0]"]
    assert more == pytest.approx(1000.0 * found["BR[0]"].total_f, rel=0.02, abs=0)
    with pytest.raises(ParameterError, match="drive_ohm"):
        elmore_delays(network, found, drive_ohm=-1.0)


def field_capacitance(
    conductors: list[tuple[float, float, float, float]], step: float
) -> np.ndarray:
    """Capacitance matrix in F/um of a cross-section over a ground plane, k = 4, by differences.

    Args:
        conductors: (x1, y1, x2, y2) in um above the plane y = 0.
        step: grid in um.
    """
    reach = 14.0
    x = np.arange(
        min(c[0] for c in conductors) - reach, max(c[2] for c in conductors) + reach, step
    )
    y = np.arange(0.0, 16.0, step)
    number = np.arange(len(x) * len(y)).reshape(len(x), len(y))
    owner = np.full(number.shape, -1)
    owner[:, 0] = len(conductors)
    for k, (x1, y1, x2, y2) in enumerate(conductors):
        inside = (x[:, None] > x1 - step / 2) & (x[:, None] < x2 + step / 2)
        owner[inside & (y > y1 - step / 2) & (y < y2 + step / 2)] = k
    a = np.concatenate([number[:-1].ravel(), number[:, :-1].ravel()])
    b = np.concatenate([number[1:].ravel(), number[:, 1:].ravel()])
    n, flat = number.size, owner.ravel()
    one = np.ones(len(a))
    matrix = coo_matrix(
        (np.concatenate([one, one, -one, -one]),
         (np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a]))), (n, n),
    ).tocsr()  # fmt: skip
    free = flat < 0
    found = np.zeros((len(conductors), len(conductors)))
    for k in range(len(conductors)):
        volts = (flat == k).astype(float)
        volts[free] = spsolve(matrix[free][:, free], -matrix[free][:, ~free] @ volts[~free])
        charge = matrix @ volts
        for m in range(len(conductors)):
            found[k, m] = charge[flat == m].sum()
    return found * EPSILON_0_F_UM * 4.0


@pytest.mark.parametrize(
    ("conductor", "width", "space", "tolerance"),
    [("Metal1", 1.0, 0.5, 0.08), ("Metal3", 2.0, 0.5, 0.08), ("Metal3", 2.0, 1.0, 0.08)],
)
def test_first_order_against_a_field_solution(conductor, width, space, tolerance) -> None:
    """Two long lines: total within 8 %, coupling within 15 % of finite differences."""
    length = 400_000
    layout = db.Layout()
    layout.dbu = TECH.dbu_um
    top = layout.create_cell("TOP")
    for k, name in enumerate("AB"):
        y = round(k * (width + space) * 1000)
        box = db.Box(0, y, length, y + round(width * 1000))
        top.shapes(layout.layer(*TECH.gds(conductor))).insert(box)
        label = layout.layer(*TECH.gds(f"{conductor}_Label"))
        top.shapes(label).insert(db.Text(name, 100, y + 100))
    ours = net_capacitance(layout, TECH)["A"]
    low, high = TECH.heights_um[conductor]
    lines = [(k * (width + space), low, k * (width + space) + width, high) for k in (0, 1)]
    field = field_capacitance(lines, 0.05 if conductor == "Metal1" else 0.1)
    assert ours.total_f / 400 == pytest.approx(field[0, 0], rel=tolerance, abs=0)
    assert ours.coupling_f["B"] / 400 == pytest.approx(-field[0, 1], rel=0.15, abs=0)
