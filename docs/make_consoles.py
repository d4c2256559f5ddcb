"""Run the commands of a page and put what they print below them.

    python docs/make_consoles.py [PAGE ...]      all pages that ask for it, if none is named

A page asks for it with the line `MARK`. It is worked through from top to bottom in one shell,
which starts in a copy of this checkout: a block of code with a title is written to the file of
that name, a block of the language `console` is run. Lines that start with `$ ` are commands; a
backslash continues one on the next line; everything else in the block is what they printed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
MARK = "<!-- run by docs/make_consoles.py -->"
_FENCE = re.compile(r"^(?P<fence>```+)(?P<head>[^\n`]*)\n(?P<body>.*?)^(?P=fence)$", re.M | re.S)
#: a line of progress says how fast the machine was, or what it had compiled, and nothing of the
#: result
_PROGRESS = re.compile(
    r"(crossstack: )?compiling the solver's kernels, once: |"
    r"crossstack: .*(\bs so far\b|\bmin so far\b|\bh so far\b|\bleft( not known yet)?\b( \(|$))"
)
_TITLE = re.compile(r'title="([^"]+)"')
#: printed around each command's output
_START, _END = "@@start", "@@end"


def pages() -> list[Path]:
    """Return the pages whose consoles are run."""
    return [p for p in sorted(DOCS.rglob("*.md")) if MARK in p.read_text(encoding="utf-8")]


def commands(body: str) -> list[str]:
    """Return the commands of a console block, continued lines included."""
    found: list[str] = []
    going_on = False
    for line in body.splitlines():
        if going_on:
            found[-1] += "\n" + line
        elif line.startswith("$ "):
            found.append(line[2:])
        going_on = (going_on or line.startswith("$ ")) and line.endswith("\\")
    return found


def script(text: str) -> Iterator[str]:
    """Yield the shell script of a page, block after block."""
    for block in _FENCE.finditer(text):
        head, body = block["head"], block["body"]
        if title := _TITLE.search(head):
            yield f"cat > '{title[1]}' <<'@@file'\n{body}@@file"
        elif head.split()[:1] == ["console"]:
            for command in commands(body):
                # `$?` must be the command's for the next one
                yield f"echo {_START}; (exit $code)\n{command}\ncode=$?\necho; echo {_END}"


def run(text: str, folder: Path) -> list[str]:
    """Run a page in a folder; return what each command printed.

    Raises:
        RuntimeError: if the shell ended before the page did.
    """
    lines = ["code=0", "exec 2>&1", *script(text)]
    environment = {
        **os.environ,
        "NO_COLOR": "1",
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(folder / "build" / "types"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    ran = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", "\n".join(lines)],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        check=False,
    )  # fmt: skip
    printed = re.findall(rf"^{_START}\n(.*?)^{_END}$", ran.stdout, re.M | re.S)
    wanted = sum(line.startswith(f"echo {_START}") for line in lines)
    if len(printed) != wanted:
        raise RuntimeError(f"{len(printed)} of {wanted} commands ran:\n{ran.stdout[-2000:]}")
    return printed


def checkout(folder: Path) -> Path:
    """Copy this checkout into `folder`, with the environment that it has."""
    copy = folder / "crossstack"
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listing.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    # what is set up already is not set up again from the copy, which shares the environment
    subprocess.run(["make", "-s", "setup"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (copy / ".venv").symlink_to(Path(sys.prefix))
    subprocess.run(["make", "-s", "types"], cwd=copy, check=True)
    return copy


def renewed(text: str) -> str:
    """Return a page with what its commands print now."""
    with tempfile.TemporaryDirectory() as folder:
        printed = iter(run(text, checkout(Path(folder))))

    def block(found: re.Match[str]) -> str:
        if found["head"].split()[:1] != ["console"] or _TITLE.search(found["head"]):
            return found[0]
        lines = []
        for command in commands(found["body"]):
            lines.append(f"$ {command}")
            lines += [
                line.rstrip()
                for line in next(printed).rstrip().splitlines()
                if not _PROGRESS.match(line)
            ]
        return "\n".join([found["fence"] + found["head"], *lines, found["fence"]])

    return _FENCE.sub(block, text)


def main() -> None:
    """Renew the named pages, or all."""
    for page in [Path(name) for name in sys.argv[1:]] or pages():
        print(page, flush=True)
        page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
