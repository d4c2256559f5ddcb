"""Layers whose products are done by crossbars."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from ..base.errors import ConfigError, ParameterError
from ..mapping.arrays import Array
from .core import Tiled
from .readout import Readout


class CrossbarLinear(nn.Linear):
    """`torch.nn.Linear` on crossbar tiles; the bias is added digitally.

    Args:
        in_features: inputs.
        out_features: outputs.
        bias: whether there is one.
        array: the crossbar of every tile.
        read: see `Readout`.
        dtype: of weights and results; the currents are computed in double precision.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        array: Array,
        read: Readout | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        _check_sizes(0, in_features=in_features, out_features=out_features)
        super().__init__(in_features, out_features, bias, dtype=dtype)
        self.crossbar = Tiled(array, read or Readout(), in_features, out_features)
        self.crossbar.rescale(self.weight)

    @classmethod
    def from_float(
        cls, layer: nn.Linear, array: Array, read: Readout | None = None
    ) -> CrossbarLinear:
        """Return a layer with the weights of a trained one."""
        made = cls(
            layer.in_features, layer.out_features, layer.bias is not None,
            array=array, read=read, dtype=layer.weight.dtype,
        )  # fmt: skip
        _take(made, layer)
        made.crossbar.rescale(made.weight)
        return made

    @property
    def tiled(self) -> list[tuple[Tiled, torch.Tensor]]:
        """The matrices on tiles, and their weights."""
        return [(self.crossbar, self.weight)]

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        super()._load_from_state_dict(state, prefix, *rest)
        _rescale_plain(self, state, prefix)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See `torch.nn.Linear`."""
        _check_tensor(x)
        if x.shape[-1:] != (self.in_features,):
            raise ConfigError(
                f"inputs have shape {tuple(x.shape)}, the layer takes (..., {self.in_features})"
            )
        flat = x.reshape(-1, self.in_features)
        out = self.crossbar.product(flat, self.weight).to(x.dtype)
        out = out.reshape(*x.shape[:-1], self.out_features)
        return out if self.bias is None else out + self.bias


class CrossbarConv2d(nn.Conv2d):
    """`torch.nn.Conv2d` on crossbar tiles: every place of the kernel is one vector of inputs.

    Args:
        in_channels: see `torch.nn.Conv2d`; so are the others.
        out_channels: see there.
        kernel_size: see there.
        array: the crossbar of every tile.
        read: see `Readout`.
        **options: stride, padding, dilation, groups, bias, padding_mode, dtype.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        array: Array,
        read: Readout | None = None,
        **options: Any,
    ) -> None:
        _check_sizes(1, in_channels=in_channels, out_channels=out_channels)
        super().__init__(in_channels, out_channels, kernel_size, **options)
        each = self.weight[0].numel()
        # every group is a matrix of its own
        self.crossbars = nn.ModuleList(
            Tiled(array, read or Readout(), each, out_channels // self.groups)
            for _ in range(self.groups)
        )
        for tiled, weight in self.tiled:
            tiled.rescale(weight)

    @classmethod
    def from_float(
        cls, layer: nn.Conv2d, array: Array, read: Readout | None = None
    ) -> CrossbarConv2d:
        """Return a layer with the weights of a trained one."""
        made = cls(
            layer.in_channels, layer.out_channels, layer.kernel_size,  # type: ignore[arg-type]
            array=array, read=read, stride=layer.stride, padding=layer.padding,
            dilation=layer.dilation, groups=layer.groups, bias=layer.bias is not None,
            padding_mode=layer.padding_mode, dtype=layer.weight.dtype,
        )  # fmt: skip
        _take(made, layer)
        for tiled, weight in made.tiled:
            tiled.rescale(weight)
        return made

    @property
    def tiled(self) -> list[tuple[Tiled, torch.Tensor]]:
        """The matrices on tiles, one a group, and their weights."""
        parts = self.weight.reshape(self.groups, self.out_channels // self.groups, -1)
        return [(self.crossbars[k], parts[k]) for k in range(self.groups)]  # type: ignore[misc]

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        super()._load_from_state_dict(state, prefix, *rest)
        _rescale_plain(self, state, prefix)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See `torch.nn.Conv2d`."""
        _check_tensor(x)
        alone = x.dim() == 3
        images = x.unsqueeze(0) if alone else x
        if images.dim() != 4 or images.shape[1] != self.in_channels:
            raise ConfigError(
                f"inputs have shape {tuple(x.shape)}, the layer takes (images, "
                f"{self.in_channels}, height, width)"
            )
        mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
        padded = nn.functional.pad(images, self._reversed_padding_repeated_twice, mode=mode)
        size = [
            (padded.shape[2 + k] - self.dilation[k] * (self.kernel_size[k] - 1) - 1)
            // self.stride[k] + 1
            for k in range(2)
        ]  # fmt: skip
        columns = nn.functional.unfold(
            padded, self.kernel_size, dilation=self.dilation, stride=self.stride
        )
        batch, each = len(images), self.weight[0].numel()
        places = columns.shape[2]
        grouped = columns.reshape(batch, self.groups, each, places)
        parts = []
        for k, (tiled, weight) in enumerate(self.tiled):
            vectors = grouped[:, k].transpose(1, 2).reshape(-1, each)
            parts.append(tiled.product(vectors, weight).reshape(batch, places, len(weight)))
        out = torch.cat(parts, dim=2).transpose(1, 2).to(x.dtype)
        out = out.reshape(batch, self.out_channels, *size)
        if self.bias is not None:
            out = out + self.bias[:, None, None]
        return out[0] if alone else out


def _check_sizes(least: int, **sizes: Any) -> None:
    """Refuse numbers of inputs and outputs that there cannot be.

    Raises:
        ParameterError: naming the first.
    """
    for name, value in sizes.items():
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or value < least:
            raise ParameterError(name, value, f"a whole number, {least} or more")


def _check_tensor(x: Any) -> None:
    """Refuse inputs that PyTorch does not know.

    Raises:
        ConfigError: naming what they are.
    """
    if not isinstance(x, torch.Tensor):
        raise ConfigError(
            f"inputs of a crossbar layer are a {type(x).__name__}, allowed: a tensor "
            "(torch.as_tensor)"
        )


def _rescale_plain(
    layer: CrossbarLinear | CrossbarConv2d, state: dict[str, Any], prefix: str
) -> None:
    """Take the scale of weights that were stored by a plain layer."""
    if any(key.startswith(prefix) and key.endswith(".weight_scale") for key in state):
        return
    for tiled, weight in layer.tiled:
        tiled.rescale(weight)


def _take(made: nn.Linear | nn.Conv2d, layer: nn.Linear | nn.Conv2d) -> None:
    """Copy weights and whether they are trained."""
    with torch.no_grad():
        for name in ("weight", "bias"):
            mine, theirs = getattr(made, name), getattr(layer, name)
            if mine is not None:
                mine.copy_(theirs)
                mine.requires_grad_(theirs.requires_grad)
    made.train(layer.training)
