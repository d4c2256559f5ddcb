"""Design rule checks: rules as data, one small function per rule kind, two engines."""

from __future__ import annotations

from .engine import run_drc
from .evaluate import RuleError
from .report import DrcReport, RuleRun, Violation

__all__ = ["DrcReport", "RuleError", "RuleRun", "Violation", "run_drc"]
