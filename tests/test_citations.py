"""What code and documents cite is in the repository: files, sections of files, our modules."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: folders whose files are ours: a path that starts with one of them must exist
ROOMS = (
    *tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"][
        "package-dir"
    ].values(),
    *("bench", "docs", "examples", "facts", "tests"),
)
_KINDS = "md|py|csv|toml|yaml|yml|json|txt|lydrc"
PATH = re.compile(rf"(?<![\w./-])((?:{'|'.join(ROOMS)})/[\w./-]*\w\.(?:{_KINDS}))\b")
#: a section of a document, which is cited by a path from the root or by its name
DOCUMENT = re.compile(r"(?<![\w./:-])([\w./-]*\w\.md)((?:,?\s+|\n#:?\s*)section\s+(\d+))?")
MODULE = re.compile(r"`(crossstack(?:\.\w+)+)`")
#: names of entry points, which are no modules
_GROUPS = {"crossstack.array_cells", "crossstack.cells"}
#: pages whose examples name files of the reader's own
_EXAMPLES = re.compile(r"```.*?```", re.S)


def files() -> list[Path]:
    try:
        told = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    kinds = {".py", ".md", ".toml", ".csv", ".yml", ".yaml", ".j2"}
    names = (ROOT / name for name in told.split("\0") if name)
    return [path for path in names if path.suffix in kinds and path.is_file()]


@cache
def sections(path: Path) -> frozenset[str]:
    """Numbers of the headings of a document."""
    return frozenset(re.findall(r"(?m)^##+ (\d+)\. ", path.read_text(encoding="utf-8")))


def found(name: str, beside: Path) -> Path | None:
    """The file that a citation means: from the root, from the documents, or beside it."""
    for folder in (ROOT, ROOT / "docs", beside):
        if (folder / name).is_file():
            return folder / name
    return None


def dangling(text: str, path: Path) -> Iterator[str]:
    """Citations of a text that lead nowhere."""
    if path.suffix == ".md":
        text = _EXAMPLES.sub(lambda m: "\n" * m[0].count("\n"), text)
    for match in PATH.finditer(text):
        if found(match[1], path.parent) is None:
            yield f"{match[1]} is no file"
    for match in DOCUMENT.finditer(text):
        if not match[3]:
            continue  # a file that a command writes; links between pages are mkdocs' to check
        target = found(match[1], path.parent)
        if target is None:
            yield f"{match[1]} is no file"
        elif match[3] not in sections(target):
            yield f"{match[1]} has no section {match[3]}"
    for match in MODULE.finditer(text):
        if match[1] not in _GROUPS and not exists(match[1]):
            yield f"{match[1]} is no module or name of ours"


@cache
def exists(dotted: str) -> bool:
    """Return True if a dotted name is a module, or a name in one."""
    parts = dotted.split(".")
    for k in range(len(parts), 0, -1):
        try:
            if find_spec(".".join(parts[:k])) is None:
                continue
        except ImportError:  # looking below a package imports it: that may be an optional extra
            continue
        try:
            value: object = import_module(".".join(parts[:k]))
        except ImportError:  # of an optional extra, which may be missing: its source says as much
            source = Path(str(find_spec(".".join(parts[:k])).origin)).read_text()
            return all(re.search(rf"\b{name}\b", source) for name in parts[k:])
        for name in parts[k:]:
            if not hasattr(value, name):
                return False
            value = getattr(value, name)
        return True
    return False


def test_every_citation_leads_somewhere() -> None:
    wrong = []
    for path in files():
        if path == Path(__file__) or path.name == "CHANGELOG.md":
            continue
        text = path.read_text(encoding="utf-8")
        wrong += [f"{path.relative_to(ROOT)}: {problem}" for problem in dangling(text, path)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("values: facts/gf180mcu.yaml (own wording)", "facts/gf180mcu.yaml is no file"),
        ("facts/devices.md section 4", "facts/devices.md is no file"),
        ("design.md section 99", "design.md has no section 99"),
        ("docs/design.md section 99", "docs/design.md has no section 99"),
        ("pdk/gf180mcuD/SOURCES.md\n#: section 77", "has no section 77"),
        ("see pdk/rules.py", "pdk/rules.py is no file"),
        ("as in `crossstack.drc.checks`", "crossstack.drc.checks is no module"),
        ("`crossstack.pdk.Nothing`", "crossstack.pdk.Nothing is no module"),
    ],
)
def test_a_citation_that_leads_nowhere_is_found(text: str, problem: str) -> None:
    assert any(problem in told for told in dangling(text, ROOT / "pdk" / "x.py"))


@pytest.mark.parametrize(
    "text",
    ["docs/design.md section 3", "pdk/gf180mcuD/SOURCES.md section 9", "`crossstack.pdk.Tech.film`",
     "https://example.org/a/b.md", "gds_out/a/manifest.json", "design.md"],
)  # fmt: skip
def test_a_citation_that_leads_somewhere_is_left_alone(text: str) -> None:
    assert not list(dangling(text, ROOT / "pdk" / "x.py"))


def test_citations_are_judged_without_an_optional_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("crossstack.torch")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)  # as where it is not installed
    judged = exists.__wrapped__
    assert judged("crossstack.torch.currents")
    assert not judged("crossstack.torch.of_no_such_name")
