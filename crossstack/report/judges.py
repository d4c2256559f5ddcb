"""Results of other checks that lie in a build's folder: the foundry's deck, the tapeout checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..base.files import read_json
from ..base.units import counted
from ..pdk import FileError

#: what `crossstack foundry drc` and `crossstack tapeout` leave in or below a build
FOUNDRY, TAPEOUT = "*foundry_drc.json", ("tapeout/tapeout.json", "tapeout.json")
_PACKAGE = "Tapeout package"


def judged(folder: Path, sums: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a card for each verdict found: title, ok, head, line, and findings as text.

    A verdict counts only for the very file that it was given: one on a layout that was built
    again since is shown as old.

    Args:
        folder: of the build.
        sums: file name -> SHA-256, from the build's manifest.
    """
    cards = [_card(path, sums, _foundry) for path in sorted(folder.glob(FOUNDRY))]
    found = next((folder / name for name in TAPEOUT if (folder / name).is_file()), None)
    if found is not None:
        cards.append(_card(found, sums, _tapeout))
    return cards


def package_badge(cards: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the verdict on a tapeout package in a few words; none without one."""
    return [
        {"ok": card["ok"], "text": f"package {card['head']}", "title": card["line"]}
        for card in cards
        if card["title"] == _PACKAGE
    ]


def _card(path: Path, sums: Mapping[str, str], read: Any) -> dict[str, Any]:
    value = read_json(path)
    try:
        card: dict[str, Any] = read(value)
        (source,) = value["source"].items()
    except (KeyError, TypeError, ValueError, AttributeError):
        raise FileError(f"{path} is not a result of crossstack") from None
    name, digest = source
    if sums.get(name) == digest:
        return card
    line = f"{path.name} is about a {name} that is not the one of this build"
    return {**card, "ok": None, "head": "out of date", "line": line, "findings": []}


def _foundry(value: dict[str, Any]) -> dict[str, Any]:
    count, rules = int(value["violations"]), int(value["rules_run"])
    return {
        "title": "Foundry's deck",
        "ok": count == 0,
        "head": "clean" if count == 0 else counted(count, "violation"),
        "line": f"{counted(rules, 'rule')} of the foundry's own run on its layers",
        "findings": [f"{rule}: {n}" for rule, n in value["by_rule"].items()],
    }


def _tapeout(value: dict[str, Any]) -> dict[str, Any]:
    checks = value["checks"]
    done = sum(check["status"] == "ok" for check in checks)
    failed = [c for c in checks if c["status"] == "failed"]
    unknown = len(checks) - done - len(failed)
    line = f"{done} of {len(checks)} checks passed, {len(failed)} failed, {unknown} not decidable"
    return {
        "title": _PACKAGE,
        "ok": {"ready": True, "not ready": False, "unknown": None}[value["verdict"]],
        "head": value["verdict"],
        "line": line,
        "findings": [f"{c['name']}, {c['file']}: {c['text']}" for c in failed],
    }
