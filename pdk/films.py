"""Films of the stack: thickness, resistance and permittivity, each with its source.

Heights are never written down: `stack` sums the ordered thicknesses, so a film cannot
float above or sink into its neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass

_IS = "GF180MCU inter_specs tables 3 and 4 (facts/gf180mcu.yaml)"
_ES = "GF180MCU elec_specs 5_General_Specification1 and 7 (facts/gf180mcu.yaml)"
_ES2 = "GF180MCU elec_specs 5_General_Specification2 and 7 (facts/gf180mcu.yaml)"


@dataclass(frozen=True)
class Corner:
    """A process quantity with its corners; `low` or `high` is None where nobody publishes it."""

    typ: float
    low: float | None = None
    high: float | None = None

    def at(self, corner: str) -> float:
        """Return the value at ``typ``, ``min`` or ``max`` (typ where no corner is known)."""
        value = {"typ": self.typ, "min": self.low, "max": self.high}[corner]
        return self.typ if value is None else value


@dataclass(frozen=True)
class Film:
    """One film, bottom to top in the stack.

    Attributes:
        name: drawn layer, or a name of its own for films that no mask draws.
        material: what it is made of.
        thickness_um: deposited thickness in um.
        sheet_ohm_sq: sheet resistance in ohm/sq at 25 C; None for insulators.
        tcr_per_c: relative change of resistance per degree C.
        permittivity: relative permittivity; None for conductors.
        source: where the figures come from; "assumed" where they are our choice.
    """

    name: str
    material: str
    thickness_um: float
    source: str
    sheet_ohm_sq: Corner | None = None
    tcr_per_c: float = 0.0
    permittivity: float | None = None


@dataclass(frozen=True)
class Cut:
    """A contact or via: one exact square, its resistance and what it joins.

    Attributes:
        name: drawn layer, with a suffix where one layer joins different films.
        layer: drawn layer.
        lower, upper: films that it joins.
        ohm: resistance of one cut of `size_um` in ohm at 25 C.
        size_um: drawn side in um.
        tcr_per_c: relative change of resistance per degree C.
        source: where the figures come from.
    """

    name: str
    layer: str
    lower: str
    upper: str
    ohm: Corner
    size_um: float
    source: str
    tcr_per_c: float = 0.0

    @property
    def ohm_um2(self) -> float:
        """Typical specific resistance in ohm um2 (what KLayout's extractor asks for)."""
        return self.ohm.typ * self.size_um**2


#: Sheet resistance of a 100 nm Al film: between 0.33 (size-effect theory) and 0.42 ohm/sq
#: (1.6 x bulk, evaporated films), facts/devices.md section 3; design.md section 7 fixes 0.40.
AL_100NM_OHM_SQ = Corner(0.40, 0.33, 0.42)
_AL = "design.md section 7; corners from facts/devices.md section 3"
#: Al is taken to keep bulk aluminium's coefficient.
_AL_TCR = 0.0039

#: Resistivity of the evaporated Al that fills module vias, ohm um (4.2 uOhm cm,
#: 1.6 x bulk, facts/devices.md section 3).
AL_FILL_OHM_UM = 0.042
#: Specific resistance of one Al-Al interface after in-situ cleaning, ohm um2: assumed.
INTERFACE_OHM_UM2 = 0.1

_METAL_SHEET = Corner(0.090, 0.076, 0.104)

#: Bottom to top. Conductors lie at the bottom of the dielectric that follows them, as in
#: the foundry's table (IMD thickness includes the metal below it).
FILMS: tuple[Film, ...] = (
    Film("STI", "SiO2", 0.32, _IS, permittivity=4.0),
    Film("Poly2", "n+ poly, salicided", 0.2, _IS + "; " + _ES, Corner(6.8, 1.0, 15.0)),
    Film("liner", "SiN", 0.05, _IS, permittivity=7.0),
    Film("ILD", "SiO2", 0.86, _IS, permittivity=4.0),
    Film("Metal1", "Al", 0.55, _IS + "; " + _ES, _METAL_SHEET, 0.0033),
    Film("IMD1", "SiO2", 1.15, _IS, permittivity=4.0),
    Film("Metal2", "Al", 0.55, _IS + "; " + _ES, _METAL_SHEET, 0.0033),
    Film("IMD2", "SiO2", 1.15, _IS, permittivity=4.0),
    Film("Metal3", "Al", 0.55, _IS + "; " + _ES, _METAL_SHEET, 0.0033),
    Film("IMD3", "SiO2", 1.15, _IS, permittivity=4.0),
    Film("Metal4", "Al", 0.55, _IS + "; " + _ES, _METAL_SHEET, 0.0033),
    Film("IMD4", "SiO2, with MIM option B", 1.45, _IS, permittivity=4.0),
    Film("Metal5", "Al, 11 kA", 1.25, _IS + "; " + _ES, Corner(0.040, 0.031, 0.049), 0.0037),
    Film("pass_oxide", "SiO2, 1.2 um of it above Metal5", 2.45, _IS, permittivity=4.0),
    Film("pass_nitride", "SiN", 0.3, _IS, permittivity=7.0),
    Film("BE", "Al", 0.1, _AL, AL_100NM_OHM_SQ, _AL_TCR),
    Film("TIO2_B", "TiO2", 0.010, "assumed", permittivity=40.0),
    Film(
        "TIO2X_B", "TiO2-x", 0.030, "assumed: 30 nm as doi 10.1038/nature14441", permittivity=40.0
    ),
    Film("ME", "Al", 0.1, _AL, AL_100NM_OHM_SQ, _AL_TCR),
    Film("planar", "SiO2 between the tiers, etched back to ME", 0.1, "assumed", permittivity=3.9),
    Film("TIO2_T", "TiO2", 0.010, "assumed", permittivity=40.0),
    Film(
        "TIO2X_T", "TiO2-x", 0.030, "assumed: 30 nm as doi 10.1038/nature14441", permittivity=40.0
    ),
    Film("TE", "Al", 0.1, _AL, AL_100NM_OHM_SQ, _AL_TCR),
    Film("cap", "SiO2, module passivation", 0.2, "assumed", permittivity=3.9),
)

#: Diffusions conduct but are not part of the stack above the silicon.
DIFFUSIONS: tuple[Film, ...] = (
    Film("nsd", "n+ diffusion, salicided", 0.0, _ES, Corner(6.3, 1.0, 15.0)),
    Film("psd", "p+ diffusion, salicided", 0.0, _ES, Corner(7.0, 1.0, 15.0)),
)

#: Conductors that share the height range of the dielectric after them.
_EMBEDDED = frozenset({"Metal1", "Metal2", "Metal3", "Metal4", "Metal5", "ME"})

#: Poly and the liner both lie on STI; the ILD's thickness is counted from the liner's top.
_ON_STI = frozenset({"Poly2"})


def stack(films: tuple[Film, ...] = FILMS) -> dict[str, tuple[float, float]]:
    """Return film name -> (bottom, top) in um above the silicon under STI.

    A conductor embedded in the dielectric that follows starts where that starts; every
    other film starts where the one before ends, so gaps and overlaps cannot arise.
    """
    heights: dict[str, tuple[float, float]] = {}
    z = 0.0
    for film in films:
        heights[film.name] = (round(z, 6), round(z + film.thickness_um, 6))
        if film.name not in _EMBEDDED | _ON_STI:
            z += film.thickness_um
    return heights


def module_via_ohm(bottom: str, size_um: float, films: tuple[Film, ...] = FILMS) -> float:
    """Return the resistance of one module via in ohm, from Metal5 up to electrode `bottom`.

    An Al plug of the film stack's height over the drawn area plus two interfaces.
    """
    z = stack(films)
    height = z[bottom][0] - z["Metal5"][1]
    return (AL_FILL_OHM_UM * height + 2 * INTERFACE_OHM_UM2) / size_um**2


def foundry_cuts() -> tuple[Cut, ...]:
    """Return contacts and vias of the foundry with their resistance per cut."""
    contact = [
        Cut(
            "Contact_nsd", "Contact", "nsd", "Metal1", Corner(6.3, None, 15.0), 0.22, _ES2, 0.00073
        ),
        Cut(
            "Contact_psd", "Contact", "psd", "Metal1", Corner(5.2, None, 15.0), 0.22, _ES2, 0.00073
        ),
        Cut(
            "Contact_poly",
            "Contact",
            "Poly2",
            "Metal1",
            Corner(5.9, None, 15.0),
            0.22,
            _ES2,
            0.00095,
        ),
    ]
    vias = [
        Cut(
            f"Via{n}",
            f"Via{n}",
            f"Metal{n}",
            f"Metal{n + 1}",
            Corner(4.5, None, 15.0),
            0.26,
            _ES2,
            0.00107,
        )
        for n in range(1, 5)
    ]
    return (*contact, *vias)


def module_cuts(via_um: float, films: tuple[Film, ...] = FILMS) -> tuple[Cut, ...]:
    """Return VBE, VME and VTE for a via of side `via_um`; resistances derived from the stack."""
    source = "derived: Al plug (facts/devices.md section 3) + assumed interfaces"
    return tuple(
        Cut(
            f"V{e}",
            f"V{e}",
            "Metal5",
            e,
            Corner(round(module_via_ohm(e, via_um, films), 4)),
            via_um,
            source,
            _AL_TCR,
        )
        for e in ("BE", "ME", "TE")
    )
