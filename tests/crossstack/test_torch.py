"""Layers of PyTorch on crossbars, against solves of the network and against PyTorch itself."""

import copy
import io
import os
import subprocess
import sys

import numpy as np
import pytest

from crossstack.analyse.analysis import Stimulus, operating_point
from crossstack.analyse.operating import Laws
from crossstack.base.errors import ConfigError, ModeError, ParameterError
from crossstack.cells import to_layout
from crossstack.extract import extract
from crossstack.generators import ArraySpec, build_top
from crossstack.solve import (
    DriveError,
    InputError,
    Sinh,
    prepare_crossbar,
    solve_crossbar_nonlinear,
)

if "CI" in os.environ:
    import torch
else:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make torch")

from crossstack import torch as ct

WIRES = {"row_ohm": 3.0, "column_ohm": 5.0, "drive_ohm": 40.0, "sense_ohm": 20.0}


def drawn(cell):
    spec = ArraySpec(8, 8, cell, top="macro")
    tech = spec.tech()
    return extract(to_layout(build_top(spec).cell, tech), tech).network, tech


@pytest.fixture(scope="module")
def macro():
    """Network of a drawn 8 x 8 x 2 macro, and its technology."""
    return drawn("hybrid")


def double(*shape, seed=0, low=0.0):
    generator = torch.Generator().manual_seed(seed)
    return low + (1 - low) * torch.rand(shape, generator=generator, dtype=torch.float64)


def layer_on(array, n, m, *, seed=1, **read):
    made = ct.CrossbarLinear(n, m, array=array, read=ct.Readout(**read), dtype=torch.float64)
    with torch.no_grad():
        made.weight.copy_(2 * double(m, n, seed=seed) - 1)
        made.bias.copy_(double(m, seed=seed + 1))
    made.crossbar.weight_scale.fill_(1.1)  # off the kink where a weight is the largest
    return made


def test_nothing_else_imports_torch():
    text = (
        "import sys, crossstack, crossstack.cli, crossstack.solve, crossstack.commands.solve\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", text], check=True, timeout=60)


@pytest.mark.parametrize("mode", ["expansion", "deep-net"])
def test_currents_are_those_of_solve(macro, mode):
    network, tech = macro
    rng = np.random.default_rng(3)
    siemens = np.exp(rng.uniform(np.log(1e-6), np.log(1e-4), (2, 8, 8)))
    volts = rng.uniform(0, 0.2, (2, 8))
    options = {"read_tier": "top", "write_column": 1} if mode == "deep-net" else {}
    array = ct.Array.of(network, tech, mode=mode, **options).at(siemens, volts)
    laws = Laws.of(tech)
    way = {**options, "write_voltage": 2.0, "write_rail": 0.0} if options else {}
    drop = operating_point(network, tech, Stimulus(siemens, volts, {}), mode, laws, **way)
    want = np.array([a for j, a in enumerate(drop.column_currents) if not options or j != 1])
    v = torch.from_numpy(volts[1:] if options else volts).reshape(1, -1)
    g = torch.from_numpy(array.prepared.devices(siemens))
    found = ct.currents(array.prepared, g, v).numpy()[0]
    assert np.abs(found - want).max() < 1e-9 * np.abs(want).max()


