"""Where processes and modules lie, and which is meant where none is named; reads no table."""

from __future__ import annotations

from pathlib import Path

from ..base.errors import ParameterError, TechError

#: where processes lie that come with CrossStack, and modules
HOME = Path(__file__).parent
MODULES = HOME / "modules"
#: the file whose folder is the one meant where none is named
MARK = "default.toml"
#: the table that tells a folder of a process, and one of a module
HEAD, MODULE_HEAD = "process.toml", "module.toml"


def _marked(folder: Path) -> str:
    """Return the name of the folder that holds the mark.

    Raises:
        TechError: if it is not exactly one.
    """
    found = sorted(path.parent.name for path in folder.glob(f"*/{MARK}"))
    if len(found) != 1:
        raise TechError(f"{folder}: {len(found)} folders hold {MARK}, not 1: {', '.join(found)}")
    return found[0]


#: process and module that are meant where none is named
DEFAULT, DEFAULT_MODULE = _marked(HOME), _marked(MODULES)


def process_names() -> tuple[str, ...]:
    """Return the processes that come with CrossStack."""
    return tuple(sorted(path.parent.name for path in HOME.glob(f"*/{HEAD}")))


def process_folder(process: str | Path) -> Path:
    """Return the folder of a process: one that comes with CrossStack by name, or any by path.

    Raises:
        ParameterError: if it is neither a known name nor a folder with a ``process.toml``.
    """
    names = process_names()
    if not isinstance(process, str | Path):
        raise ParameterError("process", process, f"{', '.join(names)}, or a folder")
    if str(process) in names:
        return HOME / str(process)
    try:
        folder = Path(process).expanduser()
        found = (folder / HEAD).is_file()
    except (RuntimeError, ValueError, OSError):  # no such home, NUL, too long
        found = False
    if not found:
        allowed = f"{', '.join(names)}, or a folder that holds {HEAD}"
        raise ParameterError("process", str(process), allowed)
    return folder.resolve()


def process_key(process: str | Path) -> str:
    """Return what names a process for good: the name of one of ours, or the path of a folder.

    Raises:
        ParameterError: as `process_folder`.
    """
    folder = process_folder(process)
    return folder.name if folder.parent == HOME else str(folder)


def usual_profiles() -> tuple[str, ...]:
    """Return the names of the default module's profiles, for a help text: the table, unchecked."""
    lines = (MODULES / DEFAULT_MODULE / "profiles.csv").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    return tuple(row.partition(",")[0].strip('"') for row in rows[1:])
