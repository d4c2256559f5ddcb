import dataclasses
import zipfile

import numpy as np
import pytest

from crossstack.solve import (
    Network,
    NetworkBuilder,
    NetworkError,
    NetworkFileError,
    SolveError,
    load_network,
    save_network,
)
from crossstack.solve.network.netfile import VERSION
from crossstack.solve.study.em import throughs_of


def tiny():
    b = NetworkBuilder()
    row, dev, col = b.node("row"), b.node("dev"), b.node("col")
    b.resistor(row, dev, 2.0, layer="Metal3", net="BR[0]", width_um=0.5)
    b.memristor(0, 0, 0, dev, col, area_um2=0.25)
    b.port("BR[0]", row)
    b.port("C[0]", col)
    return b.build()


def test_builder_names_are_shared_and_shape_is_derived(make_array):
    network = make_array(3, 4)
    assert network.shape == ((0, 1), 3, 4)
    assert network.layers == ("ME", "Poly2", "Metal3", "Via4")
    assert len(network.memristor_a) == 24
    assert set(network.gate_nets) == {f"{t}S[{j}]" for t in "TB" for j in range(4)}
    assert network.n_nodes == len(set(network.node_names.tolist()))


def test_bulk_equals_single():
    one, many = NetworkBuilder(), NetworkBuilder()
    names = ["a", "b", "c"]
    for b in (one, many):
        assert b.nodes(names).tolist() == [0, 1, 2]
        assert b.node("b") == 1
    one.resistor(0, 1, 1.0, layer="M", net="x", width_um=0.5)
    one.resistor(1, 2, 2.0, layer="V", net="y", cuts=3)
    many.resistors(
        [0, 1], [1, 2], [1.0, 2.0],
        layer=["M", "V"], net=["x", "y"], width_um=[0.5, np.nan], cuts=[np.nan, 3],
    )  # fmt: skip
    one.switch(0, 2, "g", w_um=2, l_um=0.28)
    many.switches([0], [2], "g", w_um=2, l_um=0.28)
    one.memristor(1, 0, 0, 0, 1)
    many.memristors(1, 0, [0], 0, 1)
    a, b = one.build(), many.build()
    for f in dataclasses.fields(Network):
        left, right = getattr(a, f.name), getattr(b, f.name)
        if isinstance(left, np.ndarray) and left.dtype.kind == "f":
            np.testing.assert_array_equal(left, right)
        else:
            assert np.all(left == right), f.name


def test_a_million_resistors_build_fast():
    n = 1_000_000
    b = NetworkBuilder()
    nodes = b.nodes([f"n{k}" for k in range(n + 1)])
    b.resistors(nodes[:-1], nodes[1:], np.ones(n), layer="M", net="x", width_um=0.5)
    assert b.build().n_nodes == n + 1


def test_arrays_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        tiny().resistor_ohm[0] = 3.0


def test_port_on_two_nodes_is_refused():
    b = NetworkBuilder()
    b.port("A", b.node("x"))
    b.port("A", b.node("x"))
    with pytest.raises(NetworkError, match="port 'A' is on node 0 and on node 1"):
        b.port("A", b.node("y"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resistor_ohm": [np.nan]}, r"resistor_ohm\[0\] is nan, allowed: 0, or 1e-100"),
        ({"resistor_ohm": [-1.0]}, r"resistor_ohm\[0\] is -1.0"),
        ({"resistor_ohm": [np.inf]}, r"resistor_ohm\[0\] is inf"),
        ({"resistor_a": [9]}, r"resistor_a\[0\] is 9, allowed: 0..2"),
        ({"resistor_layer": [4]}, r"resistor_layer\[0\] is 4, allowed: 0..0"),
        ({"resistor_net": [-1]}, r"resistor_net\[0\] is -1"),
        ({"resistor_width_um": [0.0]}, "resistor_width_um"),
        ({"resistor_cuts": []}, "resistor arrays differ in length"),
        ({"resistor_parting": [-2]}, r"resistor_parting\[0\] is -2, allowed: >= 0, or -1"),
        ({"resistor_parting": [2**40]}, "resistor_parting"),
        ({"resistor_crosses": [-1]}, r"resistor_crosses\[0\] is -1"),
        ({"resistor_parting": [0], "resistor_crosses": [0]}, r"resistor_crosses\[0\] is 0"),
        ({"resistor_parting": [65], "resistor_crosses": [1]}, r"resistor_crosses\[0\] is 1"),
        ({"resistor_parting": [65], "resistor_crosses": [-2]}, r"resistor_crosses\[0\] is -2"),
        ({"memristor_tier": [2]}, r"memristor_tier\[0\] is 2, allowed: 0..1"),
        ({"memristor_row": [-1]}, r"memristor_row\[0\] is -1, allowed: >= 0"),
        ({"memristor_area_um2": [0.0]}, "memristor_area_um2"),
        ({"ports": {"X": 7}}, "port 'X' is node 7, allowed 0..2"),
        ({"node_names": ["a", "a", "b"]}, "node_names holds 'a' more than once"),
        ({"resistor_ohm": [[1.0]]}, "resistor_ohm has 2 dimensions"),
    ],
)
def test_validate_names_what_is_wrong(change, message):
    with pytest.raises(NetworkError, match=message):
        dataclasses.replace(tiny(), **change).validate()


