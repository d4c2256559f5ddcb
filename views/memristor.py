"""A memristor as an ngspice subcircuit and in Verilog-A, with the law of the technology.

The law of the current is that of every solve, the dynamics those of `solve.circuit.dynamics`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base.names import MEMRISTOR_MODEL
from ..solve.circuit.dynamics import ALPHA, SWITCHING_S, WINDOW, Vteam
from .fill import filled

if TYPE_CHECKING:
    from ..pdk import Tech
    from ..pdk.memristor import MemristorParameters

#: name of the subcircuit and module
NAME = MEMRISTOR_MODEL
_DYNAMICS = (
    f"assumed: {SWITCHING_S * 1e9:g} ns from end to end at the write voltage (a pulse of device "
    f"papers, doi 10.1038/s41586-020-1942-4), exponent {ALPHA}"
)


def spice_text(tech: Tech) -> str:
    """Return the library for ngspice."""
    return filled("memristor.lib.j2", _values(tech.memristor))


def veriloga_text(tech: Tech) -> str:
    """Return the module in Verilog-A."""
    return filled("memristor.va.j2", _values(tech.memristor))


def _values(m: MemristorParameters) -> dict[str, Any]:
    law = _Law(m)
    moves = Vteam.fitted((m.set_needed_v, m.reset_needed_v), (m.v_set_v, m.v_reset_v))
    return {
        "name": NAME,
        "m": m,
        "g_on": f"{1 / m.r_on_ohm:.12g}",
        "source": m.source,
        "dynamics_source": _DYNAMICS,
        "alpha": ALPHA,
        "window": WINDOW,
        "k_set": f"{moves.k_set:.6g}",
        "k_reset": f"{moves.k_reset:.6g}",
        "law_text": law.text,
        "law_parameters": law.parameters,
        "law_spice": law.spice,
        "law_declarations": law.declarations,
        "law_va": law.veriloga,
    }


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
