"""Design rules as data: each value is written here once, and everything derives from it.

Foundry values: facts/gf180mcu.yaml (own wording of the GF180MCU design manual). Module
rules derive from the profile's F (line), space and A (overlay): facts/devices.md section 4.
"""

from __future__ import annotations

from dataclasses import dataclass

from .profiles import Profile


@dataclass(frozen=True)
class Rule:
    """One design rule.

    Attributes:
        name: rule name, as in the foundry's manual where it is theirs.
        kind: how it is checked; see `crossstack.drc.checks`.
        layers: drawn or derived layers, in the order the kind asks for.
        value: limit in um, um2 or percent; 0 where the rule has no number.
        text: what it says, in words.
        source: where it comes from.
    """

    name: str
    kind: str
    layers: tuple[str, ...]
    value: float
    text: str
    source: str


_DM = "GF180MCU design manual, "

_COMP = (
    ("DF.1a", "width", ("COMP",), 0.22, "min width of COMP"),
    ("DF.2a", "width", ("channel",), 0.22, "min channel width"),
    ("DF.3a", "space", ("COMP",), 0.28, "min space of COMP"),
    ("DF.4c", "enclosure", ("pcomp_in_nwell", "Nwell"), 0.43, "Nwell overlap of PCOMP"),
    ("DF.4d", "enclosure", ("ntap", "Nwell"), 0.12, "Nwell overlap of n-tap"),
    ("DF.6", "extension", ("COMP", "Poly2"), 0.24, "source/drain COMP beyond the gate"),
    ("DF.9", "area", ("COMP",), 0.2025, "min area of COMP"),
    ("DF.10", "hole_area", ("COMP",), 0.26, "min field area enclosed by COMP"),
    ("DF.12", "inside", ("COMP", "implant"), 0.0, "every COMP lies inside Nplus or Pplus"),
    ("DF.13", "reach", ("pcomp_in_nwell", "ntap"), 20.0, "max distance of PCOMP in Nwell to its n-tap"),
    ("DF.14", "reach", ("ncomp_outside", "ptap"), 20.0, "max distance of NCOMP to the nearest p-tap"),
    ("DF.16", "separation", ("Nwell", "ncomp_outside"), 0.43, "Nwell to NCOMP outside it"),
    ("DF.17", "separation", ("Nwell", "ptap"), 0.12, "Nwell to p-tap outside it"),
)  # fmt: skip
_NWELL = (
    ("NW.1a", "width", ("Nwell",), 0.86, "min width of Nwell"),
    ("NW.2a", "space", ("Nwell",), 0.6, "min space of Nwell, same potential"),
    ("NW.2b", "space_different_net", ("Nwell",), 1.4, "min space of Nwell, different potential"),
)
_POLY = (
    ("PL.1", "width", ("Poly2",), 0.18, "min width of Poly2"),
    ("PL.2", "width", ("gate",), 0.28, "min gate length"),
    ("PL.3a", "space", ("Poly2",), 0.24, "min space of Poly2"),
    ("PL.4", "extension", ("Poly2", "COMP"), 0.22, "end cap of Poly2 beyond COMP"),
    ("PL.5", "separation", ("poly_field", "COMP"), 0.1, "field Poly2 to COMP"),
    ("PL.6", "no_bend_over", ("Poly2", "COMP"), 0.0, "no 90 degree bend of Poly2 over COMP"),
)
_IMPLANT = (
    ("NP.1", "width", ("Nplus",), 0.4, "min width of Nplus"),
    ("NP.2", "space", ("Nplus",), 0.4, "min space of Nplus"),
    ("NP.3c", "separation", ("Nplus", "ptap"), 0.16, "Nplus to p-tap"),
    ("NP.5a", "enclosure", ("ngate", "Nplus"), 0.23, "Nplus overlap of n-gate"),
    ("NP.5b", "enclosure", ("ncomp_outside", "Nplus"), 0.16, "Nplus beyond NCOMP outside Nwell"),
    ("NP.5d", "enclosure", ("ntap", "Nplus"), 0.02, "Nplus beyond n-tap"),
    ("NP.8a", "area", ("Nplus",), 0.35, "min area of Nplus"),
    ("NP.8b", "hole_area", ("Nplus",), 0.35, "min area enclosed by Nplus"),
    ("PP.1", "width", ("Pplus",), 0.4, "min width of Pplus"),
    ("PP.2", "space", ("Pplus",), 0.4, "min space of Pplus"),
    ("PP.3a", "separation", ("Pplus", "ncomp_outside"), 0.16, "Pplus to NCOMP outside Nwell"),
    ("PP.5a", "enclosure", ("pgate", "Pplus"), 0.23, "Pplus overlap of p-gate"),
    ("PP.5b", "enclosure", ("pcomp_in_nwell", "Pplus"), 0.16, "Pplus beyond PCOMP in Nwell"),
    ("PP.5d", "enclosure", ("ptap", "Pplus"), 0.02, "Pplus beyond p-tap"),
    ("PP.8a", "area", ("Pplus",), 0.35, "min area of Pplus"),
    ("PP.8b", "hole_area", ("Pplus",), 0.35, "min area enclosed by Pplus"),
)
_CONTACT = (
    ("CO.1", "exact_size", ("Contact",), 0.22, "exact size of Contact"),
    ("CO.2a", "space", ("Contact",), 0.25, "min space of Contact"),
    ("CO.2b", "array_space", ("Contact",), 0.28, "min space of Contact in 4 x 4 or larger"),
    ("CO.3", "enclosure", ("contact_poly", "Poly2"), 0.07, "Poly2 overlap of Contact"),
    ("CO.4", "enclosure", ("contact_comp", "COMP"), 0.07, "COMP overlap of Contact"),
    ("CO.6", "enclosure", ("Contact", "Metal1"), 0.005, "Metal1 overlap of Contact"),
    ("CO.6a", "line_end", ("Contact", "Metal1"), 0.06, "Metal1 end-of-line overlap of Contact, lines < 0.34"),
    ("CO.6b", "adjacent", ("Contact", "Metal1"), 0.06, "Metal1 overlap beside a side overlapped < 0.04"),
    ("CO.7", "separation", ("contact_comp", "gate"), 0.15, "COMP contact to gate"),
    ("CO.8", "separation", ("contact_poly", "COMP"), 0.17, "poly contact to COMP"),
    ("CO.10", "forbidden", ("contact_poly", "COMP"), 0.0, "no contact on a gate over COMP"),
    ("CO.11", "inside", ("Contact", "comp_or_poly"), 0.0, "no contact on field oxide"),
)  # fmt: skip


