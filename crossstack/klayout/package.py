"""The KLayout package: technology, decks, PCells and menus in one folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .. import __version__
from ..base.errors import FileError
from ..base.files import replacing, write_manifest
from ..base.xml import xml_text
from ..drc.deck import deck_macro
from ..pdk import DEFAULT, Tech, get_tech, process_key, profile_names
from ..pdk.home import process_names
from ..pdk.klayout_tech import d25_text, lyp_text, lyt_text
from . import PROCESS_FILE, PROGRAM_FILE
from .vendored import COPY, vendored_files

NAME = "crossstack"
#: oldest KLayout that the package is tested with
KLAYOUT = "0.28.5"
#: oldest Python inside KLayout that can run the copied modules
PYTHON = (3, 11)

_CALL = """\
import sys

if sys.version_info < {python}:
    raise RuntimeError(
        "CrossStack needs KLayout with Python {words} or newer; this one has "
        + sys.version.split()[0]
    )
from {copy}.klayout import {module}

{module}.{function}()
"""


def package_name(process: str = DEFAULT) -> str:
    """Return the name of the package of a process; several may be installed beside each other."""
    if process_key(process) == DEFAULT:
        return NAME
    return f"{NAME}_{get_tech(process=process).process.name}"


def refuse_other(target: Path, process: str) -> None:
    """Refuse to replace the package of another process that goes by the same name.

    Args:
        target: where the package of `process` is to be; may be empty.
        process: name or folder.

    Raises:
        FileError: naming the process that it is of, if that still exists.
    """
    for path in target.glob(f"python/*/klayout/{PROCESS_FILE}"):
        theirs = path.read_text(encoding="utf-8", errors="replace").splitlines()[1:2]
        known = [key for key in theirs if key in process_names() or Path(key).is_dir()]
        if known and known[0] != (key := process_key(process)):
            raise FileError(
                f"{target} is the package of process {known[0]}, and {key} has the same name; "
                "give one of them another name (process.toml), or remove that folder"
            )


def package_files(process: str = DEFAULT) -> dict[str, str]:
    """Return path -> text of everything in the package of a process."""
    key, tech = process_key(process), get_tech(process=process)
    name, folder = package_name(key), f"tech/{tech.name}"
    other = "" if key == DEFAULT else f" ({tech.process.name})"
    copy = COPY if key == DEFAULT else f"{COPY}_{tech.process.name}"
    files = {
        "grain.xml": _grain(name, tech),
        f"{folder}/{tech.name}.lyt": lyt_text(tech, f"{tech.name}.lyp"),
        f"{folder}/{tech.name}.lyp": lyp_text(tech),
        f"d25/{name}.lyd25": _macro(
            f"CrossStack stack{other}", d25_text(tech), "d25", "dsl", dsl="d25-dsl-xml", menu="d25"
        ),
        f"pymacros/{name}_library.lym": _macro(
            f"CrossStack PCells{other}",
            _call(copy, "pcells", "register"),
            "pymacros",
            "python",
            autorun=True,
        ),
        f"pymacros/{name}_lvs.lym": _macro(
            f"CrossStack LVS{other}",
            _call(copy, "lvs_menu", "run"),
            "pymacros",
            "python",
            menu="lvs",
        ),
    }
    for profile in profile_names(key):
        files[f"drc/{name}_{profile}.lydrc"] = deck_macro(get_tech(profile, key))
    own = tech.process if key != tech.process.name else None
    files |= {f"python/{path}": text for path, text in vendored_files(copy, own).items()}
    if key != DEFAULT:
        files[f"python/{copy}/klayout/{PROCESS_FILE}"] = f"{tech.process.name}\n{key}\n"
    return files


def write_package(target: Path, program: str | None = None, process: str = DEFAULT) -> list[str]:
    """Write the package in one step and return its files.

    Args:
        target: folder to make or to replace.
        program: where the `crossstack` program is, for an installation on this machine.
        process: name or folder of the process that it is of.

    Raises:
        FileError: if the folder cannot be written, or holds something else.
    """
    files = package_files(process)
    if program is not None:
        (beside,) = (path for path in files if path.endswith("/klayout/lvs_menu.py"))
        files[str(Path(beside).with_name(PROGRAM_FILE))] = f"{program}\n"
    with replacing(target) as work:
        for name, text in files.items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        write_manifest(work, {"package": package_name(process_key(process))})
    return sorted(files)


def klayout_home() -> Path:
    """Return the folder in which KLayout keeps a user's files."""
    if home := os.environ.get("KLAYOUT_HOME"):
        return Path(home)
    return Path.home() / ("KLayout" if sys.platform == "win32" else ".klayout")


def _call(copy: str, module: str, function: str) -> str:
    words = ".".join(map(str, PYTHON))
    return _CALL.format(python=PYTHON, words=words, copy=copy, module=module, function=function)


def _grain(name: str, tech: Tech) -> str:
    return f"""\
<?xml version="1.0" encoding="utf-8"?>
<salt-grain>
 <name>{name}</name>
 <version>{__version__}</version>
 <api-version>{KLAYOUT}; python {".".join(map(str, PYTHON))}</api-version>
 <title>CrossStack: stacked memristor crossbars on {xml_text(_family(tech))}</title>
 <doc>Technology, layer properties, 2.5-D view, DRC, LVS and PCells for {xml_text(tech.process.title)} with a post-processed memristor module.</doc>
 <doc-url/>
 <url/>
 <license>Apache-2.0</license>
 <author>CrossStack</author>
 <author-contact/>
</salt-grain>
"""  # noqa: E501


def _family(tech: Tech) -> str:
    """Return the first word of a process's title: what its variants share."""
    return tech.process.title.split()[0]


def _macro(
    title: str,
    text: str,
    category: str,
    interpreter: str,
    *,
    dsl: str = "",
    menu: str = "",
    autorun: bool = False,
) -> str:
    """Return a KLayout macro; with `menu`, an entry of that submenu of Tools."""
    return f"""\
<?xml version="1.0" encoding="utf-8"?>
<klayout-macro>
 <description>{xml_text(title)}</description>
 <version/>
 <category>{category}</category>
 <prolog/>
 <epilog/>
 <doc/>
 <autorun>{str(autorun).lower()}</autorun>
 <autorun-early>false</autorun-early>
 <shortcut/>
 <show-in-menu>{str(bool(menu)).lower()}</show-in-menu>
 <group-name>{f"{menu}_scripts" if menu else ""}</group-name>
 <menu-path>{f"tools_menu.{menu}.end" if menu else ""}</menu-path>
 <interpreter>{interpreter}</interpreter>
 <dsl-interpreter-name>{dsl}</dsl-interpreter-name>
 <text>{xml_text(text)}</text>
</klayout-macro>
"""