@pytest.mark.parametrize("mode", ["expansion", "deep-net"])
def test_transistors_work_where_every_vector_puts_them(mode):
    """Without preparing anything anew: the same as Newton's method on the whole network."""
    spec = ArraySpec(6, 5, "hybrid")
    tech = spec.tech()
    drawn = extract(to_layout(build_top(spec).cell, tech), tech, engine="tile")
    network = drawn.network
    options = {"read_tier": "top", "write_column": 1} if mode == "deep-net" else {}
    array, large = (
        ct.Array.of(wires, tech, mode=mode, **options) for wires in (network, drawn.array)
    )
    rng = np.random.default_rng(3)
    way = {**options, "write_voltage": 2.0, "write_rail": 0.0} if options else {}
    # the last pinches transistors off, where resistances alone do not come together
    for most, most_v, most_solves in ((1e-4, 0.4, 3), (1e-3, 0.4, 4), (1e-3, 3.0, 20)):
        siemens = np.exp(rng.uniform(np.log(1e-6), np.log(most), (2, 6, 5)))
        volts = rng.uniform(0, most_v, (2, 6))
        drop = operating_point(
            network, tech, Stimulus(siemens, volts, {}), mode, Laws.of(tech), **way
        )
        want = np.array([a for j, a in enumerate(drop.column_currents) if not options or j != 1])
        v = (volts[1:] if options else volts).reshape(-1)
        found, solves = array.at_work(siemens, v)
        assert np.abs(found - want).max() < 1e-9 * np.abs(want).max()
        assert np.abs(large.at_work(siemens, v)[0] - want).max() < 1e-9 * np.abs(want).max()
        assert solves <= most_solves
        still = array.prepared.currents(siemens, v[None])[0]
        assert np.abs(still - want).max() > 1e-4 * np.abs(want).max()
    with pytest.raises(ConfigError, match="60 V drives an array with transistors"):
        array.at_work(siemens, np.full(v.shape, 60.0))
    with pytest.raises(ConfigError, match="no select transistors that a vector could move"):
        ct.Array.ideal(2, 2).at_work(np.ones((2, 2, 2)), np.zeros(4))


@pytest.mark.parametrize("cell", ["hybrid", "passive", "planar"])
@pytest.mark.parametrize("mode", ["expansion", "deep-net"])
def test_large_files_hold_the_same_arrays(cell, mode):
    """What is kept of an array above 600 x 600 cells is as good as a network."""
    spec = ArraySpec(3, 4, cell)
    tech = spec.tech()
    found = extract(to_layout(build_top(spec).cell, tech), tech, engine="tile")
    options = {"read_tier": "top", "write_column": 1} if mode == "deep-net" else {}
    if mode == "deep-net" and cell != "hybrid":
        with pytest.raises(ModeError):
            ct.Array.of(found.array, tech, mode=mode, **options)
        return
    nodes, arrays = (
        ct.Array.of(wires, tech, mode=mode, **options).prepared
        for wires in (found.network, found.array)
    )
    assert (nodes.inputs, nodes.outputs) == (arrays.inputs, arrays.outputs)
    rng = np.random.default_rng(3)
    siemens = np.exp(rng.uniform(np.log(1e-6), np.log(1e-4), nodes.shape))
    for count, law in ((1, None), (9, None), (2, Sinh(3.0))):
        volts = rng.uniform(0, 0.2, (count, len(nodes.inputs)))
        want, amps = (one.currents(siemens, volts, law) for one in (nodes, arrays))
        assert np.abs(amps - want).max() < 1e-9 * np.abs(want).max()


