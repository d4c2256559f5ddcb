"""One small build that many tests look at, and a way to run the command line."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crossstack.cli import run

ROWS, COLS = 3, 2
NAME = f"crossstack_{ROWS}x{COLS}x2"


@dataclass
class Ran:
    """What a command line left."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    def fails(self, code: int, *words: str) -> None:
        """Check for one line on stderr with these words, and no traceback."""
        assert self.code == code, self.err + self.out
        # the first solver in a fresh tree says that it compiles, whatever comes of it
        said = self.err.strip().splitlines()
        lines = [line for line in said if "compiling the solver's kernels" not in line]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        for word in words:
            assert word in lines[0], lines[0]


@pytest.fixture(autouse=True)
def _keep_signal_handlers() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(n) for n in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def crossstack(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command line in this process."""

    def call(*args: object) -> Ran:
        capsys.readouterr()
        code = run([str(a) for a in args])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished 3 x 2 x 2 build; tests must not change it."""
    out = tmp_path_factory.mktemp("built")
    code = run(["build", "--rows", str(ROWS), "--cols", str(COLS), "-o", str(out), "--quiet"])
    assert code == 0
    return out / NAME


BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browse(program: str, page: Path, width: int = 1280) -> tuple[str, str]:
    """Return the page's document after its scripts ran, and the browser's console."""
    ran = subprocess.run(
        [
            *(program, "--headless", "--no-sandbox", "--enable-unsafe-swiftshader"),
            *("--disable-background-networking", "--enable-logging=stderr"),
            *(f"--window-size={width},1000", f"--user-data-dir={page.parent / 'profile'}"),
            *("--virtual-time-budget=3000", "--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=90,
    )
    # what a driver says about its own speed is not the page's doing
    lines = [line for line in ran.stderr.splitlines() if "CONSOLE" in line]
    console = "\n".join(line for line in lines if "GL Driver Message" not in line)
    return ran.stdout, console


def acted(
    program: str, text: str, folder: Path, acts: str, width: int = 1280
) -> tuple[list[str], str]:
    """Do things to a page, as a reader would; return what the script told, and the document.

    The script pushes texts on the list `told`. The browser's console must stay empty.
    """
    page = folder / "report.html"
    script = (
        "<script>const told = [];"
        + acts
        + "const pre = document.createElement('pre'); pre.id = 'told';"
        "pre.textContent = told.join('|'); document.body.append(pre);</script>"
    )
    page.write_text(text.replace("</body>", script + "</body>"))
    document, console = browse(program, page, width)
    assert console == ""
    found = re.search(r'<pre id="told">(.*?)</pre>', document, re.DOTALL)
    assert found is not None, document[-2000:]
    return found[1].split("|"), document


def width_in(program: str, text: str, folder: Path, window: int) -> int:
    """Return how wide a page gets in a narrow window, in pixels."""
    page = folder / "report.html"
    act = "<script>document.body.dataset.wide = document.documentElement.scrollWidth</script>"
    page.write_text(text.replace("</body>", act + "</body>"))
    document, _ = browse(program, page, width=window)
    found = re.search(r'data-wide="(\d+)"', document)
    assert found is not None
    return int(found[1])
