"""A weight matrix on tiles of one array: what linear and convolution layers share."""

from __future__ import annotations

import warnings
from math import nan
from typing import Any

import torch
from torch import nn

from ..base.errors import ConfigError, ParameterError
from ..mapping.arrays import Array
from ..mapping.tiles import Tile
from .function import currents
from .readout import Readout

#: range of inputs before any were seen
_NO_RANGE = 1.0


class Tiled(nn.Module):
    """Mapping, tiles and read-out of one weight matrix; a layer holds the weights themselves.

    Attributes:
        array: the crossbar of every tile.
        read: what stands between numbers and the array.
        in_features, out_features: of the weight matrix.
        in_tiles, out_tiles: how many tiles it is cut into.
        measured: (vectors, reads of each, mean power of all tiles in W) of every product, while
            somebody asks; of tiles that are `fixed`, devices of lines without resistance.
        fixed: matrices of its tiles, solved elsewhere, to compute with; None for its own.
    """

    weight_scale: torch.Tensor
    input_scale: torch.Tensor
    adc_range: torch.Tensor
    variation: torch.Tensor | None
    point_cells: torch.Tensor | None
    point_volts: torch.Tensor | None

    def __init__(self, array: Array, read: Readout, in_features: int, out_features: int) -> None:
        """Cut the matrix.

        Raises:
            ParameterError: for a value of the read-out that the array does not allow.
        """
        super().__init__()
        if not isinstance(array, Array):
            raise ParameterError("array", array, "an Array: Array.ideal(...) or .extracted(...)")
        self.array, self.read, self.calibrating = array, read, False
        self._warned = False
        self.fixed: list[list[Tile]] | None = None
        self.measured: list[tuple[int, int, float]] | None = None
        self.in_features, self.out_features = in_features, out_features
        m = array.memristor
        self.g_on = read.g_on or 1.0 / m.r_on_ohm
        self.g_off = read.g_off or 1.0 / m.r_off_ohm
        self.v_read = read.v_read or m.v_read_v
        if self.v_read > array.most_v:
            allowed = f"at most {array.most_v:g} V, where the transistors' models end"
            raise ParameterError("v_read", self.v_read, allowed)
        if not self.g_off < self.g_on:
            raise ParameterError("g_off", self.g_off, f"below g_on, {self.g_on:g} S")
        self.tile_in, self.tile_out = self._tile()
        self.in_tiles = -(-in_features // self.tile_in)
        self.out_tiles = -(-out_features // self.tile_out)
        for name, value in (("weight_scale", 1.0), ("input_scale", _NO_RANGE), ("adc_range", 0.0)):
            self.register_buffer(name, torch.tensor(value, dtype=torch.float64))
        self.register_buffer("variation", None)
        self.register_buffer("point_cells", None)
        self.register_buffer("point_volts", None)
        if read.sigma:
            self.program(read.seed)
        prepared = array.prepared
        self._source = torch.from_numpy(prepared.source.copy())
        self._sink = torch.from_numpy(prepared.sink.copy())
        b = read.b if read.law == "sinh" else None
        # a parameter of the devices, not trained unless asked for
        self.b = None if b is None else nn.Parameter(
            torch.tensor(b, dtype=torch.float64), requires_grad=False
        )  # fmt: skip

    def _tile(self) -> tuple[int, int]:
        """Inputs and outputs of one tile.

        Raises:
            ParameterError: for pairs or polarities that the array does not have.
        """
        array, read = self.array, self.read
        negative_v = read.pairs == "tiers" or read.negative == "bipolar"
        if negative_v and array.transistors:
            raise ParameterError(
                "pairs" if read.pairs == "tiers" else "negative",
                read.pairs if read.pairs == "tiers" else read.negative,
                "pairs 'columns' and negative 'split' or 'auto' for an array with transistors, "
                "whose models begin at 0 V",
            )
        if read.pairs == "tiers":
            if array.tiers != 2 or array.inputs % 2:
                raise ParameterError(
                    "pairs", "tiers", f"'columns' for {array.text}: it reads {array.tiers} tier"
                )
            return array.inputs // 2, array.outputs
        if array.outputs < 2:
            raise ParameterError("pairs", "columns", f"an array of 2 columns or more: {array.text}")
        return array.inputs, array.outputs // 2

    @property
    def tiles(self) -> int:
        """Number of tiles."""
        return self.in_tiles * self.out_tiles

    def program(self, seed: int | None = None) -> None:
        """Draw every device's deviation anew, as another chip would have it.

        Args:
            seed: equal seeds, equal devices; None takes PyTorch's own generator.
        """
        if not self.read.sigma:
            return
        source = None if seed is None else torch.Generator().manual_seed(seed)
        shape = (2, self.out_features, self.in_features)
        self.variation = torch.randn(shape, generator=source, dtype=torch.float64)

    def rescale(self, weight: torch.Tensor) -> None:
        """Take the largest weight for a device that is on and its partner that is off."""
        self._check_weight(weight)
        most = float(weight.detach().abs().max()) if weight.numel() else 0.0
        self.weight_scale.fill_(most if most > 0 else 1.0)

    @staticmethod
    def _check_weight(weight: torch.Tensor) -> None:
        """Refuse weights that no device stands for.

        Raises:
            ParameterError: naming the first.
        """
        good = torch.isfinite(weight.detach())
        if not good.all():
            at = tuple((~good).nonzero()[0].tolist())
            raise ParameterError(f"weight{list(at)}", float(weight.detach()[at]), "finite")

    def cells(self, weight: torch.Tensor) -> list[list[torch.Tensor]]:
        """Conductance at every crossing of every tile: [input tile][output tile], S.

        Args:
            weight: shape (out_features, in_features).
        """
        # a weight of 0 has one derivative only: that of the positive device
        share = (weight.double() / self.weight_scale.double()).clamp(-1.0, 1.0)
        pair = torch.stack([share.clamp(min=0.0), torch.relu(-share)])
        if self.read.levels:
            pair = _straight(
                pair, torch.round(pair * (self.read.levels - 1)) / (self.read.levels - 1)
            )
        siemens = self.g_off + pair * (self.g_on - self.g_off)
        if self.variation is not None:
            siemens = siemens * torch.exp(self.read.sigma * self.variation.double())
        return [
            [self._placed(siemens, r, c) for c in range(self.out_tiles)]
            for r in range(self.in_tiles)
        ]

    def _placed(self, siemens: torch.Tensor, r: int, c: int) -> torch.Tensor:
        """One tile, unused devices off; shape (array inputs, array outputs)."""
        rows = slice(r * self.tile_in, min((r + 1) * self.tile_in, self.in_features))
        cols = slice(c * self.tile_out, min((c + 1) * self.tile_out, self.out_features))
        plus, minus = siemens[:, cols, rows].transpose(1, 2)
        ni, no = plus.shape
        off = plus.new_full((self.array.inputs, self.array.outputs), self.g_off)
        if self.read.pairs == "columns":
            off[:ni, 0 : 2 * no : 2] = plus
            off[:ni, 1 : 2 * no : 2] = minus
        else:
            half = self.array.inputs // 2
            off[:ni, :no] = plus
            off[half : half + ni, :no] = minus
        return off

    def devices(self, cells: torch.Tensor) -> torch.Tensor:
        """Conductances of a tile's devices in the array's order."""
        found = cells[self._source, self._sink.clamp(min=0)]
        return torch.where(self._sink >= 0, found, self.g_off)

    def product(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Multiply vectors by the weights on the tiles, in double precision.

        Args:
            x: shape (vectors, in_features).
            weight: shape (out_features, in_features).

        Raises:
            ConfigError: for inputs that are not finite, or no real floating-point numbers.
        """
        self._check_weight(weight)
        if not x.is_floating_point():
            raise ConfigError(f"inputs of a crossbar layer are {x.dtype}, allowed: floating point")
        if not len(x):
            return x.double() @ weight.double().T
        if not torch.isfinite(x.detach()).all():
            raise ConfigError("inputs of a crossbar layer hold nan or inf")
        x = x.double()
        if self.calibrating:
            self._take_scale(x, weight)
        self._warn_of_clipping(x)
        share = (x / self.input_scale.double()).clamp(-1.0, 1.0)
        reads = self._reads(share)
        many = torch.cat([volts for _, volts in reads]) * self.v_read
        out, most = x.new_zeros((len(x), self.out_features)), 0.0
        grid: list[list[Any]] = self.cells(weight) if self.fixed is None else [*self.fixed]
        for r, tiles in enumerate(grid):
            volts = self._wired(many, r)
            for c, tile in enumerate(tiles):
                amps = self._amps(tile, volts)
                pairs = self._pairs(amps)
                most = max(most, float(pairs.detach().abs().max()))
                taken = self._digital(pairs).reshape(len(reads), len(x), -1)
                parts = [part * taken[k] for k, (part, _) in enumerate(reads)]
                total = torch.stack(parts).sum(0)
                first = c * self.tile_out
                width = min(self.tile_out, self.out_features - first)
                out = out + nn.functional.pad(
                    total[:, :width], (first, self.out_features - first - width)
                )
        if self.measured is not None:
            self.measured.append((len(x), len(reads), self._watt(many, grid)))
        if self.calibrating and most > 0:
            self.adc_range.fill_(most)
        scale = self.weight_scale.double() * self.input_scale.double()
        return out * scale / ((self.g_on - self.g_off) * self.v_read)

    def _warn_of_clipping(self, x: torch.Tensor) -> None:
        most, reach = float(x.detach().abs().max()), float(self.input_scale)
        # a range that was taken from inputs is meant to cut off what others have beyond
        if reach == _NO_RANGE < most and not self._warned:
            self._warned = True
            warnings.warn(
                f"inputs of a crossbar layer reach {most:.4g} and are cut off at {reach:.4g}, the "
                "range of its DAC: calibrate_model takes the range from some inputs",
                stacklevel=4,
            )

    def _watt(self, share: torch.Tensor, grid: list[list[Any]]) -> float:
        """Mean power over all reads of tiles given by their matrices."""
        total = 0.0
        for r, tiles in enumerate(grid):
            square = self._wired(share, r).detach().double().square().mean(dim=0)
            total += sum(float(torch.from_numpy(t.matrix).sum(dim=0) @ square) for t in tiles)
        return total

    def _amps(self, tile: torch.Tensor | Tile, volts: torch.Tensor) -> torch.Tensor:
        """Currents of a tile, given by its conductances or by its matrix."""
        if isinstance(tile, Tile):
            return volts @ torch.from_numpy(tile.matrix).T + torch.from_numpy(tile.constant)
        return currents(self.array.prepared, self.devices(tile), volts, self.b)

    def _take_scale(self, x: torch.Tensor, weight: torch.Tensor) -> None:
        """Take the range of inputs, and the transistors' working point, from vectors."""
        most = float(x.detach().abs().max())
        if most > 0:
            self.input_scale.fill_(most)
        if not self.array.transistors:
            return
        with torch.no_grad():
            mean = self.v_read * (x.abs() / self.input_scale).clamp(0.0, 1.0).mean(dim=0)
            grid = self.cells(weight)
            self.point_cells = torch.stack([t for row in grid for t in row]).mean(dim=0)
            padded = mean.new_zeros(self.in_tiles * self.tile_in)
            padded[: self.in_features] = mean
            self.point_volts = padded.reshape(self.in_tiles, self.tile_in).mean(dim=0)
        self._work_at_point()

    def _work_at_point(self) -> None:
        assert self.point_cells is not None
        assert self.point_volts is not None
        self.array = self.array.at_mean(
            self.point_cells.double().cpu().numpy(), self.point_volts.double().cpu().numpy()
        )

    def _reads(self, share: torch.Tensor) -> list[tuple[float, torch.Tensor]]:
        """Reads of which a product consists: what each counts, and its inputs from -1 to 1."""
        read = self.read
        split = read.negative == "split" or (read.negative == "auto" and self.array.transistors)
        signed = [(1.0, share)]
        if split and bool((share.detach() < 0).any()):
            signed = [(1.0, share.clamp(min=0.0)), (-1.0, torch.relu(-share))]
        if not read.dac_bits:
            return signed
        most = 2**read.dac_bits - 1
        found = []
        for part, values in signed:
            whole = torch.round(values.detach() * most)
            if not read.bit_serial:
                found.append((part, _straight(values, whole / most)))
                continue
            for k in range(read.dac_bits):
                bit = torch.remainder(torch.floor(whole.abs() / 2**k), 2) * torch.sign(whole)
                # the weights of all bits add up to one, so that each may have the whole slope
                found.append((part * 2**k / most, _straight(values, bit)))
        return found

    def _wired(self, share: torch.Tensor, r: int) -> torch.Tensor:
        """Voltages of a tile's rows, unused ones at 0 V."""
        mine = share[:, r * self.tile_in : (r + 1) * self.tile_in]
        mine = nn.functional.pad(mine, (0, self.tile_in - mine.shape[1]))
        return torch.cat([mine, -mine], dim=1) if self.read.pairs == "tiers" else mine

    def _pairs(self, amps: torch.Tensor) -> torch.Tensor:
        """What the read-out takes of every pair, noise included, A."""
        if self.read.read_noise:
            level = self.read.read_noise * self.g_on * self.v_read
            amps = amps + level * torch.randn_like(amps)
        if self.read.pairs == "tiers":
            return amps
        last = 2 * self.tile_out
        return amps[:, 0:last:2] - amps[:, 1:last:2]

    def _digital(self, amps: torch.Tensor) -> torch.Tensor:
        if not self.read.adc_bits or self.calibrating:
            return amps
        full = (
            self.read.adc_range or float(self.adc_range) or (self.g_on * self.v_read * self.tile_in)
        )
        most = 2 ** (self.read.adc_bits - 1) - 1
        inside = amps.clamp(-full, full)
        return _straight(inside, torch.round(inside / full * most) * full / most)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Take buffers that appear with calibration and programming as they come."""
        for name in ("weight_scale", "input_scale", "adc_range"):
            # weights of a plain layer come without; the layer has taken their scale already
            state.setdefault(prefix + name, getattr(self, name))
        point = state.get(prefix + "point_volts")
        if point is not None and not self.array.transistors:
            raise ParameterError(
                prefix + "point_volts", "given",
                f"none: {self.array.text} has no transistors, the state is of a layer on another",
            )  # fmt: skip
        for name in ("weight_scale", "input_scale", "adc_range"):
            if bool(torch.isnan(torch.as_tensor(state[prefix + name])).any()):
                raise ParameterError(prefix + name, nan, "a number")
        for name in ("variation", "point_cells", "point_volts"):
            value = state.get(prefix + name)
            setattr(self, name, None if value is None else value.clone())
        super()._load_from_state_dict(state, prefix, *rest)
        if self.point_volts is not None and self.array.transistors:
            self._work_at_point()


def _straight(smooth: torch.Tensor, stepped: torch.Tensor) -> torch.Tensor:
    """The stepped value with the smooth one's derivative."""
    return smooth + (stepped - smooth).detach()