@pytest.mark.parametrize("law", ["linear", "sinh"])
@pytest.mark.parametrize("kind", ["macro", "deep-net", "stacked", "planar", "tiers"])
@pytest.mark.parametrize("batch", [1, 6])
def test_gradients(macro, kind, law, batch):
    network, tech = macro
    arrays = {
        "macro": lambda: ct.Array.of(network, tech),
        "deep-net": lambda: ct.Array.of(network, tech, mode="deep-net", write_column=3),
        "stacked": lambda: ct.Array.ideal(3, 4, **WIRES),
        "planar": lambda: ct.Array.ideal(3, 4, tiers=1, **WIRES),
        "tiers": lambda: ct.Array.ideal(3, 4, **WIRES),
    }
    pairs = "tiers" if kind == "tiers" else "columns"
    made = layer_on(arrays[kind](), 5, 3, pairs=pairs, law=law, v_read=0.5)
    x = double(batch, 5, low=-0.9).requires_grad_()
    forward = lambda x, weight: torch.func.functional_call(made, {"weight": weight}, x)  # noqa: E731
    assert torch.autograd.gradcheck(forward, (x, made.weight), eps=1e-6, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("law", ["linear", "sinh"])
@pytest.mark.parametrize("kind", ["macro", "planar macro", "stacked", "planar"])
def test_gradients_of_whole_arrays(macro, kind, law):
    """Every device of extracted 8 x 8 macros, and of 64 x 64 crossbars, of one tier and of two."""
    array = {
        "macro": lambda: ct.Array.of(*macro),
        "planar macro": lambda: ct.Array.of(*drawn("planar")),
        "stacked": lambda: ct.Array.ideal(64, 64, row_ohm=0.2, column_ohm=1.2),
        "planar": lambda: ct.Array.ideal(64, 64, tiers=1, row_ohm=0.2, column_ohm=1.2),
    }[kind]()
    made = layer_on(array, array.inputs, array.outputs // 2, law=law)
    with torch.no_grad():  # off the kink between the devices of a pair
        made.weight.add_(0.01 * torch.sign(made.weight))
    small = "macro" in kind
    x = double(1 if small else 2, array.inputs, low=-0.9).requires_grad_()
    forward = lambda x, weight: torch.func.functional_call(made, {"weight": weight}, x)  # noqa: E731
    steps = {"eps": 1e-4, "atol": 1e-6, "rtol": 1e-6}
    assert torch.autograd.gradcheck(forward, (x, made.weight), fast_mode=not small, **steps)


def test_gradient_of_the_law():
    array = prepare_crossbar((2, 3, 2), row_segments=9.0, column_segments=9.0)
    g = (1e-4 * double(array.size)).requires_grad_()
    b = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    scaled = lambda g, b: 1e4 * ct.currents(array, 1e-4 * g, double(3, 6), b)  # noqa: E731
    assert torch.autograd.gradcheck(scaled, ((1e4 * g.detach()).requires_grad_(), b), atol=1e-6)
    found = ct.currents(array, g, double(1, 6), b).detach().numpy()[0]
    want = solve_crossbar_nonlinear(
        array.spread(g.detach().numpy()), double(1, 6).numpy().reshape(2, 3), device=Sinh(3.0),
        row_segments=9.0, column_segments=9.0, tol=1e-12,
    )  # fmt: skip
    assert np.allclose(found, want.column_currents, rtol=1e-10)


@pytest.mark.parametrize("pairs", ["columns", "tiers"])
@pytest.mark.parametrize("size", [(7, 5), (1, 1), (23, 9)])
def test_without_wires_it_is_a_linear_layer(pairs, size):
    array = ct.Array.ideal(4, 6)
    plain = torch.nn.Linear(*size).double()
    made = ct.CrossbarLinear.from_float(plain, array, ct.Readout(pairs=pairs))
    x = double(2, 3, size[0], low=-1.0)
    assert torch.allclose(made(x), plain(x), rtol=1e-9, atol=1e-9)
    with pytest.warns(UserWarning, match="calibrate_model"):  # beyond the range
        assert not torch.allclose(made(5 * x), plain(5 * x), rtol=1e-3)
    ct.calibrate_model(made, 5 * x)
    assert torch.allclose(made(5 * x), plain(5 * x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 2, "padding": 1, "bias": False},
        {"groups": 2, "dilation": 2},
        {"padding": "same", "padding_mode": "circular"},
        {"padding": (2, 0), "padding_mode": "reflect", "groups": 4},
    ],
)
def test_convolutions(options):
    plain = torch.nn.Conv2d(4, 8, (3, 2), **options).double()
    made = ct.CrossbarConv2d.from_float(plain, ct.Array.ideal(5, 8))
    for x in (double(2, 4, 7, 9), double(4, 7, 9)):
        assert torch.allclose(made(x), plain(x), rtol=1e-9, atol=1e-9)
    x = double(1, 4, 6, 6).requires_grad_()
    made(x).sum().backward()
    assert made.weight.grad is not None
    mine = x.grad.clone()
    x.grad = None
    plain(x).sum().backward()
    assert torch.allclose(mine, x.grad, rtol=1e-9, atol=1e-9)


def test_convolutions_of_odd_shapes():
    """One channel, kernels as large as the image, strides beyond it, uneven groups, at random."""
    rng = np.random.default_rng(0)
    arrays = [ct.Array.ideal(5, 8), ct.Array.ideal(7, 6, tiers=1), ct.Array.ideal(1, 2, tiers=1)]
    for _ in range(15):
        groups, kernel = int(rng.choice([1, 1, 3])), tuple(rng.integers(1, 5, 2).tolist())
        stride = tuple(rng.integers(1, 6, 2).tolist())
        padding = "same" if stride == (1, 1) else tuple(rng.integers(0, 3, 2).tolist())
        plain = torch.nn.Conv2d(
            groups, groups * int(rng.integers(1, 4)), kernel, stride=stride, padding=padding,
            groups=groups, bias=bool(rng.integers(2)),
        ).double()  # fmt: skip
        made = ct.CrossbarConv2d.from_float(plain, arrays[rng.integers(3)])
        height, width = (k + int(rng.integers(0, 4)) for k in kernel)
        x = double(2, groups, height, width, low=-1.0)
        assert made(x).shape == plain(x).shape
        assert torch.allclose(made(x), plain(x), rtol=1e-9, atol=1e-9)


def test_bits_and_adc():
    array = ct.Array.ideal(8, 8, **WIRES)
    x, ideal = double(4, 8, low=-1.0), layer_on(array, 8, 4)
    ten = layer_on(array, 8, 4, dac_bits=10)
    serial = layer_on(array, 8, 4, dac_bits=10, bit_serial=True)
    assert (ten(x) - ideal(x)).abs().max() < 0.01
    assert torch.allclose(serial(x), ten(x), rtol=1e-9)  # a linear array adds up
    coarse = layer_on(array, 8, 4, adc_bits=5)
    tiled = coarse.crossbar
    whole = (coarse(x) - coarse.bias).detach() / tiled.weight_scale
    # 15 steps up and down of the current of all 16 inputs of the array
    steps = whole * (tiled.g_on - tiled.g_off) / tiled.g_on * 15 / 16
    assert torch.allclose(steps, steps.round(), atol=1e-6)
    for made in (serial, coarse):
        y = x.clone().requires_grad_()
        made(y).sum().backward()
        z = x.clone().requires_grad_()
        ideal(z).sum().backward()
        assert torch.allclose(y.grad, z.grad, rtol=1e-6)
    levels = layer_on(array, 8, 4, levels=2)
    cells = levels.crossbar.cells(levels.weight)[0][0]
    assert len(torch.unique(cells.detach())) == 2


def test_spread_and_noise():
    array = ct.Array.ideal(8, 8, tiers=1, **WIRES)
    x = double(3, 8)
    one, same = (layer_on(array, 8, 4, sigma=0.2, seed=5) for _ in range(2))
    assert torch.equal(one(x), same(x))
    same.crossbar.program(6)
    assert not torch.allclose(one(x), same(x))
    noisy = layer_on(array, 8, 4, read_noise=0.1).eval()
    assert not torch.equal(noisy(x), noisy(x))
    torch.manual_seed(1)
    first = noisy(x)
    torch.manual_seed(1)
    assert torch.equal(first, noisy(x))


def test_models_are_stored_and_copied(macro):
    network, tech = macro
    array = ct.Array.of(network, tech)
    made = torch.nn.Sequential(layer_on(array, 9, 3, sigma=0.1), torch.nn.ReLU())
    x = double(4, 9)
    ct.calibrate_model(made, x)
    want = made(x)
    assert made[0].crossbar.array is not array  # transistors work elsewhere now
    again = torch.nn.Sequential(layer_on(array, 9, 3, sigma=0.1, seed=4), torch.nn.ReLU())
    again.load_state_dict(made.state_dict())
    whole = io.BytesIO()
    torch.save(made, whole)
    whole.seek(0)
    for other in (again, copy.deepcopy(made), torch.load(whole, weights_only=False)):
        assert torch.allclose(other(x), want, rtol=1e-9)
    copied = copy.deepcopy(made)
    with torch.no_grad():
        copied[0].weight.zero_()
    assert torch.equal(made(x), want)
    assert (copied(x) - copied[0].bias.relu()).abs().max() < 0.05  # no weight but the spread's


def test_sizes_of_batches_and_numbers():
    made = layer_on(ct.Array.ideal(6, 6, **WIRES), 10, 5).float().eval()
    x = double(10_000, 10).float()
    with torch.no_grad():
        many = made(x)
        assert many.dtype == torch.float32
        assert torch.allclose(many[:1], made(x[:1]), atol=1e-5)
        assert torch.allclose(many[7], made(x[7]), atol=1e-5)
        assert made(x[:0]).shape == (0, 5)
        before = made(x[:30])
        made.weight.data.mul_(0.5)  # not seen by any version counter
        assert not torch.allclose(made(x[:30]), before)
    with pytest.raises(ConfigError, match="nan or inf"):
        made(torch.full((1, 10), torch.nan))
    for wrong in (double(3, 9), double(10, 3)):
        with pytest.raises(ConfigError, match="the layer takes"):
            made(wrong.float())
    for kind in (torch.int64, torch.complex64):
        with pytest.raises(ConfigError, match=f"{kind}, allowed: floating point"):
            made(torch.zeros(2, 10, dtype=kind))
    images = ct.CrossbarConv2d(2, 3, 3, array=ct.Array.ideal(6, 6))
    assert images(torch.zeros(0, 2, 5, 5)).shape == (0, 3, 3, 3)
    with pytest.raises(ConfigError, match="the layer takes"):
        images(torch.zeros(1, 3, 5, 5))


def test_convert_maps_and_refuses():
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Flatten(),
        torch.nn.Linear(144, 10),
    ).double()  # fmt: skip
    net.eval()
    x = double(5, 1, 8, 8)
    made = ct.convert(net, ct.Array.ideal(16, 16), calibrate=x)
    assert torch.allclose(made(x), net(x), rtol=1e-9, atol=1e-9)
    assert [name for name, _ in ct.crossbar_layers(made)] == ["0", "4"]
    assert type(net[0]) is torch.nn.Conv2d
    assert made.state_dict().keys() > net.state_dict().keys()
    wired = ct.convert(net, ct.Array.ideal(16, 16, **WIRES), keep=["0"], calibrate=x)
    matrix = ct.effective_matrices(wired)["4"][0]
    inner = net[:4](x)
    want = inner @ torch.from_numpy(matrix).T + net[4].bias
    assert torch.allclose(wired(x), want, rtol=1e-8, atol=1e-10)
    for module in (
        torch.nn.LSTM(3, 3),
        torch.nn.Conv1d(1, 1, 3),
        torch.nn.ConvTranspose2d(1, 1, 2),
    ):
        with pytest.raises(ConfigError, match=f"'0' is a {type(module).__name__}"):
            ct.convert(torch.nn.Sequential(module), ct.Array.ideal(4, 4))
    with pytest.raises(ConfigError, match="'0' is lazy"):
        ct.convert(torch.nn.Sequential(torch.nn.LazyLinear(4)), ct.Array.ideal(4, 4))
    with pytest.raises(ConfigError, match="no linear"):
        ct.convert(torch.nn.ReLU(), ct.Array.ideal(4, 4))
    with pytest.raises(ConfigError, match="'nobody'"):
        ct.convert(net, ct.Array.ideal(4, 4), keep=["nobody"])
    with pytest.raises(ConfigError, match="'10', which"):
        ct.convert(net, ct.Array.ideal(4, 4), keep="10")
    with pytest.raises(ConfigError, match="array is a str"):
        ct.convert(net, "x")
    with pytest.raises(ConfigError, match="the model is a str"):
        ct.convert("x", ct.Array.ideal(4, 4))


