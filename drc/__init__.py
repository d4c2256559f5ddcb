"""Design rule checks: rules as data, one small function per rule kind, two engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.lazy import loader

if TYPE_CHECKING:
    from .deck import deck_macro, deck_text, write_deck
    from .engine import run_drc
    from .evaluate import RuleError
    from .formats import FORMATS, render
    from .foundry import fetch, run_foundry_drc
    from .foundry_items import FoundryError, FoundryReport
    from .report import DrcReport, RuleRun, Violation
    from .waivers import Waiver, apply_waivers, load_waivers

_HOME = {
    ".deck": (
        "deck_macro",
        "deck_text",
        "write_deck",
    ),
    ".engine": ("run_drc",),
    ".evaluate": ("RuleError",),
    ".formats": (
        "FORMATS",
        "render",
    ),
    ".foundry": (
        "fetch",
        "run_foundry_drc",
    ),
    ".foundry_items": (
        "FoundryError",
        "FoundryReport",
    ),
    ".report": (
        "DrcReport",
        "RuleRun",
        "Violation",
    ),
    ".waivers": (
        "Waiver",
        "apply_waivers",
        "load_waivers",
    ),
}

__all__ = [
    "FORMATS",
    "DrcReport",
    "FoundryError",
    "FoundryReport",
    "RuleError",
    "RuleRun",
    "Violation",
    "Waiver",
    "apply_waivers",
    "deck_macro",
    "deck_text",
    "fetch",
    "load_waivers",
    "render",
    "run_drc",
    "run_foundry_drc",
    "write_deck",
]

__getattr__ = loader(__name__, _HOME)
