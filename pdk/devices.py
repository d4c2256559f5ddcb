"""Device parameters: memristors and transistors, each figure with its source."""

from __future__ import annotations

from dataclasses import dataclass

from .conditions import REFERENCE_C
from .ron import NOMINAL_DROP_V, Surface, ron_ohm, surface


@dataclass(frozen=True)
class MemristorParameters:
    """Electrical defaults of one Al/TiO2/TiO2-x/Al device.

    Attributes:
        r_on_ohm, r_off_ohm: resistance at small voltage in the two end states, ohm.
        v_read_v, v_write_v: read and write voltage, V.
        sinh_b_per_v: b of I = G sinh(b V) / b, so that G is the small-signal conductance, 1/V.
        source: where the figures come from.
    """

    r_on_ohm: float = 10e3
    r_off_ohm: float = 1e6
    v_read_v: float = 0.2
    v_write_v: float = 2.0
    sinh_b_per_v: float = 3.0
    source: str = "design.md section 7; b from MemTorch Data_Driven.py (facts/devices.md section 2)"


@dataclass(frozen=True)
class TransistorParameters:
    """3.3 V MOS transistor, used as a switch.

    Attributes:
        name: device class in netlists.
        l_um: channel length in um.
        well_on_v: source voltage at which it conducts best, V.
        ioff_a_per_um: off current per width, A/um.
        cg_on_f_per_um, cg_off_f_per_um: gate capacitance per width, F/um.
        source: where the figures come from; R_on: see `pdk.ron`.
        v_off_v: drain voltage at which the off current was measured, V.
        corner: ``typ``, ``min`` (fast) or ``max`` (slow); for R_on.
        temperature_c: degrees C; for R_on.
    """

    name: str
    l_um: float
    well_on_v: float
    ioff_a_per_um: float
    cg_on_f_per_um: float
    cg_off_f_per_um: float
    source: str
    v_off_v: float = 3.63
    corner: str = "typ"
    temperature_c: float = REFERENCE_C

    def surface(self, w_um: float) -> Surface:
        """Return R_on in ohm over source voltage and drop for a width in um."""
        return surface(self.name, w_um, corner=self.corner, temperature_c=self.temperature_c)

    def ron_ohm(
        self, w_um: float, source_v: float | None = None, drop_v: float = NOMINAL_DROP_V
    ) -> float:
        """Return R_on in ohm for a width in um; see `pdk.ron.ron_ohm`.

        Without a source voltage the transistor is taken where it conducts best.
        """
        volts = self.well_on_v if source_v is None else source_v
        return ron_ohm(
            self.name, w_um, volts, drop_v,
            corner=self.corner, temperature_c=self.temperature_c,
        )  # fmt: skip


_BSIM = "BSIM models run in ngspice 39 (facts/signoff.md); Ioff typ from ES:1_Low_Voltage_Devices"
NFET = TransistorParameters("nfet", 0.28, 0.0, 1e-12, 1.505e-15, 0.736e-15, _BSIM)
PFET = TransistorParameters(
    "pfet",
    0.28,
    3.0,
    1e-12,
    1.505e-15,
    0.736e-15,
    _BSIM + "; gate capacitance as the NMOS: assumed",
)