def test_wrong_values_are_named():
    array = ct.Array.ideal(4, 4)
    for sizes, word in (((-1, 3), "in_features = -1"), ((5.5, 3), "in_features = 5.5")):
        with pytest.raises(ParameterError, match=word):
            ct.CrossbarLinear(*sizes, array=array)
    with pytest.raises(ParameterError, match="out_channels = 0"):
        ct.CrossbarConv2d(1, 0, 3, array=array)
    made = ct.CrossbarLinear(3, 2, array=array)
    with pytest.raises(ConfigError, match="are a ndarray, allowed: a tensor"):
        made(np.ones((2, 3)))
    with pytest.raises(ConfigError, match="are a ndarray, allowed: a tensor"):
        ct.CrossbarConv2d(1, 2, 3, array=array)(np.ones((1, 1, 3, 3)))
    made.weight.data[1, 2] = float("nan")
    with pytest.raises(ParameterError, match=r"weight\[1, 2\] = nan"):
        made(torch.rand(2, 3))
    with pytest.raises(InputError, match="row_segments holds <U1"):
        ct.Array.ideal(2, 2, row_ohm="x")


def test_weights_of_a_plain_layer_are_taken():
    plain = torch.nn.Linear(5, 3).double()
    with torch.no_grad():
        plain.weight.mul_(40)  # beyond what the layer began with
    made = ct.CrossbarLinear(5, 3, array=ct.Array.ideal(4, 6), dtype=torch.float64)
    made.load_state_dict(plain.state_dict())
    x = double(4, 5)
    assert torch.allclose(made(x), plain(x), rtol=1e-9)
    images = torch.nn.Conv2d(2, 4, 2, groups=2).double()
    mapped = ct.CrossbarConv2d(2, 4, 2, groups=2, array=ct.Array.ideal(4, 6), dtype=torch.float64)
    mapped.load_state_dict(images.state_dict())
    assert torch.allclose(mapped(double(1, 2, 4, 4)), images(double(1, 2, 4, 4)), rtol=1e-9)


