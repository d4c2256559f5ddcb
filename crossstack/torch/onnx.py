"""Models in ONNX files, as modules of PyTorch; needs the onnx library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..base.errors import ConfigError, FileError
from ..base.inputs import regular_file

_MOST_BYTES = 2 * 2**30


@dataclass(frozen=True)
class Step:
    """One node of a graph.

    Attributes:
        name: of its module; empty for what `kind` does.
        kind: operator.
        inputs: names of what it reads.
        output: name of what it gives.
        numbers: of the operator: axes, shapes.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    output: str
    numbers: tuple[int, ...] = ()


class Graph(nn.Module):
    """A model read from a file: its nodes in their order; layers are modules of PyTorch's own."""

    def __init__(self, source: str, result: str) -> None:
        """Begin with nothing.

        Args:
            source: name of the input.
            result: name of the output.
        """
        super().__init__()
        self.source, self.result = source, result
        self.steps: list[Step] = []
        self.constants: dict[str, str] = {}

    def constant(self, name: str, value: torch.Tensor) -> None:
        """Keep a constant under the name that nodes know it by."""
        if name not in self.constants:
            self.constants[name] = f"constant_{len(self.constants)}"
            self.register_buffer(self.constants[name], value)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run all nodes."""
        known = {self.source: x}
        known |= {name: getattr(self, buffer) for name, buffer in self.constants.items()}
        for step in self.steps:
            values = [known[name] for name in step.inputs]
            if step.name:
                known[step.output] = self._modules[step.name](values[0])  # type: ignore[misc]
            else:
                known[step.output] = _PLAIN[step.kind](values, step.numbers)
        return known[self.result]


def _reshaped(values: Sequence[torch.Tensor], shape: tuple[int, ...]) -> torch.Tensor:
    x = values[0]
    # the first axis is that of the vectors, however many a file was written with
    inner = [x.shape[k + 1] if n == 0 else n for k, n in enumerate(shape[1:])]
    return x.reshape(len(x), *inner)


def _flat(values: Sequence[torch.Tensor], axis: tuple[int, ...]) -> torch.Tensor:
    return values[0].flatten(axis[0])


_PLAIN: dict[str, Callable[[Sequence[torch.Tensor], tuple[int, ...]], torch.Tensor]] = {
    "Add": lambda v, _: v[0] + v[1],
    "Sub": lambda v, _: v[0] - v[1],
    "Mul": lambda v, _: v[0] * v[1],
    "Div": lambda v, _: v[0] / v[1],
    "Concat": lambda v, axis: torch.cat(list(v), dim=axis[0]),
    "ReduceMean": lambda v, numbers: v[0].mean(dim=numbers[1:], keepdim=bool(numbers[0])),
    "GlobalAveragePool": lambda v, _: v[0].mean(dim=(2, 3), keepdim=True),
    "Flatten": _flat,
    "Reshape": _reshaped,
}


def load_onnx(path: Path) -> nn.Module:
    """Read a model of one input and one output.

    Raises:
        ConfigError: without the onnx library, or for a node that is not read, by its name.
        FileError: if it is no ONNX file, or holds its weights in others.
    """
    regular_file(path, _MOST_BYTES)
    try:
        onnx: Any = import_module("onnx")
    except ImportError:
        raise ConfigError("ONNX files need the onnx library: pip install 'crossstack[onnx]'") from (
            None
        )
    try:
        graph = onnx.load_model_from_string(path.read_bytes()).graph
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        raise FileError(f"{path} is not a readable ONNX file ({reason})") from None
    return _Reader(onnx, graph, path).model()


class _Reader:
    """What turns a file's graph into modules."""

    def __init__(self, onnx: Any, graph: Any, path: Path) -> None:
        self.onnx, self.graph, self.path = onnx, graph, path
        self.known: dict[str, torch.Tensor] = {}
        for stored in graph.initializer:
            if stored.data_location == onnx.TensorProto.EXTERNAL:
                raise FileError(
                    f"{path} keeps {stored.name!r} in another file; store the model as one"
                )
            self.known[stored.name] = self._tensor(stored)

    def _tensor(self, stored: Any) -> torch.Tensor:
        try:
            value = torch.from_numpy(self.onnx.numpy_helper.to_array(stored).copy())
        except Exception as error:
            raise FileError(f"{self.path}: {stored.name!r} cannot be read ({error})") from None
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise ConfigError(f"{self.path}: {stored.name!r} holds nan or inf")
        return value

    def model(self) -> nn.Module:
        """Return the whole graph."""
        inputs = [v.name for v in self.graph.input if v.name not in self.known]
        outputs = [v.name for v in self.graph.output]
        if len(inputs) != 1 or len(outputs) != 1:
            raise ConfigError(
                f"{self.path} has {len(inputs)} inputs and {len(outputs)} outputs, allowed: 1 and 1"
            )
        made = Graph(inputs[0], outputs[0])
        for number, node in enumerate(self.graph.node):
            self._add(made, node, number)
        if outputs[0] not in {made.source, *(step.output for step in made.steps)}:
            raise ConfigError(f"{self.path}: its output {outputs[0]!r} does not come of its input")
        return made.eval()

    def _add(self, made: Graph, node: Any, number: int) -> None:
        asked = {a.name: self.onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.domain not in ("", "ai.onnx"):
            raise self._refused(node, f"operators of ONNX itself, not of {node.domain[:60]!r}")
        if node.op_type == "Constant":
            self.known[node.output[0]] = self._constant(node, asked)
            return
        here = {made.source, *(step.output for step in made.steps)}
        names = list(node.input)
        found = self._module(node, asked)
        if found is not None:
            if names[0] not in here or any(n and n not in self.known for n in names[1:]):
                raise self._refused(node, "one input, and weights that are constant")
            name = f"{node.op_type.lower()}_{number}"
            made.add_module(name, found)
            made.steps.append(Step(name, node.op_type, (names[0],), node.output[0]))
            return
        if node.op_type not in _PLAIN:
            readable = ", ".join(sorted({*_PLAIN, *_LAYERS, "Constant"}))
            raise self._refused(node, readable)
        numbers = self._numbers(node, asked)
        used = names[:1] if node.op_type in ("Reshape", "ReduceMean") else names
        for name in used:
            if name in self.known:
                made.constant(name, self.known[name])
            elif name not in here:
                raise self._refused(node, f"inputs that come before it, not {name!r}")
        made.steps.append(Step("", node.op_type, tuple(used), node.output[0], numbers))

    def _constant(self, node: Any, asked: Mapping[str, Any]) -> torch.Tensor:
        if "value" in asked:
            return self._tensor(asked["value"])
        for name in ("value_int", "value_ints", "value_float", "value_floats"):
            if name in asked:
                return torch.tensor(asked[name])
        raise self._refused(node, "a tensor or numbers as its value")

    def _module(self, node: Any, asked: Mapping[str, Any]) -> nn.Module | None:
        layer = _LAYERS.get(node.op_type)
        if layer is None:
            return None
        given = [self.known.get(name) for name in node.input[1:]]
        try:
            found = layer(given, asked)
        except (ValueError, IndexError, AttributeError, TypeError, RuntimeError) as error:
            raise self._refused(node, f"another form ({error})") from None
        return found

    def _numbers(self, node: Any, asked: Mapping[str, Any]) -> tuple[int, ...]:
        second = self.known.get(node.input[1]) if len(node.input) > 1 else None
        if node.op_type not in ("Reshape", "ReduceMean"):
            second = None
        if second is not None and (second.dim() != 1 or second.is_floating_point()):
            raise self._refused(node, "whole numbers as its second input")
        if node.op_type == "Reshape":
            if second is None or not len(second) or int(second[0]) not in (-1, 0, 1):
                raise self._refused(node, "a constant shape whose first axis is -1, 0 or 1")
            return tuple(int(n) for n in second)
        if node.op_type == "Flatten":
            if asked.get("axis", 1) != 1:
                raise self._refused(node, "axis 1")
            return (1,)
        if node.op_type == "Concat":
            if asked["axis"] == 0:
                raise self._refused(node, "another axis than that of the vectors")
            return (int(asked["axis"]),)
        if node.op_type == "ReduceMean":
            axes = second.tolist() if second is not None else asked.get("axes", ())
            if not axes or 0 in axes:
                raise self._refused(node, "constant axes other than that of the vectors")
            return (int(asked.get("keepdims", 1)), *(int(n) for n in axes))
        return ()

    def _refused(self, node: Any, allowed: str) -> ConfigError:
        name = node.name or ", ".join(node.output)
        return ConfigError(f"{self.path}: node {name[:60]!r} is {node.op_type}, allowed: {allowed}")


Given = Sequence["torch.Tensor | None"]


def _weights(kind: nn.Module, weight: torch.Tensor, bias: torch.Tensor | None) -> nn.Module:
    with torch.no_grad():
        kind.weight.copy_(weight)  # type: ignore[operator, union-attr]
        if bias is not None:
            kind.bias.copy_(bias)  # type: ignore[operator, union-attr]
    return kind


def _gemm(given: Given, asked: Mapping[str, Any]) -> nn.Module:
    weight, bias = given[0], given[1] if len(given) > 1 else None
    scales = asked.get("alpha", 1.0), asked.get("beta", 1.0)
    if weight is None or weight.dim() != 2 or scales != (1.0, 1.0) or asked.get("transA", 0):
        raise ValueError("constant weights, alpha and beta 1, transA 0")
    weight = weight if asked.get("transB", 0) else weight.T
    return _weights(nn.Linear(weight.shape[1], len(weight), bias is not None), weight, bias)


def _conv(given: Given, asked: Mapping[str, Any]) -> nn.Module:
    weight, bias = given[0], given[1] if len(given) > 1 else None
    if weight is None or weight.dim() != 4:
        raise ValueError("constant weights of two axes in space")
    groups = int(asked.get("group", 1))
    size = int(weight.shape[2]), int(weight.shape[3])
    layer = nn.Conv2d(
        weight.shape[1] * groups, len(weight), size,
        stride=tuple(asked.get("strides", (1, 1))), padding=_padding(asked),
        dilation=tuple(asked.get("dilations", (1, 1))), groups=groups, bias=bias is not None,
    )  # fmt: skip
    return _weights(layer, weight, bias)


def _padding(asked: Mapping[str, Any]) -> tuple[int, int]:
    if asked.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise ValueError("auto_pad NOTSET or VALID")
    top, left, bottom, right = asked.get("pads", (0, 0, 0, 0))
    if (top, left) != (bottom, right):
        raise ValueError("pads that are equal at both ends")
    return int(top), int(left)


def _pool(kind: type[nn.Module]) -> Callable[[Given, Mapping[str, Any]], nn.Module]:
    def made(given: Given, asked: Mapping[str, Any]) -> nn.Module:
        size = tuple(asked["kernel_shape"])
        if len(size) != 2 or set(asked.get("dilations", (1,))) != {1}:
            raise ValueError("two axes in space, dilations 1")
        more: dict[str, Any] = {"ceil_mode": bool(asked.get("ceil_mode", 0))}
        if kind is nn.AvgPool2d:
            more["count_include_pad"] = bool(asked.get("count_include_pad", 0))
        return kind(size, tuple(asked.get("strides", (1, 1))), _padding(asked), **more)

    return made


def _norm(given: Given, asked: Mapping[str, Any]) -> nn.Module:
    if asked.get("training_mode", 0):
        raise ValueError("training_mode 0")
    scale, shift, mean, var = given
    assert scale is not None
    assert mean is not None
    assert var is not None
    layer = nn.BatchNorm2d(len(scale), eps=float(asked.get("epsilon", 1e-5)))
    layer.running_mean, layer.running_var = mean.clone(), var.clone()
    return _weights(layer, scale, shift)


def _clip(given: Given, asked: Mapping[str, Any]) -> nn.Module:
    ends = [asked.get("min"), asked.get("max")]
    for k, value in enumerate(given[:2]):
        ends[k] = ends[k] if value is None else float(value)
    low, high = (-torch.inf if ends[0] is None else ends[0], ends[1])
    return nn.Hardtanh(low, torch.inf if high is None else high)


_LAYERS: dict[str, Callable[[Given, Mapping[str, Any]], nn.Module]] = {
    "Gemm": _gemm,
    "MatMul": lambda given, _: _gemm(given[:1], {}),
    "Conv": _conv,
    "BatchNormalization": _norm,
    "MaxPool": _pool(nn.MaxPool2d),
    "AveragePool": _pool(nn.AvgPool2d),
    "Clip": _clip,
    "Relu": lambda *_: nn.ReLU(),
    "Sigmoid": lambda *_: nn.Sigmoid(),
    "Tanh": lambda *_: nn.Tanh(),
    "LeakyRelu": lambda _, asked: nn.LeakyReLU(asked.get("alpha", 0.01)),
    "Elu": lambda _, asked: nn.ELU(asked.get("alpha", 1.0)),
    "Softmax": lambda _, asked: nn.Softmax(dim=asked.get("axis", -1)),
    "LogSoftmax": lambda _, asked: nn.LogSoftmax(dim=asked.get("axis", -1)),
    "Dropout": lambda *_: nn.Identity(),
    "Identity": lambda *_: nn.Identity(),
}
