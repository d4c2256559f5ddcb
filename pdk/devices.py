"""Device parameters of transistors, each figure with its source; memristors: see `memristor`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .conditions import REFERENCE_C
from .ron import NOMINAL_DROP_V, Surface, ron_ohm, surface, voltage_range_v


@dataclass(frozen=True)
class TransistorParameters:
    """MOS transistor, used as a switch.

    Attributes:
        name: device class in netlists.
        l_um: channel length in um.
        well_on_v: source voltage at which it conducts best, V.
        ioff_a_per_um: off current per width, A/um.
        cg_on_f_per_um, cg_off_f_per_um: gate capacitance per width, F/um.
        end_on_f_per_um, end_off_f_per_um: capacitance of source or drain per width with half of the
            channel, conducting and not, F/um; 0 where nobody has measured it.
        source: where the figures come from; R_on: see `pdk.ron`.
        v_off_v: drain voltage at which the off current was measured, V.
        corner: ``typ``, ``min`` (fast) or ``max`` (slow); for R_on.
        temperature_c: degrees C; for R_on.
        ron_table: file of the process that holds R_on.
    """

    name: str
    l_um: float
    well_on_v: float
    ioff_a_per_um: float
    cg_on_f_per_um: float
    cg_off_f_per_um: float
    source: str
    v_off_v: float
    ron_table: Path = field(repr=False, compare=False)
    corner: str = "typ"
    temperature_c: float = REFERENCE_C
    end_on_f_per_um: float = 0.0
    end_off_f_per_um: float = 0.0

    @property
    def voltage_range_v(self) -> tuple[float, float]:
        """Lowest and highest terminal voltage that the table of R_on holds, V against VSS."""
        return voltage_range_v(self.ron_table)

    def surface(self, w_um: float) -> Surface:
        """Return R_on in ohm over source voltage and drop for a width in um."""
        return surface(
            self.name,
            w_um,
            corner=self.corner,
            temperature_c=self.temperature_c,
            path=self.ron_table,
        )

    def sized_ohm(self, w_um: float, l_um: float) -> float:
        """Return the least R_on in ohm of a transistor of a width and a length, in um."""
        return self.ron_ohm(w_um) * l_um / self.l_um

    def ron_ohm(
        self, w_um: float, source_v: float | None = None, drop_v: float = NOMINAL_DROP_V
    ) -> float:
        """Return R_on in ohm for a width in um; see `pdk.ron.ron_ohm`.

        Without a source voltage the transistor is taken where it conducts best.
        """
        volts = self.well_on_v if source_v is None else source_v
        return ron_ohm(
            self.name,
            w_um,
            volts,
            drop_v,
            corner=self.corner,
            temperature_c=self.temperature_c,
            path=self.ron_table,
        )