def test_shared_layers_stay_one():
    inner = torch.nn.Linear(4, 4)
    made = ct.convert(torch.nn.Sequential(inner, torch.nn.ReLU(), inner), ct.Array.ideal(4, 8))
    assert made[0] is made[2]


@pytest.mark.parametrize(
    ("read", "word"),
    [
        ({"pairs": "rows"}, "pairs"),
        ({"bit_serial": True}, "dac_bits"),
        ({"adc_bits": 1}, "adc_bits"),
        ({"sigma": float("nan")}, "sigma"),
        ({"g_on": 1e-6, "g_off": 1e-4}, "g_off"),
        ({"levels": 1}, "levels"),
        ({"seed": -1}, "seed"),
        ({"v_read": 0.0}, "v_read"),
        ({"v_read": "0.2"}, "v_read"),
    ],
)
def test_wrong_readouts_are_refused(read, word):
    with pytest.raises(ParameterError, match=word):
        ct.Readout(**read)


def test_voltages_beyond_the_transistors_models_are_refused(macro):
    """Outputs for 9 V and for 1000 V looked plausible."""
    array = ct.Array.of(*macro)
    most = macro[1].nfet.voltage_range_v[1]
    layer_on(array, 3, 2, v_read=most)
    with pytest.raises(ParameterError, match=r"v_read.*transistors' models"):
        layer_on(array, 3, 2, v_read=most + 0.1)
    layer_on(ct.Array.ideal(4, 4), 3, 2, v_read=9.0)


