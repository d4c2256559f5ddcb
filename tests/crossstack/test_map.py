"""`crossstack map`: a small network on arrays, the same figures wherever they are found."""

import json
import os

import numpy as np
import pytest

from crossstack.base.errors import ConfigError
from crossstack.console import Console
from crossstack.mapping import tiles
from crossstack.mapping.arrays import Array
from crossstack.mapping.cost import cost
from crossstack.mapping.kept import Kept
from crossstack.mapping.writing import Programming
from crossstack.pool import Here, Team

if "CI" in os.environ:
    import torch
else:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make torch")

from crossstack.torch import Readout, convert, effective_matrices, study
from crossstack.torch import files as torch_files


def network(wide=12):
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(6, wide), torch.nn.ReLU(), torch.nn.Linear(wide, 3)
    )  # fmt: skip


def points(count=120):
    """Vectors of three classes that a network can tell apart."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, count)
    return np.abs(np.eye(3)[y] @ rng.uniform(0, 1, (3, 6)) + rng.normal(0, 0.1, (count, 6))), y


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("map")
    x, y = points()
    net = network()
    optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(150):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(torch.tensor(x).float()), torch.tensor(y))
        loss.backward()
        optimiser.step()
    torch.save(net, folder / "model.pt")
    np.savez(folder / "data.npz", x=x, y=y, x_train=x, y_train=y)
    return folder


def test_figures_of_ideal_arrays(crossstack, files, tmp_path):
    args = ["map", files / "model.pt", "--data", files / "data.npz", "--tile", "4x8"]
    args += ["--samples", 2, "--retrain", 1, "--row-ohm", 200, "--column-ohm", 200]
    ran = crossstack(*args, "--json", "-o", tmp_path / "out")
    assert ran.code == 0, ran.err
    value = json.loads((tmp_path / "out" / "map.json").read_text())
    assert value["arrays"] == ran.json["arrays"]
    stacked, planar = value["arrays"]
    assert stacked["ideal"] == value["software"] > 0.9
    # both take 8 inputs and 4 outputs: 1 x 3 and 2 x 1 tiles
    assert stacked["tiles"] == planar["tiles"] == 5
    assert [layer["tiles"] for layer in stacked["layers"]] == [3, 2]
    for row in (stacked, planar):
        assert all(0.01 < layer["error"] < 1 for layer in row["layers"])
        assert row["spread"]["least"] <= row["spread"]["mean"] <= row["spread"]["most"]
        assert "build folder" in row["cost"]["not_known"]
        assert {"retrained", "retrained_spread"} <= row.keys()
    text = crossstack(*args).out
    assert "stacked 4 x 8 x 2, layer 0: 12 x 6, 3 tiles" in text


def test_devices_are_written(crossstack, files, tmp_path):
    args = ["map", files / "model.pt", "--data", files / "data.npz", "--tile", "8x16", "--jobs", 1]
    args += ["--row-ohm", 5, "--column-ohm", 5, "--drive-ohm", 20, "--program"]
    ran = crossstack(*args, "--tolerance", 0.05, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["program"]["tolerance"] == 0.05
    for row in ran.json["arrays"]:
        found = row["written"]
        assert row["written"]["mean"] > 0.8
        assert found["devices"] == row["tiles"] * 256
        assert 0 <= found["not_reached"] < 0.05 * found["devices"]
        assert 0 < found["most_pulses"] <= 100
        assert 0 < found["verify_j"] < found["write_j"]
    # with so weak drivers, nothing is written
    ran = crossstack(*args, "--write-v", 1.4, "--threshold-sigma", 0, "--retrain", 1)
    assert "written after retraining: " in ran.out
    ideal, *_, after = [float(v[:-1]) for v in ran.out.splitlines()[2].split() if v.endswith("%")]
    assert after < 60 < ideal
    assert ran.out.splitlines()[1].split()[-3:] == ["retrained", "spread", "written"]


def test_a_build_gives_area_time_and_energy(crossstack, files, built):
    ran = crossstack(
        "map", files / "model.pt", "--data", files / "data.npz", "--wires", built,
        "--dac-bits", 4, "--bit-serial", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    (row,) = ran.json["arrays"]
    assert row["tiles"] == 12 + 2 * 3  # 6 inputs, 1 output each
    found, settle = row["cost"], json.loads((built / "timing.json").read_text())["settle"]
    reads = 2 * 4  # layers, bits: no input is negative
    assert found["time_s"] == pytest.approx(reads * (settle["settle_s"] + 100e-9))
    assert 0 < found["energy_j"] < 1e-9
    assert found["area_um2"] > 18 * 6 * 10
    assert row["wires"] > 0.8


def test_processes_find_the_same(monkeypatch):
    monkeypatch.setattr(tiles, "_DEVICES_EACH", 100)
    x, y = points(60)
    program = Programming(pulses=8)
    asked = study.Asked(Readout(sigma=0.3), samples=3, seed=4, program=program)
    array = Array.ideal(4, 8, row_ohm=100.0, column_ohm=100.0)
    found = []
    team = Team(2)
    try:
        for where in (Here(), team):
            done = study.Study(network(), {"x": x, "y": y}, asked, Console(quiet=True), where)
            value = done.on("array", array)
            value.pop("made")
            found.append(value)
    finally:
        team.stop()
    assert found[0] == found[1]
    assert len(set(found[0]["spread"]["samples"])) > 1
    assert found[0]["written"]["chips"] == len(found[0]["written"]["samples"]) == 3
    assert found[0]["written"]["most_pulses"] == 8


def test_an_interrupted_run_goes_on(crossstack, files, tmp_path, monkeypatch):
    """Wherever a run ends, the next one finds the same and solves only what is left."""
    monkeypatch.setattr(tiles, "_DEVICES_EACH", 100)
    args = ["map", files / "model.pt", "--data", files / "data.npz", "--tile", "4x8", "--jobs", 1]
    args += ["--samples", 2, "--retrain", 3, "--row-ohm", 99, "--read-noise", 0.01, "-o"]
    solved, most, work = [0], [10_000], tiles.TileWork.__call__

    def mortal(self, devices):
        if solved[0] == most[0]:
            raise KeyboardInterrupt
        solved[0] += 1
        return work(self, devices)

    monkeypatch.setattr(tiles.TileWork, "__call__", mortal)
    assert crossstack(*args, tmp_path / "whole").code == 0
    whole, solved[0] = solved[0], 0
    for most[0] in (2, whole // 4, whole // 2 + 3):
        crossstack(*args, tmp_path / "part").fails(130, "finished pieces kept: the same command")
    most[0] = 10_000
    kept = next(tmp_path.glob(".part.tiles"))
    (kept / ("0" * 64)).write_bytes(b"of another version")
    spoilt = sorted(kept.iterdir())[1]
    spoilt.write_bytes(spoilt.read_bytes()[:-1] + b"x")
    before, solved[0] = solved[0], 0
    assert crossstack(*args, tmp_path / "part").code == 0
    assert solved[0] <= whole - before + 1
    found = [json.loads((tmp_path / name / "map.json").read_text()) for name in ("whole", "part")]
    assert found[0] == found[1]
    assert not list(tmp_path.glob(".*"))


def test_training_goes_on_where_it_was(tmp_path):
    x, y = points(60)
    sets = {"x": x, "y": y, "x_train": x, "y_train": y}
    array, read = Array.ideal(4, 8, row_ohm=100.0, column_ohm=100.0), Readout(read_noise=0.05)
    weights = []
    for epochs, name in ((3, "whole"), (2, "part"), (3, "part")):
        asked = study.Asked(read, retrain=epochs)
        kept = Kept(tmp_path / name, {})  # as if nothing but the end had been asked for
        done = study.Study(network(), sets, asked, Console(quiet=True), Here(), kept)
        made = convert(done.model, array, read).eval()
        torch.manual_seed(1)
        weights.append(done._retrained(made, "array").state_dict())
    for key, value in weights[0].items():
        assert torch.equal(value, weights[2][key])
    assert not torch.equal(weights[0]["0.weight"], weights[1]["0.weight"])


def test_fixed_matrices_are_those_of_the_layers():
    made = convert(network().double(), Array.ideal(4, 8, row_ohm=50.0, column_ohm=50.0))
    x = torch.rand(5, 6, dtype=torch.float64)
    want = made(x)
    done = study.Study(
        network(), {"x": x.numpy(), "y": np.zeros(5, int)}, study.Asked(Readout()),
        Console(quiet=True), Here(),
    )  # fmt: skip
    with study._fixed(made, done._wired([made], "wires")[0]):
        assert torch.allclose(made(x), want, rtol=1e-9)
    matrix = effective_matrices(made)["0"][0]
    assert torch.allclose(made[0](x), x @ torch.from_numpy(matrix).T + made[0].bias, rtol=1e-9)


def test_without_a_build_nothing_is_made_up(tmp_path):
    assert cost(None, 3, []).keys() == {"not_known"}
    assert "timing.json" in cost(tmp_path, 3, [])["not_known"]


class Own(torch.nn.Module):
    """A module of somebody's own, which loading would have to run."""


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--tile", "4"], 2, ["--tile"]),
        (["--tile", "0x4"], 2, ["--tile"]),
        (["--sigma", "0.1"], 2, ["--samples"]),
        (["--mode", "deep-net"], 2, ["--wires"]),
        (["--row-ohm", "-1"], 2, ["--row-ohm", "-1"]),
        (["--keep", "nobody"], 2, ["'nobody'"]),
        (["--keep", "0", "--keep", "2"], 2, ["no linear"]),
        (["--bit-serial"], 2, ["dac_bits"]),
        (["--read-noise", "nan"], 2, ["nan"]),
        (["--tolerance", "0.1"], 2, ["--tolerance belongs to --program"]),
        (["--program", "--step-v", "0"], 2, ["--step-v", "0.001 to 10 V"]),
    ],
)
def test_wrong_options(crossstack, files, args, code, words):
    crossstack("map", files / "model.pt", "--data", files / "data.npz", *args).fails(code, *words)


