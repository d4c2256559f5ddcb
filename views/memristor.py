"""A memristor as an ngspice subcircuit and in Verilog-A, with the law of the technology.

The law of the current is that of every solve; the dynamics are VTEAM's (Kvatinsky et al., TCAS-II
2015) in the window of Biolek et al. (2009), which lets a state leave its ends again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .fill import filled

if TYPE_CHECKING:
    from ..pdk import Tech
    from ..pdk.memristor import MemristorParameters

#: name of the subcircuit and module
NAME = "crossstack_memristor"
#: s; a write voltage over the device switches it from end to end in about this time
SWITCHING_S = 50e-9
#: of the voltage beyond its threshold, and of the window
_ALPHA, _WINDOW = 3, 4
_DYNAMICS = (
    f"assumed: {SWITCHING_S * 1e9:g} ns from end to end at the write voltage (a pulse of device "
    f"papers, doi 10.1038/s41586-020-1942-4), exponent {_ALPHA}"
)
#: where a rate is fitted if the write voltage does not pass the threshold
_LEAST_BEYOND = 0.05


def spice_text(tech: Tech) -> str:
    """Return the library for ngspice."""
    return filled("memristor.lib.j2", _values(tech.memristor))


def veriloga_text(tech: Tech) -> str:
    """Return the module in Verilog-A."""
    return filled("memristor.va.j2", _values(tech.memristor))


def _values(m: MemristorParameters) -> dict[str, Any]:
    law = _Law(m)
    return {
        "name": NAME,
        "m": m,
        "g_on": f"{1 / m.r_on_ohm:.12g}",
        "source": m.source,
        "dynamics_source": _DYNAMICS,
        "alpha": _ALPHA,
        "window": _WINDOW,
        "k_set": f"{_rate(m.v_set_v, m.set_needed_v):.6g}",
        "k_reset": f"{_rate(m.v_reset_v, m.reset_needed_v):.6g}",
        "law_text": law.text,
        "law_parameters": law.parameters,
        "law_spice": law.spice,
        "law_declarations": law.declarations,
        "law_va": law.veriloga,
    }


def _rate(write_v: float, needed_v: float) -> float:
    """Return the rate, 1/s, at which a write voltage switches in the switching time."""
    beyond = max(write_v / needed_v - 1.0, _LEAST_BEYOND)
    return float(1.0 / (SWITCHING_S * beyond**_ALPHA))


class _Law:
    """The law of a device's current, I = G f(V), in both languages.

    Attributes:
        text: in words.
        spice: f of ngspice.
        parameters: what it adds to the subcircuit's parameters.
        declarations: the same for Verilog-A.
        veriloga: statements that set `shape` from `v`.
    """

    def __init__(self, m: MemristorParameters) -> None:
        self.parameters, self.declarations = "", list[str]()
        self.text, self.spice, self.veriloga = "I = G V", "V(p,n)", ["shape = v;"]
        if m.law == "sinh":
            self.text = "I = G sinh(b V) / b"
            self.parameters = f" b={m.sinh_b_per_v}"
            self.spice = "sinh({b}*V(p,n))/{b}"
            self.declarations = [f"parameter real b = {m.sinh_b_per_v} from (0:inf);  // 1/V"]
            self.veriloga = ["shape = sinh(b * v) / b;"]
        elif m.law == "cubic":
            self.text = "I = G (V + c V^3)"
            self.parameters = f" c={m.cubic_c_per_v2}"
            self.spice = "V(p,n)*(1+{c}*V(p,n)*V(p,n))"
            self.declarations = [f"parameter real c = {m.cubic_c_per_v2};  // 1/V^2"]
            self.veriloga = ["shape = v * (1.0 + c * v * v);"]
        elif m.law == "table":
            self._of_table(m)

    def _of_table(self, m: MemristorParameters) -> None:
        """Take a law from a device's points: straight in between and beyond."""
        from ..solve.circuit.iv import Table

        law = Table(m.table, m.r_on_ohm)
        volts, ratio = law.volts.tolist(), law.ratio.tolist()
        self.text = f"I = G f(V), f straight between {len(volts)} points"
        pairs = zip(volts, ratio, strict=True)
        self.spice = "pwl(V(p,n)," + ",".join(f"{v:.9g},{i:.9g}" for v, i in pairs) + ")"
        self.veriloga = []
        for k in range(len(volts) - 1):
            slope = (ratio[k + 1] - ratio[k]) / (volts[k + 1] - volts[k])
            line = f"{ratio[k]:.12g} + {slope:.12g} * (v - {volts[k]:.12g})"
            line = f"shape = {line};".replace("- -", "+ ")
            # the last piece goes on beyond the last point, the first before the first
            head = "else " if k else ""
            last = k == len(volts) - 2
            self.veriloga.append(
                f"{head}{line}" if last else f"{head}if (v < {volts[k + 1]:.12g}) {line}"
            )
