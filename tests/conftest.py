"""What every test may use: system programs that are there, or a clear word that they are not."""

from __future__ import annotations

import gc
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# There are as many workers as cores: threads of a library, which spin while they wait for each
# other, took half of the time of some files. Before numpy is imported; tests' processes inherit it.
for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

# A shell lets what it runs in the background ignore Ctrl-C, and every process of a test with it.
# Tests of Ctrl-C need it heard.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: a skip whose reason names one of these is a missing program, whoever wrote the test
PROGRAMS = re.compile(
    "|".join(("klayout", "ngspice", "chrom", "magic", "netgen", "yosys", "iverilog", "opensta")),
    re.IGNORECASE,
)
# No test fails of a busy machine. In CI the examples are the same for the same code: a run tells of
# a change, and new ones are tried by whoever runs the tests on a machine of their own.
settings.register_profile("own", deadline=None)
settings.register_profile("ci", parent=settings.get_profile("own"), derandomize=True, database=None)
settings.load_profile("ci" if IN_CI else "own")

#: files that take longest, the two first at the same time: one compiles the solver's kernels, the
#: other needs none of them for as long; with these at its beginning a run ends on all workers at
#: once
LONGEST = (
    "solve/test_crossbar.py", "generators/test_testchip.py", "crossstack/test_compare.py",
    "crossstack/test_running.py", "crossstack/test_size.py", "lab/test_measure.py",
    "crossstack/test_tapeout.py", "generators/test_die_checks.py", "generators/test_sky130.py",
    "generators/test_toy_process.py", "extract/test_field_bench.py",
    "crossstack/test_conditions.py", "pdk/test_klayout_package.py", "crossstack/test_at_work.py",
    "extract/test_tile.py",
    "extract/test_synthesis.py", "crossstack/test_torch.py", "views/test_chain_delays.py",
    "crossstack/test_pool.py", "generators/test_options.py", "crossstack/test_operating.py",
    "generators/test_finish.py", "pdk/test_gf.py", "views/test_model.py", "views/test_command.py",
    "drc/test_foundry.py", "generators/test_foundry.py",
)  # fmt: skip


def require_program(*names: str) -> str:
    """Return the path of the first of these programs that is installed; skip if there is none."""
    for name in names:
        if path := shutil.which(name):
            return path
    wanted = " or ".join(names)
    if IN_CI:
        pytest.fail(f"{wanted} is not installed; CI must have it (make system)", pytrace=False)
    pytest.skip(f"{wanted} is not installed (make system)")


@pytest.fixture(scope="session")
def requires_program() -> Callable[..., str]:
    return require_program


@pytest.fixture(scope="session")
def wheels() -> dict[str, Path]:
    """The foundry's wheels in the cache, and a `klayout` that runs the deck."""
    from crossstack.drc import FoundryError, fetch
    from crossstack.pdk import get_tech

    require_program("klayout")
    try:
        return fetch(get_tech(), timeout_s=120)
    except FoundryError as error:
        pytest.skip(str(error))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("requires_program"):
        require_program(*marker.args)


@pytest.hookimpl(hookwrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep what is imported and collected out of the later searches for garbage.

    It stays to the end, and it is a million objects, which every full search would walk through.
    """
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the others and the tests of a file keep their order."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """In CI, a test skipped for a missing program fails, however it was skipped."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if not (IN_CI and report.skipped and not hasattr(report, "wasxfail")):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if PROGRAMS.search(reason) and re.search("install|missing|not found|which", reason):
        report.outcome = "failed"
        report.longrepr = f"CI must not skip this test: {reason}"
