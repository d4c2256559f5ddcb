import numpy as np
import pytest

from crossstack.solve import InputError, solve_crossbar
from crossstack.solve.study.theory import Drops, Parts, first_order, reduction, row_resistance_for

SMALL = 1e-9  # S: the small-drop limit


def solved(tiers, rows, cols, parts, **more):
    """The same three numbers from solve_crossbar; a cell resistance adds to the device's."""
    g = 1 / (1 / SMALL + parts.cell)
    s = solve_crossbar(
        np.full((tiers, rows, cols), g), np.ones((tiers, rows)),
        row_segments=parts.row, column_segments=parts.col, drive_resistance=parts.drive,
        sense_resistance=parts.sense, tol=1e-13, **more,
    )  # fmt: skip
    # terminals of the pair device + cell, minus the cell's own share
    device = 1 - s.device_voltages * g / SMALL
    column = 1 - s.column_currents / (tiers * rows * SMALL)
    return Drops(device.max() / SMALL, device.mean() / SMALL, column.max() / SMALL)


@pytest.mark.parametrize(
    ("tiers", "rows", "cols"), [(1, 1, 1), (1, 20, 10), (2, 10, 10), (2, 7, 12), (1, 5, 9)]
)
@pytest.mark.parametrize(
    "parts", [Parts(1.0, 1.0), Parts(3.0, 0.5, 20.0, 10.0), Parts(1.0, 2.0, 5.0, 4.0, 800.0)]
)
def test_theory_is_the_small_drop_limit_of_the_solver(tiers, rows, cols, parts):
    theory, found = first_order(tiers, rows, cols, parts), solved(tiers, rows, cols, parts)
    both = first_order(tiers, rows, cols, parts, both_ends=True)
    found_both = solved(tiers, rows, cols, parts, row_drive="both")
    for name, value in vars(theory).items():
        assert getattr(found, name) == pytest.approx(value, rel=2e-4), name
        assert getattr(found_both, name) == pytest.approx(getattr(both, name), rel=2e-4), name


def test_the_facts_table():
    """docs/design.md section 5: N = M = 10, equal wires, no terminals."""
    saved = reduction(10, 10, Parts(1.0, 1.0))
    assert saved.worst_device == pytest.approx(0.377, abs=5e-4)
    assert saved.mean_device == pytest.approx(0.365, abs=5e-4)
    assert saved.worst_column == pytest.approx(0.335, abs=5e-4)
    for name, x in (("worst_device", 4.44), ("mean_device", 4.12), ("worst_column", 2.89)):
        assert getattr(row_resistance_for(0.22, 10, 10, Parts(0.0, 1.0)), name) == pytest.approx(
            x, abs=0.01
        )


def test_design_formula():
    """docs/design.md section 5: reduction = r_c N^2 / D_planar for the worst device."""
    N, M, p = 8, 13, Parts(0.7, 0.4, 12.0, 6.0, 500.0)
    planar = (
        p.row * M * (M + 1) / 2 + p.col * N * (2 * N + 1) + M * p.drive + 2 * N * p.sense + p.cell
    )
    assert reduction(N, M, p).worst_device == pytest.approx(p.col * N**2 / planar)


def test_row_resistance_inverts_reduction():
    parts = Parts(0.0, 0.5, 3.0, 2.0, 10.0)
    for name, row in vars(row_resistance_for(0.1, 9, 6, parts)).items():
        back = reduction(9, 6, Parts(row, 0.5, 3.0, 2.0, 10.0))
        assert getattr(back, name) == pytest.approx(0.1)


def test_refusals():
    with pytest.raises(InputError, match="row is -1"):
        Parts(-1.0, 1.0)
    with pytest.raises(InputError, match="rows is 0"):
        first_order(1, 0, 1, Parts(1, 1))
    with pytest.raises(InputError, match=r"target is 1\.5"):
        row_resistance_for(1.5, 2, 2, Parts(1, 1))
    assert np.isnan(reduction(2, 2, Parts(0.0, 0.0)).worst_device)
