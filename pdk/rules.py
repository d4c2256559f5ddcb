
# fmt: off
"""Design rules as data: each value is written here once, and everything derives from it.

Foundry values: facts/gf180mcu.yaml (own wording of the GF180MCU design manual). Module
rules derive from the profile's F (line), space and A (overlay): facts/devices.md section 4.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .layers import LAYERS, Purpose
from .profiles import Profile


@dataclass(frozen=True)
class Rule:
    """One design rule.

    Attributes:
        name: rule name, as in the foundry's manual where it is theirs.
        kind: how it is checked; see `crossstack.drc.checks`.
        layers: drawn layers, ``layer/datatype`` or derived layers (`crossstack.drc.derived`),
            in the order the kind asks for.
        value: limit in um, um2, percent or a ratio; 0 where the rule has no number.
        text: what it says, in words.
        source: where it comes from.
        extra: further limits that the kind asks for, in the same units.
    """

    name: str
    kind: str
    layers: tuple[str, ...]
    value: float
    text: str
    source: str
    extra: tuple[float, ...] = ()


_Row = tuple[str, str, tuple[str, ...], float, str] | tuple[str, str, tuple[str, ...], float, str, tuple[float, ...]]

_DM = "GF180MCU design manual, "

_COMP: tuple[_Row, ...] = (
    ("DF.1a", "width", ("COMP",), 0.22, "min width of COMP"),
    ("DF.2a", "channel_width", ("COMP", "Poly2"), 0.22, "min channel width"),
    ("DF.2b", "max_size", ("COMP",), 100.0, "max width of COMP"),
    ("DF.3a", "space", ("COMP",), 0.28, "min space of COMP"),
    ("DF.4c", "enclosure", ("pcomp_in_nwell", "Nwell"), 0.43, "Nwell overlap of PCOMP"),
    ("DF.4d", "enclosure", ("ntap", "Nwell"), 0.12, "Nwell overlap of n-tap"),
    ("DF.6", "extension", ("COMP", "Poly2"), 0.24, "source/drain COMP beyond the gate"),
    ("DF.9", "area", ("COMP",), 0.2025, "min area of COMP"),
    ("DF.10", "hole_area", ("COMP",), 0.26, "min field area enclosed by COMP"),
    ("DF.11", "edge_length", ("butting",), 0.3, "min length of a butting edge"),
    ("DF.12", "inside", ("COMP", "implant"), 0.0, "every COMP lies inside Nplus or Pplus"),
    ("DF.13", "reach", ("pcomp_in_nwell", "ntap"), 20.0, "max distance of PCOMP in Nwell to its n-tap"),
    ("DF.14", "reach", ("ncomp_outside", "ptap"), 20.0, "max distance of NCOMP to the nearest p-tap"),
    ("DF.16", "separation", ("Nwell", "ncomp_outside"), 0.43, "Nwell to NCOMP outside it"),
    ("DF.17", "separation", ("Nwell", "ptap"), 0.12, "Nwell to p-tap outside it"),
)
_NWELL: tuple[_Row, ...] = (
    ("NW.1a", "width", ("Nwell",), 0.86, "min width of Nwell"),
    ("NW.2a", "space", ("Nwell",), 0.6, "min space of Nwell, same potential"),
    ("NW.2b", "space_different_net", ("Nwell",), 1.4, "min space of Nwell, different potential"),
)
_POLY: tuple[_Row, ...] = (
    ("PL.1", "width", ("Poly2",), 0.18, "min width of Poly2"),
    ("PL.2", "gate_length", ("Poly2", "COMP"), 0.28, "min gate length"),
    ("PL.3a", "space", ("Poly2",), 0.24, "min space of Poly2"),
    ("PL.4", "extension", ("Poly2", "COMP"), 0.22, "end cap of Poly2 beyond COMP"),
    ("PL.5", "separation", ("Poly2", "COMP"), 0.1, "field Poly2 to COMP"),
    ("PL.6", "no_bend_over", ("Poly2", "COMP"), 0.0, "no 90 degree bend or end of Poly2 over COMP"),
)
_IMPLANT: tuple[_Row, ...] = (
    ("NP.1", "width", ("Nplus",), 0.4, "min width of Nplus"),
    ("NP.2", "space", ("Nplus",), 0.4, "min space of Nplus"),
    ("NP.3a", "butt_separation", ("Nplus", "pcomp_in_nwell"), 0.16, "Nplus to PCOMP in Nwell"),
    ("NP.3c", "butt_separation", ("Nplus", "ptap_near_nwell"), 0.16, "Nplus to p-tap less than 0.43 from Nwell"),
    ("NP.3cii", "butt_separation", ("Nplus", "ptap"), 0.08, "Nplus to p-tap"),
    ("NP.3d", "forbidden", ("Nplus", "pcomp"), 0.0, "Nplus must not cover PCOMP"),
    ("NP.4a", "butt_gate", ("butting", "pgate"), 0.32, "butting edge to a p-gate parallel to it"),
    ("NP.5a", "enclosure", ("ngate", "Nplus"), 0.23, "Nplus overlap of n-gate"),
    ("NP.5b", "implant_enclosure", ("ncomp_outside", "Nplus", "Pplus"), 0.16, "Nplus beyond NCOMP outside Nwell"),
    ("NP.5d", "implant_enclosure", ("ntap", "Nplus", "Pplus"), 0.02, "Nplus beyond n-tap"),
    ("NP.5di", "implant_enclosure", ("ntap_near_edge", "Nplus", "Pplus"), 0.16,
     "Nplus beyond n-tap less than 0.43 from the edge of Nwell"),
    ("NP.6", "butt_extension", ("COMP", "pcomp_butting"), 0.22, "NCOMP beyond its edge butted to PCOMP"),
    ("NP.8a", "area", ("Nplus",), 0.35, "min area of Nplus"),
    ("NP.8b", "hole_area", ("Nplus",), 0.35, "min area enclosed by Nplus"),
    ("PP.1", "width", ("Pplus",), 0.4, "min width of Pplus"),
    ("PP.2", "space", ("Pplus",), 0.4, "min space of Pplus"),
    ("PP.3a", "butt_separation", ("Pplus", "ncomp_outside"), 0.16, "Pplus to NCOMP outside Nwell"),
    ("PP.3c", "butt_separation", ("Pplus", "ntap"), 0.08, "Pplus to n-tap"),
    ("PP.3cii", "butt_separation", ("Pplus", "ntap_near_edge"), 0.16,
     "Pplus to n-tap less than 0.43 from the edge of Nwell"),
    ("PP.4a", "butt_gate", ("pcomp_butting", "ngate"), 0.32, "butting edge to an n-gate parallel to it"),
    ("PP.5a", "enclosure", ("pgate", "Pplus"), 0.23, "Pplus overlap of p-gate"),
    ("PP.5b", "implant_enclosure", ("pcomp_in_nwell", "Pplus", "Nplus"), 0.16, "Pplus beyond PCOMP in Nwell"),
    ("PP.5d", "implant_enclosure", ("ptap", "Pplus", "Nplus"), 0.02, "Pplus beyond p-tap"),
    ("PP.5di", "implant_enclosure", ("ptap_near_nwell", "Pplus", "Nplus"), 0.16,
     "Pplus beyond p-tap less than 0.43 from Nwell"),
    ("PP.6", "butt_extension", ("COMP", "butting"), 0.22, "PCOMP beyond its edge butted to NCOMP"),
    ("PP.8a", "area", ("Pplus",), 0.35, "min area of Pplus"),
    ("PP.8b", "hole_area", ("Pplus",), 0.35, "min area enclosed by Pplus"),
)

#: A line narrower than this has line ends; an overlap below the next calls for the
#: adjacent side (CO.6a/b, V*.3, V*.4).
_NARROW, _TIGHT = 0.34, 0.04
_CONTACT: tuple[_Row, ...] = (
    ("CO.1", "exact_size", ("Contact",), 0.22, "exact size of Contact"),
    ("CO.2a", "space", ("Contact",), 0.25, "min space of Contact"),
    ("CO.2b", "array_space", ("Contact", "Metal1"), 0.28, "min space of Contact in 4 x 4 or larger",
     (0.18, 4 * 0.22 + 3 * 0.25, 16)),
    ("CO.3", "enclosure", ("contact_poly", "Poly2"), 0.07, "Poly2 overlap of Contact"),
    ("CO.4", "enclosure", ("contact_comp", "COMP"), 0.07, "COMP overlap of Contact"),
    ("CO.5a", "enclosure", ("contact_ncomp_butted", "ncomp_butted"), 0.1, "Nplus overlap of Contact on butted COMP"),
    ("CO.5b", "enclosure", ("contact_pcomp_butted", "pcomp_butted"), 0.1, "Pplus overlap of Contact on butted COMP"),
    ("CO.6", "enclosure", ("Contact", "Metal1"), 0.005, "Metal1 overlap of Contact"),
    ("CO.6a", "line_end", ("Contact", "Metal1"), 0.06, "Metal1 end-of-line overlap of Contact, lines < 0.34",
     (_NARROW, 0.24)),
    ("CO.6b", "adjacent", ("Contact", "Metal1"), 0.06, "Metal1 overlap beside a side overlapped < 0.04", (_TIGHT,)),
    ("CO.7", "separation", ("contact_comp", "gate"), 0.15, "COMP contact to gate"),
    ("CO.8", "separation", ("contact_poly", "COMP"), 0.17, "poly contact to COMP"),
    ("CO.9", "straddle", ("Contact", "butting"), 0.0, "no contact on a butting edge"),
    ("CO.10", "forbidden", ("Contact", "gate"), 0.0, "no contact on a gate over COMP"),
    ("CO.11", "inside", ("Contact", "comp_or_poly"), 0.0, "no contact on field oxide"),
)


def _metal(n: int) -> tuple[_Row, ...]:
    m, width = f"Metal{n}", 0.23 if n == 1 else 0.28
    return (
        (f"M{n}.1", "width", (m,), width, f"min width of {m}"),
        (f"M{n}.2a", "space", (m,), width, f"min space of {m}"),
        (f"M{n}.2b", "wide_space", (m,), 0.3, f"space of {m} to {m} wider than 10 x 10", (10.0,)),
        (f"M{n}.3", "area", (m,), 0.1444, f"min area of {m}"),
    )


_TOP_METAL: tuple[_Row, ...] = (
    ("MT.1", "width", ("Metal5",), 0.44, "min width of Metal5 (11 kA)"),
    ("MT.2a", "space", ("Metal5",), 0.46, "min space of Metal5"),
    ("MT.2b", "wide_space", ("Metal5",), 0.6, "space of Metal5 to Metal5 wider than 10 x 10", (10.0,)),
    ("MT.4", "area", ("Metal5",), 0.5625, "min area of Metal5"),
    ("MT.5LM", "forbidden_layer", ("82/0",), 0.0, "no Via5 in a 5 metal process"),
    ("MT.5LMt", "forbidden_layer", ("53/0",), 0.0, "no MetalTop in a 5 metal process"),
)


def _via(n: int) -> tuple[_Row, ...]:
    v, low, high = f"Via{n}", f"Metal{n}", f"Metal{n + 1}"
    rows: list[_Row] = [
        (f"V{n}.1", "exact_size", (v,), 0.26, f"exact size of {v}"),
        (f"V{n}.2a", "space", (v,), 0.26, f"min space of {v}"),
        (f"V{n}.2b", "array_space", (v, low), 0.36, f"min space of {v} in 4 x 4 or larger",
         (0.18, 4 * 0.26 + 3 * 0.26, 16)),
        (f"V{n}.3", "enclosure", (v, low), 0.0 if n == 1 else 0.01, f"{low} overlap of {v}"),
        (f"V{n}.4", "enclosure", (v, high), 0.01, f"{high} overlap of {v}"),
    ]
    for number, metal in (("3", low), ("4", high)):
        rows += [
            (f"V{n}.{number}eol", "line_end", (v, metal), 0.06,
             f"{metal} end-of-line overlap of {v}, lines < 0.34", (_NARROW, 0.28)),
            (f"V{n}.{number}adj", "adjacent", (v, metal), 0.06,
             f"{metal} overlap beside a side overlapped < 0.04", (_TIGHT,)),
        ]
    return tuple(rows)


_PAD: tuple[_Row, ...] = (
    ("PAD.1", "width", ("Pad",), 40.0, "min opening of a pad"),
    ("PAD.2", "space", ("Pad",), 9.0, "pad opening to pad opening"),
    ("PAD.4", "enclosure", ("Pad", "Metal5"), 2.0, "Metal5 overlap of a pad opening"),
    ("PAD.5", "enclosure", ("pad_via", "pad_metal"), 0.5, "pad metal overlap of Via4"),
    ("PAD.17", "clear", ("Pad", "COMP"), 15.0, "pad opening to COMP (wedge bond)"),
    ("PAD.18", "clear", ("Pad", "Poly2"), 15.0, "pad opening to Poly2 (wedge bond)"),
    ("PAD.19b", "clear", ("Pad", "other_metal"), 6.0, "pad opening to Metal5 of other circuits"),
    ("PAD.20", "space", ("pad_metal",), 5.0, "pad metal to pad metal"),
)
_MARKERS: tuple[_Row, ...] = (
    ("GR.2", "clear", ("GUARD_RING_MK", "circuit_inside"), 10.0, "seal ring to circuit"),
    ("DE.2", "width", ("NDMY",), 0.8, "min width of NDMY"),
    ("DE.2p", "width", ("PMNDMY",), 0.8, "min width of PMNDMY"),
    ("DE.4", "space", ("NDMY",), 20.0, "min space of NDMY"),
)
#: slots drawn on the foundry's slot layers or as holes both count
_SLOTS: tuple[_Row, ...] = tuple(
    (f"MSLOT{n}.1", "max_width", (f"Metal{n}", slot, "Pad"), 30.0,
     f"max width of Metal{n} without a slot, 5 um around a pad excepted", (5.0,))
    for n, slot in enumerate(("34/3", "36/3", "42/3", "46/3", "81/3"), start=1)
)


def _antenna() -> list[_Row]:
    """Side wall of each conductor, and area of each cut, to the gate area that it charges."""
    rows: list[_Row] = [
        ("ANT.Poly2", "antenna", ("gate", "Poly2"), 200.0, "Poly2 side wall to gate area", (0.0, 0.2)),
        ("ANT.Contact", "antenna", ("gate", "Contact"), 10.0, "Contact area to gate area", (1.0, 0.0)),
    ]
    for n in range(1, 6):
        wall = 0.54 if n < 5 else 1.19
        rows.append((f"ANT.Metal{n}", "antenna", ("gate", f"Metal{n}"), 400.0,
                     f"Metal{n} side wall to gate area", (0.0, wall)))
        if n < 5:
            rows.append((f"ANT.Via{n}", "antenna", ("gate", f"Via{n}"), 20.0,
                         f"Via{n} area to gate area", (1.0, 0.0)))
    return rows


def _density() -> list[_Row]:
    """Share of the die, in percent; extra is 1 for a minimum and -1 for a maximum."""
    names = {1: "M1.4", 2: "M2.4", 3: "M3.4", 4: "M4.4", 5: "MT.3"}
    rows: list[_Row] = [
        (names[n], "density", (f"Metal{n}",), 30.0, f"min die coverage of Metal{n}", (1.0,)) for n in names
    ]
    return [
        ("DCF.1b", "density", ("COMP",), 25.0, "min die coverage of COMP", (1.0,)),
        ("DCF.1d", "density", ("COMP",), 70.0, "max die coverage of COMP", (-1.0,)),
        ("PL.8", "density", ("Poly2",), 14.0, "min die coverage of Poly2", (1.0,)),
        *rows,
    ]


def _rules(rows: Iterable[_Row], source: str) -> list[Rule]:
    return [Rule(*row[:5], source, *row[5:]) for row in rows]  # type: ignore[misc]


_LABELS = (Purpose.LABEL, Purpose.MODULE_LABEL)


def _geometry(module: bool) -> list[_Row]:
    """Grid and angles of every layer that holds shapes."""
    rows: list[_Row] = []
    for name in [x.name for x in LAYERS if x.purpose not in _LABELS and x.is_module == module]:
        rows += [
            (f"OFFGRID.{name}", "on_grid", (name,), 0.005, f"vertices of {name} on the 0.005 grid"),
            (f"ANGLE.{name}", "angle", (name,), 45.0, f"edges of {name} at multiples of 45 degrees"),
        ]
    return rows


def foundry_rules() -> tuple[Rule, ...]:
    """Return the rules of the foundry layers that this project draws."""
    rules = _rules(_COMP, _DM + "14_COMP33") + _rules(_NWELL, _DM + "13_Nwell31")
    rules += _rules(_POLY, _DM + "16_Poly2_42")
    rules += _rules(_IMPLANT, _DM + "17_Nplus_44 and 18_Pplus_48")
    rules += _rules(_CONTACT, _DM + "21_Contact_56")
    for n in range(1, 5):
        rules += _rules(_metal(n), _DM + "22_Metaln_58") + _rules(_via(n), _DM + "23_Vian_59")
    rules += _rules(_TOP_METAL, _DM + "24_MetalTop_61") + _rules(_PAD, _DM + "29_BondPad")
    rules += _rules(_MARKERS, _DM + "50_GUARD_RING_MK_134 and 39_Dummy_layers_104")
    rules += _rules(_SLOTS, "foundry deck mslot.rb (facts/gf180mcu.yaml)")
    rules += _rules(_antenna(), _DM + "27_ANTENNA1_66 to 28_ANTENNA3_69")
    rules += _rules(_geometry(module=False), _DM + "10_Design_Geometry_Rules27")
    return tuple(rules + _rules(_density(), _DM + "16, 22, 24 and 51"))


def _device_rules(f: float, s: float, a: float) -> list[_Row]:
    rows: list[_Row] = []
    for tier, line in (("B", "BE"), ("T", "TE")):
        crossing = f"crossing_{tier}"
        for first, oxide, words in ((1, f"TIO2_{tier}", "TiO2"), (2, f"TIO2X_{tier}", "TiO2-x")):
            rows += [
                (f"OX{tier}.{first}", "enclosure", (crossing, oxide), a, f"{words} beyond each crossing edge: A"),
                (f"OX{tier}.{2 * first + 1}", "width", (oxide,), f, f"min width of {words}: F"),
                (f"OX{tier}.{2 * first + 2}", "space", (oxide,), s, f"min space of {words}"),
            ]
        rows += [
            (f"OX{tier}.7", "end_overhang", (line, crossing), 2 * a,
             f"end or jog of {line} to a crossing: 2 A, so that it passes the oxide by A"),
            (f"OX{tier}.8", "end_overhang", ("ME", crossing), 2 * a, "end or jog of ME to a crossing: 2 A"),
        ]
    return rows


def module_rules(profile: Profile) -> tuple[Rule, ...]:
    """Return the memristor module's rules for a post-process profile.

    Every value is F, the space or A of the profile, or a sum of them.
    """
    f, s, a, v = profile.line_um, profile.space_um, profile.overlay_um, profile.via_um
    rows: list[_Row] = []
    electrodes = ("BE", "ME", "TE")
    for e in electrodes:
        rows += [
            (f"{e}.1", "width", (e,), f, f"min width of {e}: F"),
            (f"{e}.2", "space", (e,), s, f"min space of {e}"),
            (f"V{e}.1", "exact_size", (f"V{e}",), v, f"exact size of V{e}"),
            (f"V{e}.2", "space", (f"V{e}",), s, f"min space of V{e}"),
            (f"V{e}.3", "enclosure", (f"V{e}", e), a, f"{e} overlap of V{e}: A"),
            (f"V{e}.4", "enclosure", (f"V{e}", "Metal5"), a, f"Metal5 overlap of V{e}: A"),
            (f"V{e}.5", "clear", (f"V{e}", "crossing"), f + a, f"V{e} to a crossing: F + A"),
            (f"V{e}.6", "clear", (f"V{e}", "oxide"), a, f"V{e} to oxide: A"),
        ]
        for lower in electrodes[: electrodes.index(e)]:  # a via meets only what lies below its end
            rows.append((f"V{e}.7{lower[0].lower()}", "clear", (f"V{e}", lower), s,
                         f"V{e} to {lower}, which it must pass"))
    rows += _device_rules(f, s, a)
    rows += [
        ("XO.1", "overlay", ("crossing_B", "crossing_T"), 2 * a, "tier-to-tier misregistration of a stacked pair: 2 A"),
        ("PO.1", "inside", ("module", "POSTPROC"), 0.0, "no module shape outside the post-process area"),
    ]
    for e in electrodes:
        rows += [
            (f"{e}.D", "density", (e,), 20.0, f"min coverage of {e}, for planarisation", (1.0,)),
            (f"{e}.Dx", "density", (e,), 80.0, f"max coverage of {e}, for planarisation", (-1.0,)),
        ]
    source = f"derived from profile {profile.name!r} (facts/devices.md section 4)"
    rounded = [(*row[:3], round(row[3], 6), *row[4:]) for row in (*rows, *_geometry(module=True))]
    return tuple(_rules(rounded, source))  # type: ignore[arg-type]
