"""What MkDocs needs to know of this repository: where the package's modules are."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority

ROOT = Path(__file__).resolve().parent.parent
_trees: list[Path] = []


def package_tree(folder: Path) -> Path:
    """Link the rooms into a folder so that it looks like the installed package.

    The reference is read from the source without importing it, and a reader of source does not
    know the mapping of top-level folders to packages in pyproject.toml.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for package, room in project["tool"]["setuptools"]["package-dir"].items():
        target = folder / package.replace(".", "/")
        target.mkdir(parents=True)
        for part in (ROOT / room).iterdir():
            if part.name != "__pycache__":
                (target / part.name).symlink_to(part)
    return folder


@event_priority(100)
def on_config(config: MkDocsConfig) -> None:
    """Tell mkdocstrings where the package is; before it reads its own configuration."""
    _trees.append(package_tree(Path(tempfile.mkdtemp(prefix="crossstack-docs-"))))
    handlers = config.plugins["mkdocstrings"].config.handlers
    handlers.setdefault("python", {})["paths"] = [str(_trees[-1])]


def on_shutdown() -> None:
    """Remove what `on_config` made."""
    for tree in _trees:
        shutil.rmtree(tree, ignore_errors=True)