@pytest.mark.parametrize("by", ["weight", "inputs"])
def test_second_derivatives_are_refused(by):
    """Some were 0 without a word."""
    layer = layer_on(ct.Array.ideal(8, 8, **WIRES), 5, 3)
    x = double(2, 5).requires_grad_()
    leaf = layer.weight if by == "weight" else x
    torch.autograd.grad(layer(x).pow(2).sum(), leaf)
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.grad(layer(x).pow(2).sum(), leaf, create_graph=True)


def test_states_of_other_arrays_are_refused(macro):
    there = layer_on(ct.Array.of(*macro), 3, 2)
    there(double(2, 3))
    ct.calibrate_model(there, double(4, 3))
    here = layer_on(ct.Array.ideal(8, 8), 3, 2)
    with pytest.raises(ParameterError, match="no transistors"):
        here.load_state_dict(there.state_dict())
    state = here.state_dict() | {"crossbar.adc_range": torch.tensor(float("nan"))}
    with pytest.raises(ParameterError, match="adc_range"):
        here.load_state_dict(state)


def test_arrays_that_do_not_fit_are_refused(macro, tmp_path):
    network, tech = macro
    with pytest.raises(ParameterError, match="array"):
        layer_on(None, 3, 3)
    with pytest.raises(ParameterError, match="1 tier"):
        layer_on(ct.Array.ideal(4, 4, tiers=1), 3, 3, pairs="tiers")
    with pytest.raises(ParameterError, match="2 columns"):
        layer_on(ct.Array.ideal(4, 1), 3, 3)
    with pytest.raises(ParameterError, match="begin at 0 V"):
        layer_on(ct.Array.of(network, tech), 3, 3, pairs="tiers")
    with pytest.raises(ConfigError, match="no transistors"):
        ct.Array.ideal(2, 2).at(np.ones((2, 2, 2)), np.ones((2, 2)))
    with pytest.raises(ConfigError, match="read_tier"):
        ct.Array.extracted(tmp_path, read_tier="top")
    array = prepare_crossbar((1, 2, 2), row_segments=1.0, column_segments=1.0)
    with pytest.raises(DriveError, match="nan S"):
        ct.currents(array, torch.full((4,), torch.nan), double(1, 2))
