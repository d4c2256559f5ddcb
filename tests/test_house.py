"""The house: one-way imports between rooms, small modules, no machine's paths in files."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).resolve().parent.parent

#: room -> rooms that it may import (docs/design.md section 2); `crossstack` may import all
ALLOWED: dict[str, set[str]] = {
    "base": set(),
    "pdk": {"base"},
    "solve": {"base"},
    "cells": {"base", "pdk"},
    "generators": {"base", "pdk", "cells"},
    "drc": {"base", "pdk"},
    "lvs": {"base", "pdk"},
    "extract": {"base", "pdk", "lvs", "solve"},
    "analyse": {"base", "pdk", "extract", "solve"},
    "signoff": {"base", "pdk", "generators", "drc", "lvs", "extract"},
    "views": {"base", "pdk", "lvs", "extract", "solve", "analyse"},
    "lab": {"base", "pdk", "cells", "extract", "solve"},
}
ALLOWED["crossstack"] = set(ALLOWED)
#: room -> its folders, from the lowest: each may import those before it, and no module beside them
FLOORS = {
    "solve": ["circuit", "crossbar", "network", "modes", "study"],
    "extract": ["sheet", "nets", "array", "field", "write"],
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAX_LINES = 450
#: of a function, its docstring not counted: CONTRIBUTING.md says about 60
MAX_BODY = 62
#: solving needs nothing but numbers; reading commands must start fast
FORBIDDEN_PACKAGES = {
    "solve": {"klayout", "gdsfactory", "kfactory", "shapely"},
    "drc": {"gdsfactory", "kfactory"},
    "lvs": {"gdsfactory", "kfactory"},
    "extract": {"gdsfactory", "kfactory"},
    "analyse": {"gdsfactory", "kfactory", "click", "rich"},
    "signoff": {"gdsfactory", "kfactory", "click", "rich"},
    "views": {"gdsfactory", "kfactory", "click", "rich"},
    "lab": {"gdsfactory", "kfactory", "click", "rich"},
    "crossstack": {"gdsfactory", "kfactory"},
}
#: no room draws its charts by another library: they have a page's colours (docs/design.md)
NOWHERE = {"matplotlib"}


@cache
def modules() -> list[tuple[str, Path]]:
    return [(room, path) for room in ALLOWED for path in sorted((ROOT / room).rglob("*.py"))]


def package_of(path: Path) -> list[str]:
    """Dotted package that a module's relative imports start from, as a list."""
    parts = list(path.relative_to(ROOT).parent.parts)
    return parts if parts[0] == "crossstack" else ["crossstack", *parts]


@cache
def tree_of(path: Path) -> ast.Module:
    """What a module says, read once for all tests."""
    return ast.parse(path.read_text())


@cache
def imported(path: Path) -> list[tuple[int, str]]:
    """(line, absolute dotted name) of everything that a module imports, at any depth."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package_of(path)[: len(package_of(path)) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            # `from .. import lvs` names the room itself
            found += [(node.lineno, f"{stem}.{alias.name}") for alias in node.names]
    return found


def room_of(name: str) -> str | None:
    """Room that a dotted name belongs to; None for other people's packages."""
    parts = name.split(".")
    if parts[0] != "crossstack":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in ALLOWED else "crossstack"


@pytest.mark.parametrize("room", ALLOWED)
def test_imports_go_one_way(room: str) -> None:
    wrong = []
    for owner, path in modules():
        if owner != room:
            continue
        for line, name in imported(path):
            target = room_of(name)
            if target not in {None, room} | ALLOWED[room]:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
            if name.split(".")[0] in FORBIDDEN_PACKAGES.get(room, set()) | NOWHERE:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_torch_is_imported_by_its_package_alone() -> None:
    """It is an optional extra of 900 MB."""
    home = ROOT / "crossstack" / "torch"
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for _, path in modules()
        for line, name in imported(path)
        if name.split(".")[0] == "torch" and home not in path.parents
    ]
    assert wrong == []


def too_high(room: str, graph: dict[str, set[str]]) -> list[str]:
    """Imports of a room's folders from a folder above, or from a module that stands beside them."""
    floors, home = FLOORS[room], f"crossstack.{room}"
    wrong = []
    for module, others in graph.items():
        own = module.removeprefix(f"{home}.").split(".")[0]
        if not module.startswith(home) or own not in floors:
            continue
        for other in others:
            if other.startswith(home):
                theirs = other.removeprefix(home).lstrip(".").split(".")[0]
                if theirs not in floors[: floors.index(own) + 1]:
                    wrong.append(f"{module} imports {other}")
    return wrong


