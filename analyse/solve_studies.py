"""What `solve` can do beyond one solve: random versions, many vectors, programming, sensitivity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ..base.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..pdk import Tech
    from ..solve.network.network import Network
    from ..solve.study.variation import MonteCarlo, Spread
    from .analysis import Stimulus
    from .batch import Batch
    from .operating import Laws
    from .progress import Console
    from .studies import Programmed

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Asked:
    """What was asked for beyond one solve.

    Attributes:
        samples: number of random versions; None for none.
        chance: seed, sigma, stuck and open_wire of them; None where not given.
        programming_v: voltage that every cell must see when it is written, or 'device' for what
            the device declares to need; None not to ask.
        write_voltage: for that, V; None for the technology's.
        sensitivity: whether currents' answers to each layer are wanted.
        vectors: input vectors, V, shape (vectors, tiers, rows); None for one alone.
    """

    samples: int | None = None
    chance: Mapping[str, float | None] = field(default_factory=dict)
    programming_v: float | str | None = None
    write_voltage: float | None = None
    sensitivity: bool = False
    vectors: Floats | None = None

    def flags(self) -> list[str]:
        """Return the options that ask for anything."""
        asked = {
            "--monte-carlo": self.samples is not None,
            "--programming": self.programming_v is not None,
            "--sensitivity": self.sensitivity,
            "--inputs of many vectors": self.vectors is not None,
        }
        return [flag for flag, is_asked in asked.items() if is_asked]

    def check(self, *, nonlinear: bool) -> None:
        """Refuse options that do not go together.

        Raises:
            ConfigError: naming them.
        """
        if self.sensitivity and nonlinear:
            raise ConfigError("--sensitivity is that of linear devices; leave --nonlinear away")
        if self.samples is None:
            for key, number in self.chance.items():
                if number is not None:
                    raise ConfigError(f"--{key.replace('_', '-')} belongs to --monte-carlo")
            return
        if nonlinear:
            raise ConfigError("--monte-carlo solves linear devices; leave --nonlinear away")


@dataclass(frozen=True, eq=False)
class Problem:
    """A network in one mode, ready for what goes beyond one solve of it.

    Attributes:
        network: what `extract` found.
        tech: the transistors' models.
        what: devices and inputs.
        mode: one of `MODES`.
        options: of the mode.
        laws: what memristors follow.
    """

    network: Network
    tech: Tech
    what: Stimulus
    mode: str
    options: Mapping[str, Any]
    laws: Laws

    def study(self, asked: Asked, console: Console) -> Found:
        """Do what was asked for."""
        found = Found()
        if asked.samples is not None:
            found.spread = _spread(self.network, self.tech, asked.chance)
            found.many = self._vary(asked, asked.samples, found.spread, console)
        if asked.vectors is not None:
            found.batch = self._batch(asked.vectors, console)
        if asked.programming_v is not None:
            found.programming = self._programming(asked, asked.programming_v, console)
            found.absent = self.network.left_out.devices
        if asked.sensitivity:
            found.sensitivity = self._sensitivity(console)
        return found

    def _one_way(self) -> dict[str, Any]:
        """Return options of one polarity: columns that are read do not feel which."""
        from .operating import write_options

        return next(write_options(self.tech, self.mode, dict(self.options)))

    def _vary(self, asked: Asked, samples: int, spread: Spread, console: Console) -> MonteCarlo:
        from .analysis import vary

        return vary(
            self.network, self.tech, self.what, console, self.mode,
            spread=spread, samples=samples,
            seed=int(asked.chance["seed"] or 0), **self._one_way(),
        )  # fmt: skip

    def _batch(self, vectors: Floats, console: Console) -> Batch:
        from .batch import solve_batch

        with console.step(f"{len(vectors)} vectors") as step:
            return solve_batch(
                self.network, self.tech, self.what.conductances, vectors, self.mode,
                laws=self.laws, step=step, **self.options,
            )  # fmt: skip

    def _programming(self, asked: Asked, needed: float | str, console: Console) -> list[Programmed]:
        from .studies import programming

        return programming(
            self.network, self.tech, self.what, None if isinstance(needed, str) else needed,
            console,
            write_voltage=asked.write_voltage, laws=self.laws,
        )  # fmt: skip

    def _sensitivity(self, console: Console) -> dict[str, Floats]:
        from .studies import sensitivity

        return sensitivity(
            self.network, self.tech, self.what, self.mode, console, **self._one_way()
        )


@dataclass
class Found:
    """What was found of it."""

    many: MonteCarlo | None = None
    spread: Spread | None = None
    batch: Batch | None = None
    programming: list[Programmed] | None = None
    sensitivity: dict[str, Floats] | None = None
    #: devices whose programming nobody knows, as the extraction left them out
    absent: tuple[str, ...] = ()

    def say(self, console: Console, pins: list[str], counted: NDArray[np.bool_]) -> dict[str, Any]:
        """Print it; return it as JSON values."""
        from . import studies
        from .batch import batch_lines

        value: dict[str, Any] = {}
        lines: list[str] = []
        if self.many is not None:
            value["monte_carlo"] = _say_many(console, pins, self.many, counted)
            if self.spread is not None:
                value["monte_carlo"]["spread"] = asdict(self.spread)
                lines.append(_spread_text(self.spread))
        if self.batch is not None:
            value["batch"] = self.batch.to_json()
            lines += batch_lines(value["batch"])
        if self.programming is not None:
            value["programming"] = [each.to_json() for each in self.programming]
            lines += studies.programming_lines(value["programming"])
            if self.absent:
                value["programming_left_out"] = list(self.absent)
                lines.append("programming not judged: the extraction left devices out")
        if self.sensitivity is not None:
            value["sensitivity"] = studies.sensitivity_json(self.sensitivity)
            lines += studies.sensitivity_lines(self.sensitivity)
        for line in lines:
            console.say(line)
        return value

    @property
    def misses(self) -> bool:
        """True if a cell gets less than it needs, or nobody knows."""
        return bool(self.absent) or any(each.report.below.any() for each in self.programming or ())


def _spread(network: Network, tech: Tech, chance: Mapping[str, float | None]) -> Spread:
    """Return how devices and wires vary."""
    from ..solve.study.variation import Spread

    m, sigma, stuck = tech.memristor, chance["sigma"], chance["stuck"]
    area = float(m.scale(network.memristor_area_um2).mean())
    return Spread(
        sigma=m.sigma_ln_g if sigma is None else sigma,
        stuck_on=m.stuck_on if stuck is None else stuck,
        stuck_off=m.stuck_off if stuck is None else stuck,
        g_on=area / m.r_on_ohm,
        g_off=area / m.r_off_ohm,
        open_wire=chance["open_wire"] or 0.0,
    )


def _spread_text(spread: Spread) -> str:
    """Say how devices and wires varied."""
    from ..base.units import percent

    parts = [f"ln G varies by {spread.sigma:g}"]
    parts += [
        f"{percent(share)} of {what}"
        for share, what in (
            (spread.stuck_on, "devices stuck on"), (spread.stuck_off, "devices stuck off"),
            (spread.open_wire, "wire pieces open"),
        )
        if share
    ]  # fmt: skip
    return f"  {', '.join(parts)}"


def _say_many(
    console: Console, pins: list[str], many: MonteCarlo, counted: NDArray[np.bool_]
) -> dict[str, Any]:
    """Print what random versions do to every column that counts; return it as JSON values."""
    import numpy as np

    from ..base.units import percent
    from .analysis import distribution

    value = many.to_json()
    mean, std = np.array(value["mean_A"]), np.array(value["std_A"])
    nominal = many.nominal_currents
    carries = counted & (nominal != 0)
    if not carries.any():
        value["worst_column_error"] = None
        return value
    off = np.abs(many.column_currents - nominal)[:, carries] / np.abs(nominal[carries])
    sample, column = np.unravel_index(int(off.argmax()), off.shape)
    name = [pin for pin, is_in in zip(pins, carries, strict=True) if is_in][column]
    worst = float(off.max())
    value |= {"worst_column_error": worst, "worst_column": name, "worst_sample": int(sample)}
    value["distribution"] = distribution(many, carries)
    console.say(f"monte carlo {value['samples']} samples, seed {many.seed}, against the nominal")
    for pin, a, b in zip(pins, mean, std, strict=True):
        console.say(f"  {pin:<8} mean {a * 1e6:12.6f} uA  std {b * 1e6:12.6f} uA")
    console.say(f"  worst column error {percent(worst)}: {name} in sample {sample}")
    return value
