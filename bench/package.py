"""Build wheel and sdist, install them in empty environments, and try what a new user would.

python bench/package.py              build, try the full and the light installation, print both
python bench/package.py --light      only the light one (checks alone)
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIGHT = ROOT / "requirements-check.txt"
#: what each installation must do, in this order
LIGHT_TRIED = (
    "generate --rows 3 --cols 3 --name a -o .",
    "drc a.gds",
    "lvs a.gds --netlist a.spice",
    "tapeout a.gds -o package",
    "drc a.gds --format sarif --output a.sarif",
)
FULL_TRIED = (
    *LIGHT_TRIED,
    "build --rows 2 --cols 2 -o out",
    "solve out/crossstack_2x2x2",
    "generate --rows 2 --cols 2 --top macro --name m -o .",
    "views m.gds -o views",
)


def run(*command: object, folder: Path | None = None) -> str:
    done = subprocess.run(
        [*map(str, command)], cwd=folder, capture_output=True, text=True, errors="replace"
    )
    if done.returncode not in ((0, 1) if "tapeout" in command else (0,)):
        raise SystemExit(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stderr[-3000:]}")
    return done.stdout


def environment(folder: Path) -> Path:
    """Make an empty environment; return its Python."""
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


def megabytes(folder: Path) -> float:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6


def make(out: Path, scratch: Path) -> tuple[Path, Path]:
    """Build the sdist, and the wheel from it; return both."""
    python = environment(scratch / "tools")
    run(python, "-m", "pip", "install", "-q", "build>=1,<2")
    run(python, "-m", "build", "--outdir", out, ROOT)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return wheel, sdist


def missing(wheel: Path, sdist: Path) -> list[str]:
    """Files of the packages that git knows and a build left out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folders = project["tool"]["setuptools"]["package-dir"].values()
    listing = run("git", "ls-files", *folders, folder=ROOT)
    wanted = set(listing.split())
    with zipfile.ZipFile(wheel) as archive:
        inside = {n.removeprefix("crossstack/") for n in archive.namelist()}
    with tarfile.open(sdist) as archive:
        source = {n.partition("/")[2] for n in archive.getnames()}
    lost = [f"wheel: {n}" for n in wanted if n.removeprefix("crossstack/") not in inside]
    return sorted([*lost, *(f"sdist: {n}" for n in wanted if n not in source)])


def tried(name: str, wheel: Path, scratch: Path, *, light: bool) -> str:
    """Install and try; return a line of the table."""
    folder = scratch / name
    python = environment(folder)
    before = megabytes(folder)
    wheels, begun = folder / "wheels", time.perf_counter()
    pip = (python, "-m", "pip")
    wanted = ("-r", LIGHT) if light else (wheel,)
    # as wheels, also what comes as source: an installation offline has nothing to build it with
    run(*pip, "wheel", "-q", "-w", wheels, *wanted)
    fetched, begun = time.perf_counter() - begun, time.perf_counter()
    offline = ("--no-index", "--find-links", wheels)
    run(*pip, "install", "-q", *offline, *wanted)
    if light:
        run(*pip, "install", "-q", "--no-deps", wheel)
    installed = time.perf_counter() - begun
    size, loaded = megabytes(folder) - before - megabytes(wheels), megabytes(wheels)
    work = scratch / f"{name}_work"
    work.mkdir()
    program = folder / "bin" / "crossstack"
    begun = time.perf_counter()
    for line in LIGHT_TRIED if light else FULL_TRIED:
        run(program, *line.split(), folder=work)
    used = time.perf_counter() - begun
    return (
        f"| {name} | {len([*wheels.iterdir()])} | {loaded:.0f} MB | {size:.0f} MB | "
        f"{fetched:.0f} s | {installed:.0f} s | {used:.0f} s |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--light", action="store_true", help="only the light installation")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crossstack_package_") as lent:
        scratch = Path(lent)
        made = scratch / "dist"
        wheel, sdist = make(made, scratch)
        if lost := missing(wheel, sdist):
            print("\n".join(lost))
            return 1
        args.out.mkdir(parents=True, exist_ok=True)
        for file in (wheel, sdist):
            (args.out / file.name).write_bytes(file.read_bytes())
            print(f"{args.out / file.name}: {file.stat().st_size / 1e6:.2f} MB")
        print("\n| installation | wheels | fetched | on disk | fetching | installing | tried |")
        print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
        print(tried("light", wheel, scratch, light=True), flush=True)
        if not args.light:
            print(tried("full", wheel, scratch, light=False), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
