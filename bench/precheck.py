"""The shuttle's own precheck on a finished chip: those of its scripts that run without its PDK.

    crossstack build --rows 10 --cols 10 --top testchip
    crossstack tapeout gds_out/crossstack_testchip_10x10x2 -o package
    python bench/precheck.py CHECKOUT package/*_foundry.gds

CHECKOUT is a clone of the precheck's repository, which docs/tapeout.md names.

Runs, from the checkout, with the `klayout` program of the system and our Python: top cell, slot
and seal ring marker, polygons without area, and the identification code (the last needs
`pip install qrcode`). The rest of the precheck are the foundry's decks, which `crossstack foundry
drc` runs, and Magic. Exit code 1 if a script objects.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import klayout.db as db

#: names of the slots in the precheck, by width and height in um
SLOTS = {
    (3932.0, 5122.0): "1x1",
    (1936.0, 5122.0): "0p5x1",
    (3932.0, 2531.0): "1x0p5",
    (1936.0, 2531.0): "0p5x0p5",
}


def slot_of(gds: Path) -> str:
    """Return the name of the slot that a die fills; "none" lets the precheck object."""
    layout = db.Layout()
    layout.read(str(gds))
    box = layout.top_cell().dbbox()
    return SLOTS.get((round(box.width(), 3), round(box.height(), 3)), "none")


def said(*command: object) -> tuple[int, str]:
    """Return the exit code of a program and its last line."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    lines = (done.stdout + done.stderr).strip().splitlines()
    return done.returncode, lines[-1] if lines else ""


def items(report: Path) -> int:
    """Return the number of items of a KLayout report; an unreadable one is an error."""
    return len(ET.parse(report).getroot().findall("./items/item"))


def verdicts(scripts: Path, gds: Path, code: str) -> Iterator[tuple[str, bool, str]]:
    """Yield what each script says: its name, whether it accepts the die, its last line."""
    python, name = sys.executable, gds.name.partition(".")[0]
    done, text = said(python, scripts / "check_top.py", gds, "--top", name)
    yield "top cell", done == 0, text
    done, text = said(python, scripts / "check_size.py", gds, "--slot", slot_of(gds))
    yield "slot and ring marker", done == 0, text
    with tempfile.TemporaryDirectory() as lent:
        report, out = Path(lent) / "zero.lyrdb", Path(lent) / gds.name
        given = [f"input={gds}", f"topcell={name}", f"report={report}"]
        options = [part for pair in given for part in ("-rd", pair)]
        done, text = said("klayout", "-b", "-zz", "-r", scripts / "zero_area.drc", *options)
        found = items(report) if report.is_file() else -1
        yield "zero area", done == 0 and found == 0, f"{found} items"
        done, text = said(
            python, scripts / "generate_id.py", gds, out, "--id", code, "--cob", "False"
        )
        yield "identification", done == 0 and out.is_file(), text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", type=Path, help="folder of the precheck")
    parser.add_argument("gds", type=Path, help="the foundry's file of a package")
    parser.add_argument("--id", default="XX000000", help="the shuttle's identification code")
    given = parser.parse_args()
    scripts, bad = given.checkout / "scripts" / "klayout", 0
    for path in (scripts / "check_size.py", given.gds):
        if not path.is_file():
            print(f"{path} is no file", file=sys.stderr)
            return 2
    for name, accepted, text in verdicts(scripts, given.gds.resolve(), given.id):
        bad += not accepted
        print(f"{name:<24}{'accepted' if accepted else 'REFUSED':<10}{text}", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
