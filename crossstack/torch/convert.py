"""Whole models: mapped, calibrated, and their effective matrices handed out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..base.errors import ConfigError
from ..mapping.arrays import Array
from .core import Tiled
from .layers import CrossbarConv2d, CrossbarLinear
from .readout import Readout

Floats = NDArray[np.float64]
Choice = Array | Callable[[str, nn.Module], Array]

#: layers with parameters that are no matrix product: they stay digital
_DIGITAL = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.Embedding,
    nn.PReLU,
)


def convert(
    model: nn.Module,
    array: Choice,
    read: Readout | None = None,
    *,
    keep: str | Iterable[str] = (),
    calibrate: torch.Tensor | None = None,
) -> nn.Module:
    """Return a copy of a model whose linear and convolution layers compute on crossbars.

    Args:
        model: a trained model; it stays as it is.
        array: the crossbar of every tile, or a function of a layer's name and the layer.
        read: see `Readout`.
        keep: names of layers that stay digital, or one name, as `named_modules` has them.
        calibrate: inputs of the model, from which ranges are taken (see `calibrate_model`).

    Raises:
        ConfigError: for anything but a model and an array, a layer of weights that no crossbar
            layer stands for, a name in `keep` that there is not, or a model without a layer to map.
    """
    if not isinstance(model, nn.Module):
        raise ConfigError(f"the model is a {type(model).__name__}, allowed: a torch.nn.Module")
    if not (isinstance(array, Array) or callable(array)):
        raise ConfigError(
            f"array is a {type(array).__name__}, allowed: an Array, or a function of a layer's "
            "name and the layer that returns one"
        )
    # a text would be taken letter by letter
    made, kept = copy.deepcopy(model), {keep} if isinstance(keep, str) else set(keep)
    names = {name for name, _ in made.named_modules()}
    if unknown := sorted(kept - names):
        raise ConfigError(f"keep names {unknown[0]!r}, which the model does not have")
    done: dict[int, nn.Module] = {}
    made = _mapped(made, "", array, read, kept, done)
    if not done:
        raise ConfigError("the model has no linear or convolution layer to map")
    if calibrate is not None:
        calibrate_model(made, calibrate)
    return made


def _mapped(
    module: nn.Module,
    name: str,
    array: Choice,
    read: Readout | None,
    kept: set[str],
    done: dict[int, nn.Module],
) -> nn.Module:
    """Return what stands for a module; layers that appear twice stay one."""
    if id(module) in done:
        return done[id(module)]
    if (name and name in kept) or isinstance(module, (CrossbarLinear, CrossbarConv2d)):
        return module
    if isinstance(module, nn.modules.lazy.LazyModuleMixin):
        raise ConfigError(f"layer {name!r} is lazy: run the model once before it is mapped")
    if type(module) in (nn.Linear, nn.Conv2d):
        if hasattr(module, "parametrizations") or module._forward_hooks:
            raise ConfigError(f"layer {name!r} has parametrizations or hooks: remove or keep it")
        chosen = array if isinstance(array, Array) else array(name, module)
        kind = CrossbarLinear if isinstance(module, nn.Linear) else CrossbarConv2d
        made = kind.from_float(module, chosen, read)  # type: ignore[arg-type]
        done[id(module)] = made
        return made
    weights = [p for p in module.parameters(recurse=False) if p is None or p.dim() > 1]
    if weights and not isinstance(module, _DIGITAL):
        raise ConfigError(
            f"layer {name or 'model'!r} is a {type(module).__name__}, for which there is no "
            "crossbar layer; name it in keep to leave it digital"
        )
    for child, part in module._modules.items():  # with those that appear twice
        if part is None:
            continue
        inner = f"{name}.{child}" if name else child
        setattr(module, child, _mapped(part, inner, array, read, kept, done))
    return module


def crossbar_layers(model: nn.Module) -> Iterator[tuple[str, CrossbarLinear | CrossbarConv2d]]:
    """Yield name and layer of everything that computes on crossbars."""
    for name, module in model.named_modules():
        if isinstance(module, (CrossbarLinear, CrossbarConv2d)):
            yield name, module


def calibrate_model(model: nn.Module, inputs: torch.Tensor) -> None:
    """Take every layer's input range, ADC range and working point from some inputs of the model.

    Layers are calibrated in the order in which they compute, each on what those before give.
    """
    parts = [tiled for _, layer in crossbar_layers(model) for tiled, _ in layer.tiled]
    training = model.training
    model.eval()
    try:
        for tiled in parts:
            tiled.calibrating = True
        with torch.no_grad():
            model(inputs)
    finally:
        for tiled in parts:
            tiled.calibrating = False
        model.train(training)


def effective_matrices(model: nn.Module) -> dict[str, list[Floats]]:
    """Return what every layer multiplies by, wires included, as plain arrays.

    For programs that take a weight matrix: CrossSim, aihwkit, or numpy. Of convolutions the
    columns are those of `torch.nn.functional.unfold`. ADC, DAC and read noise are left out.

    Args:
        model: a model of crossbar layers with linear devices.

    Returns:
        Layer -> one matrix a group, shape (outputs, inputs), in units of the weights.

    Raises:
        ConfigError: for devices that are not linear.
    """
    found: dict[str, list[Floats]] = {}
    for name, layer in crossbar_layers(model):
        found[name] = []
        for tiled, weight in layer.tiled:
            if tiled.b is not None:
                raise ConfigError(f"layer {name!r}: devices that are not linear have no matrix")
            found[name].append(matrix_of(tiled, weight))
    return found


def matrix_of(tiled: Tiled, weight: torch.Tensor) -> Floats:
    """Return the effective matrix of one weight matrix on its tiles, in units of the weights."""
    out = np.zeros((tiled.out_features, tiled.in_features))
    with torch.no_grad():
        for r, tiles in enumerate(tiled.cells(weight)):
            for c, cells in enumerate(tiles):
                g = tiled.devices(cells).cpu().numpy()
                tile = tiled.array.prepared.matrix(tiled.array.prepared.spread(g))
                add_tile(out, tile, tiled, r, c)
    scale = float(tiled.weight_scale) / (tiled.g_on - tiled.g_off)
    return out * scale


def add_tile(out: Floats, tile: Floats, tiled: Tiled, r: int, c: int) -> None:
    """Add a tile's matrix, S, to that of its layer: pairs subtracted, unused lines left out."""
    rows, cols = out[c * tiled.tile_out :], slice(r * tiled.tile_in, (r + 1) * tiled.tile_in)
    part = rows[: tiled.tile_out, cols]
    no, ni = part.shape
    if tiled.read.pairs == "columns":
        part += tile[0 : 2 * no : 2, :ni] - tile[1 : 2 * no : 2, :ni]
    else:
        half = tiled.array.inputs // 2
        part += tile[:no, :ni] - tile[:no, half : half + ni]
