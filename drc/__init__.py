"""Design rule checks: rules as data, one small function per rule kind, two engines."""

from __future__ import annotations

from .deck import deck_macro, deck_text, write_deck
from .engine import run_drc
from .evaluate import RuleError
from .formats import FORMATS, render
from .foundry import FoundryError, FoundryReport, fetch, run_foundry_drc
from .report import DrcReport, RuleRun, Violation
from .waivers import Waiver, apply_waivers, load_waivers

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
