"""Post-process profiles: what the lab that builds the memristor module can resolve.

Values: facts/nmos.md (cell pitch table) and design.md section 3. They are assumed, not
foundry data: each user replaces them with the figures of their own lab.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..base.errors import ParameterError


@dataclass(frozen=True)
class Profile:
    """Resolution and overlay of the post-process.

    Attributes:
        name: key of the profile.
        line_um: F, the narrowest line, and width of a default device.
        space_um: the narrowest space between two shapes of one film.
        via_um: exact side of a module via.
        overlay_um: A, the worst misalignment of one mask to another.
        source: where the figures come from.
    """

    name: str
    line_um: float
    space_um: float
    via_um: float
    overlay_um: float
    source: str


PROFILES: dict[str, Profile] = {
    p.name: p
    for p in (
        Profile("stepper", 0.5, 0.5, 0.5, 0.15, "assumed: i-line stepper, facts/nmos.md"),
        Profile("aligner", 1.0, 1.0, 1.0, 0.5, "assumed: good contact aligner, facts/nmos.md"),
    )
}


def get_profile(name: str) -> Profile:
    """Return a profile by name.

    Raises:
        ParameterError: if there is no such profile.
    """
    if name not in PROFILES:
        raise ParameterError("profile", name, "one of " + ", ".join(sorted(PROFILES)))
    return PROFILES[name]
