"""The checks of a tapeout package as an outcome, for the formats of CI systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..base.outcome import FAILED, PASSED, UNKNOWN, Case, Outcome

_STATUS = {"ok": PASSED, "failed": FAILED}


def outcome_of(report: Mapping[str, Any], source: str) -> Outcome:
    """Return a case per check; what was judged by nobody did not pass.

    Args:
        report: content of tapeout.json.
        source: layout that the package was made from.
    """
    cases = []
    for check in report["checks"]:
        status = _STATUS.get(check["status"], UNKNOWN)
        name = f"{check['name']}: {check['file']}"
        said = check["text"]
        message = "" if status == PASSED else f"not judged: {said}" if status == UNKNOWN else said
        cases.append(Case(name, said if status == PASSED else check["name"], status, message))
    return Outcome("tapeout", source, report["name"], tuple(cases))