def _metal(n: int) -> tuple[tuple[str, str, tuple[str, ...], float, str], ...]:
    m, width = f"Metal{n}", 0.23 if n == 1 else 0.28
    return (
        (f"M{n}.1", "width", (m,), width, f"min width of {m}"),
        (f"M{n}.2a", "space", (m,), width, f"min space of {m}"),
        (f"M{n}.2b", "wide_space", (m,), 0.3, f"space of {m} to {m} wider than 10 x 10"),
        (f"M{n}.3", "area", (m,), 0.1444, f"min area of {m}"),
    )


_TOP_METAL = (
    ("MT.1", "width", ("Metal5",), 0.44, "min width of Metal5 (11 kA)"),
    ("MT.2a", "space", ("Metal5",), 0.46, "min space of Metal5"),
    ("MT.2b", "wide_space", ("Metal5",), 0.6, "space of Metal5 to Metal5 wider than 10 x 10"),
    ("MT.4", "area", ("Metal5",), 0.5625, "min area of Metal5"),
)


def _via(n: int) -> tuple[tuple[str, str, tuple[str, ...], float, str], ...]:
    v, low, high = f"Via{n}", f"Metal{n}", f"Metal{n + 1}"
    return (
        (f"V{n}.1", "exact_size", (v,), 0.26, f"exact size of {v}"),
        (f"V{n}.2a", "space", (v,), 0.26, f"min space of {v}"),
        (f"V{n}.2b", "array_space", (v,), 0.36, f"min space of {v} in 4 x 4 or larger"),
        (f"V{n}.3", "enclosure", (v, low), 0.0 if n == 1 else 0.01, f"{low} overlap of {v}"),
        (f"V{n}.3eol", "line_end", (v, low), 0.06, f"{low} end-of-line overlap of {v}, lines < 0.34"),
        (f"V{n}.3adj", "adjacent", (v, low), 0.06, f"{low} overlap beside a side overlapped < 0.04"),
        (f"V{n}.4", "enclosure", (v, high), 0.01, f"{high} overlap of {v}"),
        (f"V{n}.4eol", "line_end", (v, high), 0.06, f"{high} end-of-line overlap of {v}, lines < 0.34"),
        (f"V{n}.4adj", "adjacent", (v, high), 0.06, f"{high} overlap beside a side overlapped < 0.04"),
    )  # fmt: skip