def ring(crosses, parting=(0, 1, 2)):
    """Three resistors of one piece in a ring."""
    b = NetworkBuilder()
    ends = [[b.node(name) for name in names] for names in ("xyz", "yzx")]
    b.resistors(*ends, 1.0, layer="M", net="N", width_um=1.0, parting=parting, crosses=crosses)
    return b.build()


def test_cuts_of_a_piece_part_its_ends_in_two(tmp_path):
    network = load_network(save_network(ring([0b101, 0b011, 0b110]), tmp_path / "a.npz"))
    assert network.resistor_crosses.tolist() == [5, 3, 6]
    amps = np.array([3.0, 1.0, -2.0])
    # what enters y, z and x, each alone on a side of its cut
    assert throughs_of(network)(amps).tolist() == [2.0, 3.0, 5.0]
    with pytest.raises(NetworkError, match="resistor_crosses: the cuts of a piece"):
        throughs_of(ring([0b111, 0b011, 0b110]))


def test_strips_side_by_side_carry_what_passes_their_cut():
    network = ring([-1, -1, -1], parting=(0, 0, 1))
    assert throughs_of(network)(np.array([3.0, -1.0, -2.0])).tolist() == [2.0, 2.0, 2.0]


def test_one_device_per_position():
    b = NetworkBuilder()
    for name in ("x", "y"):
        b.memristor(1, 2, 3, b.node(name), b.node("col"))
    with pytest.raises(NetworkError, match="two memristors at tier top, row 2, column 3"):
        b.build()


def test_file_round_trip_and_same_bytes(tmp_path, make_array):
    network = make_array(2, 3)
    first = save_network(network, tmp_path / "a.npz")
    second = save_network(network, tmp_path / "b.npz")
    assert first.read_bytes() == second.read_bytes()
    back = load_network(first)
    for f in dataclasses.fields(Network):
        left, right = getattr(network, f.name), getattr(back, f.name)
        if isinstance(left, np.ndarray):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)
        else:
            assert left == right
    assert not list(tmp_path.glob("*.part"))


def test_file_errors_are_clear(tmp_path):
    good = save_network(tiny(), tmp_path / "good.npz").read_bytes()
    path = tmp_path / "bad.npz"
    with pytest.raises(NetworkFileError, match="no such file"):
        load_network(path)
    for content in (good[: len(good) // 2], b"GDSII", b"", good[:-30] + b"x" * 30):
        path.write_bytes(content)
        with pytest.raises(NetworkFileError, match=r"not a readable network file|not readable"):
            load_network(path)
    np.savez(path, x=1)
    with pytest.raises(NetworkFileError, match="no 'format' entry"):
        load_network(path)
    np.savez(path, format="other", version=1)
    with pytest.raises(NetworkFileError, match="'other'"):
        load_network(path)
    np.savez(path, format="crossstack-network", version=99)
    with pytest.raises(NetworkFileError, match="schema 99"):
        load_network(path)
    np.savez(path, format="crossstack-network", version=1)
    with pytest.raises(NetworkFileError, match=r"schema 1, .*run crossstack extract"):
        load_network(path)
    np.savez(path, format="crossstack-network", version=VERSION)
    with pytest.raises(NetworkFileError, match="incomplete"):
        load_network(path)
    with pytest.raises(NetworkFileError, match="cannot write"):
        save_network(tiny(), tmp_path / "no" / "such.npz")


def test_a_flipped_byte_is_noticed(tmp_path):
    path = save_network(tiny(), tmp_path / "n.npz")
    with zipfile.ZipFile(path) as z:
        info = z.getinfo("resistor_ohm.npy")
    raw = bytearray(path.read_bytes())
    raw[info.header_offset + 80] ^= 0xFF
    path.write_bytes(bytes(raw))
    with pytest.raises(SolveError):
        load_network(path)


def test_a_builder_that_finishes_forgets_what_it_made():
    builder = NetworkBuilder({"supply_v": 3.3})
    for name in ("a", "b"):
        builder.port(name, builder.node(name))
    builder.resistor(0, 1, 5.0, layer="ME", net="n")
    kept, found = builder.build(), builder.finish()
    assert found.node_names.tolist() == kept.node_names.tolist()
    assert (found.ports, found.conditions) == (kept.ports, kept.conditions)
    np.testing.assert_array_equal(found.resistor_ohm, kept.resistor_ohm)
    assert builder.build().n_nodes == 0


@pytest.mark.parametrize("what", ["node_names", "layers", "nets"])
def test_a_name_that_stands_twice_is_refused(what):
    builder = NetworkBuilder()
    nodes = [builder.node(f"n{k}") for k in range(4)]
    for k in range(3):
        builder.resistor(nodes[k], nodes[k + 1], 5.0, layer=f"l{k}", net=f"w{k}")
    network = builder.build()
    names = [*getattr(network, what)]
    names[2] = names[0]
    twice = dataclasses.replace(network, **{what: names})
    with pytest.raises(NetworkError, match=f"{what} holds '{names[0]}' more than once"):
        twice.validate()