def test_wrong_files(crossstack, files, tmp_path):
    x, y = points(9)

    def tried(name, code, *words, model=files / "model.pt", **sets):
        path = tmp_path / f"{name}.npz"
        np.savez(path, **sets)
        crossstack("map", model, "--data", path).fails(code, *words)

    tried("nan", 2, "nan or inf", x=x * np.nan, y=y)
    tried("lack", 3, "lacks 'y'", x=x)
    tried("extra", 3, "'z'", x=x, y=y, z=y)
    tried("real", 2, "y is float64", x=x, y=y.astype(float))
    tried("class", 2, "class 7", x=x, y=y * 0 + 7)
    tried("wide", 2, "does not take the data, x of (9, 4)", x=x[:, :4], y=y)
    tried("none", 2, "x is float64 (0, 6), allowed: numbers, one vector or more", x=x[:0], y=y[:0])
    tried("blank", 3, "lacks 'x'")
    spoilt = network()
    spoilt[2].weight.data[1, 3] = np.nan
    torch.save(spoilt, tmp_path / "spoilt.pt")
    tried("spoilt", 2, "'2.weight' holds nan or inf", model=tmp_path / "spoilt.pt", x=x, y=y)
    torch.save(torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Flatten()), tmp_path / "bare.pt")
    tried("bare", 2, "no linear or convolution layer", model=tmp_path / "bare.pt", x=x, y=y % 3)
    torch.save(network().state_dict(), tmp_path / "weights.pt")
    tried("weights", 3, "weights alone", model=tmp_path / "weights.pt", x=x, y=y)
    torch.save(Own(), tmp_path / "own.pt")
    tried("own", 2, "Own, which is not read", "Linear", model=tmp_path / "own.pt", x=x, y=y)
    torch.save(torch.nn.Sequential(torch.nn.LSTM(6, 3)), tmp_path / "lstm.pt")
    tried("lstm", 2, "rnn.LSTM, which is not read", model=tmp_path / "lstm.pt", x=x, y=y)
    (tmp_path / "text.pt").write_text("no model")
    tried("text", 3, "not a whole file of torch.save", model=tmp_path / "text.pt", x=x, y=y)
    (tmp_path / "cut.pt").write_bytes((tmp_path / "own.pt").read_bytes()[:-99])
    tried("cut", 3, "not a whole file of torch.save", model=tmp_path / "cut.pt", x=x, y=y)
    (tmp_path / "empty.pt").touch()
    tried("empty", 3, "is empty", model=tmp_path / "empty.pt", x=x, y=y)
    with pytest.raises(ConfigError, match="x_train"):
        study.Study(network(), {"x": x, "y": y}, study.Asked(Readout(), retrain=1), None, Here())


def test_images_may_come_as_vectors(tmp_path):
    layers = torch.nn.Unflatten(1, (1, 2, 3)), torch.nn.Conv2d(1, 3, 2), torch.nn.Flatten()
    torch.save(torch.nn.Sequential(*layers), tmp_path / "model.pt")
    assert torch_files.load_model(tmp_path / "model.pt")(torch.rand(4, 6)).shape == (4, 6)
