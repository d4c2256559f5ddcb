"""A trained model on arrays: what of its accuracy wires, spread and retraining leave."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from ..base.errors import ConfigError
from ..mapping.arrays import Array
from ..mapping.cost import Reads
from ..mapping.kept import Kept
from ..mapping.programs import Target, summary, write_tiles
from ..mapping.tiles import Tile, solve_tiles
from ..mapping.writing import Programming, Written
from .convert import convert, crossbar_layers
from .core import Tiled
from .readout import Readout
from .targets import Devices, Place, by_array, wanted, weights_of

if TYPE_CHECKING:
    from ..console import Console
    from ..pool import Pool

#: vectors of one evaluation, and of one step of training
_BATCH, _LEARNT = 1000, 32
#: inputs from which ranges are taken
_CALIBRATED = 500
#: digits that do not depend on how many processes worked
_DIGITS = 9


@dataclass(frozen=True)
class Asked:
    """What is to be found out.

    Attributes:
        read: read-out of every layer; its `sigma` is that of the samples.
        samples: chips with spread.
        retrain: passes over the training data with wires in the loop; 0 for none.
        rate: step of that training (Adam).
        seed: of spread, noise and the order of training.
        keep: layers that stay digital.
        program: how the devices are written; None takes them for what they should be.
    """

    read: Readout
    samples: int = 0
    retrain: int = 0
    rate: float = 1e-3
    seed: int = 0
    keep: tuple[str, ...] = ()
    program: Programming | None = None


class Study:
    """One model and its data."""

    def __init__(
        self,
        model: nn.Module,
        data: Mapping[str, Any],
        asked: Asked,
        console: Console,
        where: Pool,
        kept: Kept | None = None,
    ) -> None:
        """Check that the model takes the data.

        Raises:
            ConfigError: if it does not, or there is nothing to retrain with.
        """
        self.model, self.asked = model.double().eval(), asked
        self.console, self.where, self.kept = console, where, kept
        self.sets = {
            name: torch.from_numpy(np.ascontiguousarray(value)).to(
                torch.float64 if name.startswith("x") else torch.int64
            )
            for name, value in data.items()
        }
        if asked.retrain and "x_train" not in self.sets:
            raise ConfigError("--retrain needs x_train and y_train among the data")
        try:
            with torch.no_grad():
                out = self.model(self.sets["x"][:1])
        except (RuntimeError, IndexError) as error:
            raise ConfigError(
                f"the model does not take the data, x of {tuple(self.sets['x'].shape)}: "
                f"{' '.join(str(error).split())[:160]}"
            ) from None
        most = int(max(self.sets[name].max() for name in self.sets if name.startswith("y")))
        if out.dim() != 2 or out.shape[1] <= most:
            raise ConfigError(
                f"the model gives {tuple(out.shape[1:])} for a vector, the data have class {most}"
            )

    def accuracy(self, model: nn.Module) -> float:
        """Share of the vectors that a model puts in their class."""
        x, y = self.sets["x"], self.sets["y"]
        torch.manual_seed(self.asked.seed)
        with torch.no_grad():
            right = sum(
                int((model(x[k : k + _BATCH]).argmax(dim=1) == y[k : k + _BATCH]).sum())
                for k in range(0, len(x), _BATCH)
            )
        return right / len(x)

    def on(self, name: str, array: Array) -> dict[str, Any]:
        """Return what becomes of the model on an array.

        Args:
            name: of the array, for people.
            array: the array.
        """
        asked = self.asked
        plain = Readout(**{**vars(asked.read), "sigma": 0.0})
        source = self.sets.get("x_train", self.sets["x"])
        torch.manual_seed(asked.seed)  # noise has a part in ranges, too
        made = convert(
            self.model, array, plain, keep=asked.keep, calibrate=source[:_CALIBRATED]
        ).eval()
        value: dict[str, Any] = {"array": name, "text": array.text}
        with _fixed(made, self._ideal(made)):
            value["ideal"] = self.accuracy(made)
            outputs = self._outputs(made)
        with _fixed(made, self._wired([made], f"{name}: wires")[0]):
            value["wires"] = self.accuracy(made)
            value["layers"] = _errors(made, outputs, self._outputs(made))
        value["tiles"] = sum(t.tiles for t in _parts(made))
        if asked.samples:
            value["spread"] = self._spread(made, f"{name}: spread")
        if asked.program is not None:
            value["written"] = self._written(made, f"{name}: written", asked.program)
        if asked.retrain:
            taught = self._retrained(made, name)
            with _fixed(taught, self._wired([taught], f"{name}: retrained")[0]):
                value["retrained"] = self.accuracy(taught)
            if asked.samples:
                value["retrained_spread"] = self._spread(taught, f"{name}: retrained, spread")
            if asked.program is not None:
                title = f"{name}: retrained, written"
                value["retrained_written"] = self._written(taught, title, asked.program)
        value["made"] = made
        return value

    def reads(self, model: nn.Module) -> list[Reads]:
        """Return what one inference asks of every matrix, from some vectors of the data."""
        parts, count = weights_of(model), min(_CALIBRATED, len(self.sets["x"]))
        for part, _ in parts:
            part.measured = []
        with _fixed(model, self._ideal(model)), torch.no_grad():
            model(self.sets["x"][:count])
        found = []
        for part, _ in parts:
            assert part.measured is not None
            vectors = sum(n for n, _, _ in part.measured)
            watt = sum(n * w for n, _, w in part.measured) / max(1, vectors)
            reads = max((k for _, k, _ in part.measured), default=0)
            found.append(Reads(vectors / count, reads, watt))
            part.measured = None
        return found

    def _ideal(self, model: nn.Module) -> list[list[list[Tile]]]:
        """Tiles of lines without resistance."""
        return [
            [
                [Tile(cells.T.numpy(), np.zeros(cells.shape[1])) for cells in row]
                for row in part.cells(weight.detach())
            ]
            for part, weight in weights_of(model)
        ]

    def _wired(self, models: list[nn.Module], name: str) -> list[list[list[list[Tile]]]]:
        """Tiles of several models with their wires, all of one array solved together."""
        return self._solved([wanted(model) for model in models], name)

    def _solved(self, models: list[Devices], name: str) -> list[list[list[list[Tile]]]]:
        """Tiles with their wires: [model][matrix][input tile][output tile]."""
        found: dict[Place, Tile] = {}
        for array, places in by_array(models):
            devices = [models[p[0]].siemens[p[1:]] for p in places]
            tiles = solve_tiles(array, devices, self.where, self.console, name, self.kept)
            found |= dict(zip(places, tiles, strict=True))
        return [
            [
                [[found[k, n, r, c] for c in range(cols)] for r in range(rows)]
                for n, (_, rows, cols) in enumerate(model.matrices)
            ]
            for k, model in enumerate(models)
        ]

    def _written(self, model: nn.Module, name: str, how: Programming) -> dict[str, Any]:
        """Accuracy of chips whose devices are written by pulses, and what that takes."""
        goal = wanted(model)
        chips = [goal.copy() for _ in range(max(1, self.asked.samples))]
        scales: list[dict[Place, Any] | None] = [goal.scales(c) for c in self._chips(model)]
        scales = scales or [None]
        written: list[Written] = []
        for array, places in by_array(chips):
            targets = []
            for k, *rest in places:
                place, own = tuple(rest), scales[k]
                scale = np.ones(array.prepared.size) if own is None else own[place]
                seed = (self.asked.seed, k, *place)
                targets.append(Target(goal.siemens[place], scale, goal.spans[place[0]], seed))
            done = write_tiles(array, targets, how, self.where, self.console, name, self.kept)
            for (k, n, r, c), tile in zip(places, done, strict=True):
                chips[k].siemens[n, r, c] = tile.siemens
            written += done
        found = self._accuracies([model] * len(chips), self._solved(chips, name))
        return {**found, "chips": len(chips), **summary(written)}

    def _spread(self, model: nn.Module, name: str) -> dict[str, Any]:
        """Accuracy of chips whose devices deviate."""
        chips = self._chips(model)
        return self._accuracies(chips, self._wired(chips, name))

    def _chips(self, model: nn.Module) -> list[nn.Module]:
        """Copies of a model on devices that deviate."""
        chips = []
        for k in range(self.asked.samples):
            chip = copy.deepcopy(model)
            for n, part in enumerate(_parts(chip)):
                part.read = self.asked.read
                part.program(_seed(self.asked.seed, k, n))
            chips.append(chip)
        return chips

    def _accuracies(
        self, chips: list[nn.Module], tiles: list[list[list[list[Tile]]]]
    ) -> dict[str, Any]:
        found = []
        for chip, mine in zip(chips, tiles, strict=True):
            with _fixed(chip, mine):
                found.append(self.accuracy(chip))
        return {
            "mean": float(np.mean(found)),
            "least": min(found),
            "most": max(found),
            "samples": found,
        }

    def _retrained(self, model: nn.Module, name: str) -> nn.Module:
        """A copy trained further with its wires in the loop."""
        taught = copy.deepcopy(model).eval()
        x, y = self.sets["x_train"], self.sets["y_train"]
        order = torch.Generator().manual_seed(self.asked.seed)
        optimiser = torch.optim.Adam(taught.parameters(), lr=self.asked.rate)
        torch.manual_seed(self.asked.seed)
        first = self._resumed(name, taught, optimiser, order)
        with self.console.step(f"{name}: retraining") as step:
            for epoch in range(first, self.asked.retrain):
                step(epoch, self.asked.retrain)
                shuffled = torch.randperm(len(x), generator=order)
                for k in range(0, len(x), _LEARNT):
                    some = shuffled[k : k + _LEARNT]
                    optimiser.zero_grad()
                    nn.functional.cross_entropy(taught(x[some]), y[some]).backward()
                    optimiser.step()
                self._keep(name, epoch + 1, taught, optimiser, order)
        return taught

    def _keep(
        self, name: str, epoch: int, model: nn.Module, optimiser: Any, order: torch.Generator
    ) -> None:
        """Keep the training so far."""
        if self.kept is not None:
            state = {
                "epoch": epoch, "model": model.state_dict(), "optimiser": optimiser.state_dict(),
                "order": order.get_state(), "noise": torch.get_rng_state(),
            }  # fmt: skip
            stream = io.BytesIO()
            torch.save(state, stream)
            self.kept.keep(f"{name}: retraining", stream.getvalue())

    def _resumed(self, name: str, model: nn.Module, optimiser: Any, order: torch.Generator) -> int:
        """Take up the training of an interrupted run; returns the epoch to go on with."""
        data = None if self.kept is None else self.kept.find(f"{name}: retraining")
        if data is None:
            return 0
        state = torch.load(io.BytesIO(data), weights_only=True)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        order.set_state(state["order"])
        torch.set_rng_state(state["noise"])
        return int(state["epoch"])

    def _outputs(self, model: nn.Module) -> dict[str, torch.Tensor]:
        """What every layer gives for some vectors, each for the input that it has there."""
        found: dict[str, torch.Tensor] = {}
        handles = []
        for name, layer in crossbar_layers(model):
            take = _taker(found, name)
            handles.append(layer.register_forward_hook(take))
        try:
            torch.manual_seed(self.asked.seed)
            with torch.no_grad():
                model(self.sets["x"][:_CALIBRATED])
        finally:
            for handle in handles:
                handle.remove()
        return found


def devices(model: nn.Module, samples: int, retrain: int) -> int:
    """Return about how many devices a study solves on one array."""
    return 2 * sum(p.numel() for p in model.parameters()) * (1 + samples) * (1 + (retrain > 0))


def _taker(found: dict[str, torch.Tensor], name: str) -> Callable[..., None]:
    def take(layer: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        found[name] = output

    return take


def _parts(model: nn.Module) -> list[Tiled]:
    return [part for part, _ in weights_of(model)]


def _seed(seed: int, chip: int, part: int) -> int:
    """A seed for the devices of one matrix of one chip, whoever draws them."""
    return int(np.random.SeedSequence([seed, chip, part]).generate_state(1)[0])


@contextmanager
def _fixed(model: nn.Module, tiles: list[list[list[Tile]]]) -> Iterator[None]:
    """Let a model compute with given matrices of its tiles."""
    parts = _parts(model)
    for part, mine in zip(parts, tiles, strict=True):
        part.fixed = mine
    try:
        yield
    finally:
        for part in parts:
            part.fixed = None


def _errors(
    model: nn.Module, ideal: Mapping[str, torch.Tensor], wired: Mapping[str, torch.Tensor]
) -> list[dict[str, Any]]:
    """What wires do to the output of every layer, those of the layers before it included."""
    found = []
    for name, layer in crossbar_layers(model):
        off, whole = wired[name] - ideal[name], ideal[name]
        share = float(off.norm() / whole.norm()) if float(whole.norm()) else 0.0
        found.append(
            {
                "layer": name,
                "matrix": [layer.tiled[0][0].out_features, layer.tiled[0][0].in_features],
                "groups": len(layer.tiled),
                "tiles": sum(part.tiles for part, _ in layer.tiled),
                "error": float(f"{share:.{_DIGITS}g}"),
            }
        )
    return found
