"""Models in ONNX files: what they compute is what PyTorch computes, the rest is refused by name."""

import os

import numpy as np
import pytest

from crossstack.base.errors import ConfigError, FileError

if "CI" in os.environ:
    import onnx
    import torch
else:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make torch")
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: crossstack[onnx]")

from onnx import helper, numpy_helper

from crossstack.torch import convert
from crossstack.torch.files import load_model


def stored(path, nodes, weights, shape=("n", 2, 6, 6), **changes):
    """Write a model whose nodes are (operator, inputs, output, attributes)."""
    made = [
        helper.make_node(kind, inputs, [out], name=f"node_{out}", **asked)
        for kind, inputs, out, asked in nodes
    ]
    graph = helper.make_graph(
        made, "g", [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )  # fmt: skip
    model = helper.make_model(graph)
    for key, value in changes.items():
        setattr(model.graph.node[0], key, value)
    path.write_bytes(model.SerializeToString())
    return path


def some(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def residual(path):
    """A small ResNet: two convolutions whose input is added to what they give."""
    weights = {
        "w0": some(4, 2, 3, 3), "b0": some(4), "w1": some(4, 2, 3, 3, seed=1),
        "s": 1 + 0.1 * some(4), "h": some(4), "m": some(4), "v": 1 + some(4) ** 2,
        "shape": np.array([1, -1]), "w2": some(36, 3), "b2": some(3),
        "w3": some(5, 3), "b3": some(5), "low": np.float32(0), "high": np.float32(2),
    }  # fmt: skip
    nodes = [
        ("Conv", ["x", "w0", "b0"], "a", {"pads": [1, 1, 1, 1]}),
        ("Relu", ["a"], "b", {}),
        ("Conv", ["b", "w1"], "c", {"pads": [1, 1, 1, 1], "group": 2}),
        ("BatchNormalization", ["c", "s", "h", "m", "v"], "d", {"epsilon": 1e-4}),
        ("Add", ["d", "a"], "e", {}),
        ("Clip", ["e", "low", "high"], "f", {}),
        ("MaxPool", ["f"], "g", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Reshape", ["g", "shape"], "i", {}),
        ("MatMul", ["i", "w2"], "j", {}),
        ("Add", ["j", "b2"], "k", {}),
        ("Gemm", ["k", "w3", "b3"], "l", {"transB": 1}),
        ("Softmax", ["l"], "y", {"axis": 1}),
    ]
    return stored(path, nodes, weights), weights


def test_branches_join_again(tmp_path):
    path, w = residual(tmp_path / "m.onnx")
    w = {name: torch.from_numpy(np.asarray(value)) for name, value in w.items()}
    f = torch.nn.functional
    x = torch.from_numpy(some(3, 2, 6, 6, seed=7))
    a = f.conv2d(x, w["w0"], w["b0"], padding=1)
    c = f.conv2d(a.relu(), w["w1"], padding=1, groups=2)
    d = f.batch_norm(c, w["m"], w["v"], w["s"], w["h"], eps=1e-4)
    pooled = f.max_pool2d((d + a).clamp(0, 2), 2).reshape(3, -1)
    want = f.linear(pooled @ w["w2"] + w["b2"], w["w3"], w["b3"]).softmax(dim=1)
    model = load_model(path)
    with torch.no_grad():
        assert torch.allclose(model(x), want, rtol=1e-4, atol=1e-6)
        from crossstack.mapping.arrays import Array

        made = convert(model.double(), Array.ideal(8, 8), calibrate=x.double())
        assert torch.allclose(made(x.double()).float(), want, rtol=1e-4, atol=1e-6)


def test_it_maps(crossstack, tmp_path):
    path, _ = residual(tmp_path / "m.onnx")
    np.savez(tmp_path / "d.npz", x=some(6, 2, 6, 6), y=np.arange(6) % 5)
    ran = crossstack("map", path, "--data", tmp_path / "d.npz", "--tile", "8x8", "--json")
    assert ran.code == 0, ran.err
    assert [layer["layer"] for layer in ran.json["arrays"][0]["layers"]] == [
        "conv_0", "conv_2", "matmul_8", "gemm_10",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "inputs", "asked", "changes", "words"),
    [
        ("LSTM", ["x", "w"], {}, {}, "LSTM, allowed: .*Conv"),
        ("Conv", ["x", "w"], {"pads": [1, 1, 0, 1]}, {}, "equal at both ends"),
        ("Conv", ["x", "w"], {"auto_pad": "SAME_UPPER"}, {}, "auto_pad"),
        ("Conv", ["x", "x"], {}, {}, "constant weights"),
        ("Relu", ["flat"], {}, {}, "one input"),
        ("Gemm", ["x", "w"], {}, {}, "constant weights"),
        ("Gemm", ["x", "flat"], {"alpha": 2.0}, {}, "alpha and beta 1"),
        ("Add", ["x", "later"], {}, {}, "come before it, not 'later'"),
        ("Reshape", ["x", "flat"], {}, {}, "whole numbers"),
        ("Reshape", ["x", "seven"], {}, {}, "first axis"),
        ("Relu", ["x"], {}, {"domain": "org.other"}, "org.other"),
        ("Conv", ["x", "bad"], {}, {}, "nan or inf"),
    ],
)
def test_what_is_not_read_is_refused(tmp_path, kind, inputs, asked, changes, words):
    weights = {"w": some(4, 2, 3, 3), "flat": 7 + np.abs(some(2, 2)), "seven": np.array([7])}
    if "bad" in inputs:
        weights["bad"] = np.full((4, 2, 3, 3), np.nan, dtype=np.float32)
    path = stored(tmp_path / "m.onnx", [(kind, inputs, "y", asked)], weights, **changes)
    with pytest.raises(ConfigError, match=words):
        load_model(path)


def test_files_that_are_none_are_refused(tmp_path):
    path = tmp_path / "m.onnx"
    for data in (b"no model", b"\xff" * 100):
        path.write_bytes(data)
        with pytest.raises((FileError, ConfigError)):
            load_model(path)
    outside, _ = residual(path)
    model = onnx.load_model_from_string(outside.read_bytes())
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    path.write_bytes(model.SerializeToString())
    with pytest.raises(FileError, match="another file"):
        load_model(path)
