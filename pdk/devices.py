"""Device parameters: memristors and transistors, each figure with its source."""

from __future__ import annotations

from dataclasses import dataclass


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
        ron_ohm_um: on resistance times width, ohm um (typical, 25 C, |Vgs| 3.3 V, Vds 50 mV,
            source at 0 V for the NMOS).
        body_factor_per_v: relative rise of R_on per volt of source voltage.
        ioff_a_per_um: off current per width, A/um.
        v_off_v: drain voltage at which it was measured, V.
        cg_on_f_per_um, cg_off_f_per_um: gate capacitance per width, F/um.
        source: where the figures come from.
    """

    name: str
    l_um: float
    ron_ohm_um: float
    body_factor_per_v: float
    ioff_a_per_um: float
    cg_on_f_per_um: float
    cg_off_f_per_um: float
    source: str
    v_off_v: float = 3.63

    def ron_ohm(self, w_um: float, source_v: float = 0.0) -> float:
        """Return R_on in ohm for a width in um, with the source at `source_v` volts."""
        return self.ron_ohm_um / w_um * (1.0 + self.body_factor_per_v * source_v)


#: Slope: 911/803 ohm at 0.5 V of source voltage, W = 2 um (facts/signoff.md).
NFET = TransistorParameters(
    "nfet", 0.28, 1606.0, (911.0 / 803.0 - 1.0) / 0.5, 1e-12, 1.505e-15, 0.736e-15,
    "BSIM models run in ngspice 39 (facts/signoff.md); Ioff typ from ES:1_Low_Voltage_Devices",
)  # fmt: skip

#: The PMOS is only known by its drive current: R_on scaled by Idsat 510/250 from the NMOS.
PFET = TransistorParameters(
    "pfet", 0.28, 1606.0 * 510.0 / 250.0, 0.0, 1e-12, 1.505e-15, 0.736e-15,
    "assumed: NMOS scaled by Idsat 510/250 uA/um (ES:1_Low_Voltage_Devices)",
)  # fmt: skip