@pytest.mark.parametrize("room", FLOORS)
def test_folders_of_a_room_go_one_way(room: str) -> None:
    folders = {p.parent.name for p in (ROOT / room).glob("*/__init__.py")}
    assert folders == set(FLOORS[room])
    assert too_high(room, import_graph()) == []


def test_a_folder_that_reaches_up_is_seen() -> None:
    low, high = "crossstack.solve.circuit.graph", "crossstack.solve.network.linear"
    assert too_high("solve", {low: {high}}) == [f"{low} imports {high}"]
    assert too_high("solve", {low: {"crossstack.solve"}}) == [f"{low} imports crossstack.solve"]
    assert too_high("solve", {high: {low}}) == []


@cache
def import_graph() -> dict[str, set[str]]:
    """Module -> modules of ours that it imports, those inside functions and for types included."""
    names = {
        ".".join([*package_of(path), *([] if path.stem == "__init__" else [path.stem])]): path
        for _, path in modules()
    }
    graph: dict[str, set[str]] = {}
    for module, path in names.items():
        told = (name for _, name in imported(path))
        stems = (name if name in names else name.rpartition(".")[0] for name in told)
        graph[module] = {stem for stem in stems if stem in names} - {module}
    return graph


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Groups of modules of which each leads to every other."""
    numbers = {module: k for k, module in enumerate(graph)}
    ends = [(numbers[a], numbers[b]) for a, others in graph.items() for b in others]
    rows, columns = zip(*ends, strict=True)
    links = coo_matrix((np.ones(len(ends)), (rows, columns)), shape=(len(graph), len(graph)))
    _, groups = connected_components(links, connection="strong")
    found: dict[int, set[str]] = {}
    for module, k in numbers.items():
        found.setdefault(int(groups[k]), set()).add(module)
    return [group for group in found.values() if len(group) > 1]


def test_no_circle_between_files() -> None:
    assert circles(import_graph()) == []


def test_a_circle_is_seen() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [{"b", "c"}]
    graph = import_graph()
    # both import each other's functions only where they run
    assert "crossstack.signoff.tapeout" in graph["crossstack.flow"]
    assert "crossstack.extract.array.tiled" in graph["crossstack.layouts"]  # for types alone


def test_this_test_sees_a_wrong_edge(tmp_path: Path) -> None:
    module = ROOT / "drc" / "not_written.py"
    names = {
        "from ..cells import drawing": "cells",
        "from ..cells.drawing import Cell": "cells",
        "from .. import generators": "generators",
        "import crossstack.solve": "solve",
        "from crossstack import flow": "crossstack",
        "from .checks import width": "drc",
    }
    for text, room in names.items():
        base = package_of(module)
        node = ast.parse(text).body[0]
        if isinstance(node, ast.Import):
            name = node.names[0].name
        else:
            assert isinstance(node, ast.ImportFrom)
            start = base[: len(base) - node.level + 1] if node.level else []
            stem = [*start, *([node.module] if node.module else []), node.names[0].name]
            name = ".".join(stem)
        assert room_of(name) == room, text


#: what only base/names.py may spell: the letters of lines, pins and nets
_NAMES = re.compile(
    r"^(?:(?:[TB]?[RS]|C|IN_[TB]?|OUT|WR|WSEL|[TBM]E)\[|(?:[TB][RS]|IN_[TB]?|OUT|WR|WSEL|W[TBC])$)"
)
#: rooms that draw these names; and what is not a name of ours
_SPELL = {"cells", "generators"}
_MODE = re.compile(r"^(?:expansion|deep-net)$")


@cache
def literals(path: Path) -> list[tuple[int, str]]:
    """(line, text) of every string of a module that is no docstring, pieces of f-strings too."""
    tree = tree_of(path)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


@pytest.mark.parametrize("name", ["TR[", "C[", "IN_", "OUT", "WT", "R[", "S[", "BE[3]", "WSEL"])
def test_a_spelled_name_is_seen(name: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(f'"""{name}"""\n\nNAME = f"{name}{{0}}"\n')
    assert [line for line, text in literals(path) if _NAMES.match(text)] == [3]


def test_names_of_lines_are_spelled_once() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} {text!r}"
        for room, path in modules()
        if room not in _SPELL and path != ROOT / "base" / "names.py"
        for line, text in literals(path)
        if _NAMES.match(text)
    ]
    assert not wrong, "\n".join(wrong)


def test_names_of_modes_are_spelled_once() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for _, path in modules()
        if path != ROOT / "solve" / "modes" / "modes.py"
        for line, text in literals(path)
        if _MODE.match(text)
    ]
    assert not wrong, "\n".join(wrong)


def test_modules_are_small() -> None:
    sizes = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for _, p in modules()}
    assert not {name: n for name, n in sizes.items() if n > MAX_LINES}


def long_functions(path: Path) -> dict[str, int]:
    """Functions of more lines than one should have, with their lines."""
    found = {}
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            told = ast.get_docstring(node) is not None
            lines = (node.end_lineno or 0) - (first.end_lineno or 0 if told else node.lineno - 1)
            if lines > MAX_BODY:
                found[f"{path.name}:{node.lineno} {node.name}"] = lines
    return found


def test_functions_are_short(tmp_path: Path) -> None:
    wrong = {str(p.relative_to(ROOT)): found for _, p in modules() if (found := long_functions(p))}
    assert not wrong, wrong
    (tmp_path / "a.py").write_text('def f():\n    """It.\n\n    x\n    """\n' + "    1\n" * 63)
    assert long_functions(tmp_path / "a.py") == {"a.py:1 f": 63}


def loose_json(path: Path) -> list[int]:
    """Lines that write JSON in which NaN and infinity may stand; no other program reads them."""
    calls = [n for n in ast.walk(tree_of(path)) if isinstance(n, ast.Call)]
    return [
        call.lineno
        for call in calls
        if ast.unparse(call.func) in ("json.dumps", "json.dump")
        and not any(k.arg == "allow_nan" and ast.unparse(k.value) == "False" for k in call.keywords)
    ]


def test_json_is_written_without_nan(tmp_path: Path) -> None:
    assert not {str(p.relative_to(ROOT)): n for _, p in modules() if (n := loose_json(p))}
    (tmp_path / "a.py").write_text("json.dumps(1, indent=2)\njson.dumps(1, allow_nan=False)\n")
    assert loose_json(tmp_path / "a.py") == [1]


def test_every_folder_with_code_is_packaged() -> None:
    found = {".".join(package_of(path)) for _, path in modules()}
    assert found == set(PROJECT["tool"]["setuptools"]["packages"])


def packaged(path: str, setuptools: dict[str, Any]) -> bool:
    """Whether a wheel gets this data file: it matches a pattern of the package above it."""
    names = {folder: name for name, folder in setuptools["package-dir"].items()}
    room, *inside = path.split("/")
    for k in range(len(inside)):
        package = ".".join([names[room], *inside[:k]])
        if package in setuptools["packages"]:
            patterns = {
                *setuptools["package-data"]["*"],
                *setuptools["package-data"].get(package, []),
            }
            rest = PurePosixPath("/", *inside[k:])
            if any(rest.match(f"/{pattern}") for pattern in patterns):
                return True
    return False


def test_every_data_file_is_packaged() -> None:
    """As `make package` finds it in a wheel, at the price of no build."""
    setuptools = PROJECT["tool"]["setuptools"]
    files = [path.relative_to(ROOT) for path in committed_files()]
    data = [str(path) for path in files if path.parts[0] in ALLOWED and path.suffix != ".py"]
    assert len(data) > 50
    assert [path for path in data if not packaged(path, setuptools)] == []
    without = {**setuptools, "package-data": {"*": ["*.j2"]}}
    assert not packaged("views/templates/bench.sv.j2", without)


def test_every_room_has_its_floor() -> None:
    """pyproject.toml is the list of rooms; Makefile and docs/make_python.py read it there."""
    assert set(PROJECT["tool"]["setuptools"]["package-dir"].values()) == set(ALLOWED)
    text = (ROOT / "CONTRIBUTING.md").read_text()
    told = re.findall(r"^\| `(\w+)/` \|.*\|([^|]*)\|$", text, re.MULTILINE)
    may = {room: set(re.findall(r"`(\w+)`", rooms)) for room, rooms in told}
    assert {r: m for r, m in may.items() if r != "crossstack"} == {
        r: m for r, m in ALLOWED.items() if r != "crossstack"
    }


def test_the_sum_of_a_sweep_covers_every_room() -> None:
    tree = ast.parse((ROOT / "crossstack" / "identity.py").read_text())
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    assert set(ALLOWED) - {"crossstack"} <= names


def committed_files() -> list[Path]:
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.split("\0") if name]


def test_no_machine_paths_are_committed() -> None:
    # in pieces, so that this file does not find itself
    pattern = re.compile(
        "|".join(
            (
                r"(?<![\w.])/" + r"work/",
                r"(?<![\w.])/" + r"root/",
                r"(?<![\w.])/" + r"home/\w",
                r"/" + r"Users/\w",
                r"/tmp/" + r"\w+",
            )
        )
    )
    wrong = []
    for path in committed_files():
        if not path.is_file() or path.stat().st_size > 5_000_000:
            continue
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        wrong += [
            f"{path.relative_to(ROOT)}:{k}: {line.strip()[:100]}"
            for k, line in enumerate(lines, 1)
            if pattern.search(line)
        ]
    assert not wrong, "\n".join(wrong)