def _rules(rows: tuple, table: str) -> list[Rule]:
    return [Rule(name, kind, layers, value, text, _DM + table) for name, kind, layers, value, text in rows]


def foundry_rules() -> tuple[Rule, ...]:
    """Return the rules of the foundry layers that this project draws."""
    rules = _rules(_COMP, "14_COMP33") + _rules(_NWELL, "13_Nwell31") + _rules(_POLY, "16_Poly2_42")
    rules += _rules(_IMPLANT, "17_Nplus_44 and 18_Pplus_48") + _rules(_CONTACT, "21_Contact_56")
    for n in range(1, 5):
        rules += _rules(_metal(n), "22_Metaln_58") + _rules(_via(n), "23_Vian_59")
    return tuple(rules + _rules(_TOP_METAL, "24_MetalTop_61"))


def module_rules(profile: Profile) -> tuple[Rule, ...]:
    """Return the memristor module's rules for a post-process profile.

    Every value is F, the space or A of the profile, or a sum of them.
    """
    f, s, a, v = profile.line_um, profile.space_um, profile.overlay_um, profile.via_um
    rows: list[tuple[str, str, tuple[str, ...], float, str]] = []
    for e in ("BE", "ME", "TE"):
        rows += [
            (f"{e}.1", "width", (e,), f, f"min width of {e}: F"),
            (f"{e}.2", "space", (e,), s, f"min space of {e}"),
            (f"V{e}.1", "exact_size", (f"V{e}",), v, f"exact size of V{e}"),
            (f"V{e}.2", "space", (f"V{e}",), s, f"min space of V{e}"),
            (f"V{e}.3", "enclosure", (f"V{e}", e), a, f"{e} overlap of V{e}: A"),
            (f"V{e}.4", "enclosure", (f"V{e}", "Metal5"), a, f"Metal5 overlap of V{e}: A"),
            (f"V{e}.5", "separation", (f"V{e}", "crossing"), f + a, f"V{e} to a crossing: F + A"),
            (f"V{e}.6", "separation", (f"V{e}", "oxide"), a, f"V{e} to oxide: A"),
        ]
        for other in ("BE", "ME", "TE"):
            if other != e:
                rows.append((f"V{e}.7{other[0].lower()}", "separation", (f"V{e}", other), s,
                             f"V{e} to {other}, which it must pass"))  # fmt: skip
    for tier, low in (("B", "BE"), ("T", "TE")):
        rows += [
            (f"OX{tier}.1", "enclosure", (f"crossing_{tier}", f"TIO2_{tier}"), a, "TiO2 beyond each crossing edge: A"),
            (f"OX{tier}.2", "enclosure", (f"crossing_{tier}", f"TIO2X_{tier}"), a, "TiO2-x beyond each crossing edge: A"),
            (f"OX{tier}.3", "width", (f"TIO2_{tier}",), f, "min width of TiO2: F"),
            (f"OX{tier}.4", "space", (f"TIO2_{tier}",), s, "min space of TiO2"),
            (f"OX{tier}.5", "width", (f"TIO2X_{tier}",), f, "min width of TiO2-x: F"),
            (f"OX{tier}.6", "space", (f"TIO2X_{tier}",), s, "min space of TiO2-x"),
            (f"OX{tier}.7", "end_overhang", (low, f"crossing_{tier}"), 2 * a, f"{low} end beyond a crossing: 2 A, so that it passes the oxide by A"),
            (f"OX{tier}.8", "end_overhang", ("ME", f"crossing_{tier}"), 2 * a, "ME end beyond a crossing: 2 A"),
        ]  # fmt: skip
    rows += [
        ("XO.1", "overlay", ("crossing_B", "crossing_T"), 2 * a, "tier-to-tier misregistration of a stacked pair: 2 A"),
        ("PO.1", "inside", ("module", "POSTPROC"), 0.0, "no module shape outside the post-process area"),
    ]  # fmt: skip
    source = f"derived from profile {profile.name!r} (facts/devices.md section 4)"
    return tuple(Rule(name, kind, layers, round(value, 6), text, source) for name, kind, layers, value, text in rows)
