"""What the library proposes: Optuna's tree-structured Parzen estimator, targets as constraints.

Run again with the same seed it proposes the same, as long as it is told the same in the same order.
"""

from __future__ import annotations

import itertools
import random
import warnings
from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Any

from ..base.errors import ConfigError
from .candidates import Candidate, Choice
from .metrics import METRICS
from .target import Target

#: proposals of what was looked at already, before one is drawn by lot
_REPEATS = 24


class Proposals:
    """Combinations that are worth a look, one after the other.

    Args:
        target: what is asked for.
        start: proposals before the library draws conclusions.
    """

    def __init__(self, target: Target, start: int) -> None:
        self._target = target
        self._known = import_optuna()
        self._study = self._create(start)
        self._random = random.Random(target.search["seed"])
        #: proposals that were not told of yet
        self._trials: dict[Choice, Any] = {}

    def _create(self, start: int) -> Any:
        optuna, target = self._known, self._target
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():  # both options have been "experimental" for years
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=target.search["seed"],
                multivariate=True,
                n_startup_trials=start,
                constraints_func=lambda trial: trial.user_attrs["excess"],
            )
        directions = ["maximize" if METRICS[goal].higher else "minimize" for goal in target.goals]
        study = optuna.create_study(directions=directions, sampler=sampler)
        for place in (0.0, 0.5):  # the low end and the middle first
            study.enqueue_trial({f.key: round(place * (len(f.values) - 1)) for f in target.free})
        return study

    def ask(self, count: int, seen: Mapping[Choice, Candidate]) -> list[Choice]:
        """Return new combinations.

        Args:
            count: how many.
            seen: what was looked at; none of it is returned.
        """
        found: dict[Choice, Any] = {}
        repeats = 0
        while len(found) < count:
            trial = self._study.ask(self._space())
            choice = tuple(trial.params[f.key] for f in self._target.free)
            if choice in seen or choice in found:
                if choice in seen:
                    self._tell(trial, seen[choice])
                repeats += 1
                if repeats > _REPEATS:
                    choice = self._by_lot({*seen, *found})
                    self._study.enqueue_trial(
                        dict(zip((f.key for f in self._target.free), choice, strict=True))
                    )
                continue
            found[choice] = trial
        self._trials |= found
        return [*found]

    def tell(self, seen: Mapping[Choice, Candidate], pending: Collection[Choice]) -> None:
        """Tell the library what became of its proposals, in their order, whoever was done first.

        Args:
            seen: what is known.
            pending: of what all is not known yet.
        """
        for choice in [c for c in self._trials if c not in pending]:
            self._tell(self._trials.pop(choice), seen[choice])

    def _tell(self, trial: Any, candidate: Candidate) -> None:
        known = candidate.excess(self._target)
        trial.set_user_attr("excess", [known.get(name, 0.0) for name in self._target.bounds])
        self._study.tell(trial, candidate.goals(self._target))

    def _by_lot(self, taken: Collection[Choice]) -> Choice:
        """Return a combination that is not taken."""
        sizes = [len(f.values) for f in self._target.free]
        for _ in range(1000):
            choice = tuple(self._random.randrange(size) for size in sizes)
            if choice not in taken:
                return choice
        return next(c for c in itertools.product(*map(range, sizes)) if c not in taken)

    def _space(self) -> dict[str, Any]:
        known = self._known.distributions
        return {
            f.key: known.IntDistribution(0, len(f.values) - 1)
            if f.ordered
            else known.CategoricalDistribution(list(range(len(f.values))))
            for f in self._target.free
        }


def import_optuna() -> Any:
    """Return the library.

    Raises:
        ConfigError: if it is not installed.
    """
    try:
        return import_module("optuna")
    except ImportError:
        raise ConfigError("size needs the Optuna library: pip install 'crossstack[size]'") from None
