"""No result of a run takes the place of a file that the run reads, in any command."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from .conftest import NAME

NETWORK, GDS, SPICE = f"{NAME}_network.npz", f"{NAME}.gds", f"{NAME}.spice"

#: command line -> (the file that is read, copied from this file of the build or made of this text)
CASES = {
    f"extract {GDS} --memristor {NAME}_extracted.spice -o .": (
        f"{NAME}_extracted.spice", ".subckt mem a b R=1\nR1 a b R=R\n.ends\n"),
    f"solve {NETWORK} -o {NETWORK}": (NETWORK, NETWORK),
    f"solve link.npz -o {NETWORK}": (NETWORK, NETWORK),
    f"solve {NETWORK} -o hard.npz": ("hard.npz", NETWORK),
    f"solve {NETWORK} --inputs x.csv -o x.csv": ("x.csv", "0.2,0.2,0.2\n0.2,0.2,0.2\n"),
    f"solve {NETWORK} --weights x.csv -o ./x.csv": ("x.csv", "1,1\n" * 6),
    f"solve {NETWORK} --conductances x.csv -o sub/../x.csv": ("x.csv", "1e-4,1e-4\n" * 6),
    f"solve {NETWORK} --inputs ir/ir_drop.csv -o ir": ("ir/ir_drop.csv", "0.2,0.2,0.2\n" * 2),
    f"solve {NETWORK} --inputs ir/column_currents.csv -o ir": (
        "ir/column_currents.csv", "0.2,0.2,0.2\n" * 2),
    f"solve {NETWORK} --weights ir/ir_drop.npz -o ir": ("ir/ir_drop.npz", NETWORK),
    f"lvs my.lvsdb --netlist {SPICE} -o .": ("my.lvsdb", GDS),
    f"lvs {GDS} --netlist {NAME}_lvs.json -o .": (f"{NAME}_lvs.json", SPICE),
    f"lvs {GDS} --netlist x.xml --output x.xml": ("x.xml", SPICE),
    f"drc {GDS} --waivers {NAME}_drc.json -o .": (f"{NAME}_drc.json", "[]\n"),
    f"drc {GDS} --waivers {NAME}_drc.lyrdb -o .": (f"{NAME}_drc.lyrdb", "[]\n"),
    f"limits {NETWORK} --format json --output {NETWORK}": (NETWORK, NETWORK),
    "view x.png --png -o x.png": ("x.png", GDS),
    f"view {GDS} --png --markers x.png -o x.png": ("x.png", "<report-database/>\n"),
    "view x.glb --glb -o x.glb": ("x.glb", GDS),
    f"tapeout {GDS} --netlist p/tapeout.txt -o p": ("p/tapeout.txt", SPICE),
    "tapeout p/a_foundry.gds --netlist p/pads.csv -o p": ("p/pads.csv", SPICE),
    "measure --readings measured.json -o .": ("measured.json", "monitor,value\n"),
    "measure --simulate --truth measured.yaml -o .": ("measured.yaml", "tech: {}\n"),
    "measure --plan probe_plan.csv -o .": ("probe_plan.csv", GDS),
    f"generate {SPICE} --rows 3 --cols 2": (SPICE, "cell: hybrid\n"),
    f"generate o/{NAME}.json -o o --rows 3 --cols 2": (f"o/{NAME}.json", "cell: hybrid\n"),
}  # fmt: skip


@pytest.fixture
def folder(built, tmp_path, monkeypatch):
    for name in (GDS, SPICE):
        shutil.copy(built / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", CASES)
def test_a_file_that_is_read_stays(line, folder, built, crossstack):
    name, made_of = CASES[line]
    path = folder / name
    for other in ("sub", "p", "ir", "o"):
        (folder / other).mkdir()
    shutil.copy(built / GDS, folder / "p" / "a_foundry.gds")
    for network in built.glob("*network.npz"):
        shutil.copy(network, folder / NETWORK)
    if (folder / made_of).is_file() and made_of != name:
        shutil.copy(folder / made_of, path)
    elif not path.exists() or made_of != name:
        path.write_text(made_of)
    if name == "hard.npz":
        path.unlink()
        os.link(folder / NETWORK, path)
    (folder / "link.npz").symlink_to(NETWORK)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    crossstack(*line.split()).fails(2, path.name)
    after = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert after == before


@pytest.mark.parametrize("command", ["build", "sweep", "compare"])
def test_a_folder_that_holds_the_configuration_stays(command, folder, crossstack):
    out = {"build": folder / "o" / NAME, "sweep": folder / "o", "compare": folder / "o"}[command]
    out.mkdir(parents=True)
    (out / "a.yaml").write_text("rows: 3\ncols: 2\n")
    markers = {"sweep": "sweep.json", "compare": "compare.json", "build": "drc.json"}
    (out / markers[command]).write_text("{}")
    files = {"a.yaml": "", markers[command]: ""}
    (out / "manifest.json").write_text(json.dumps({"name": "x", "files": files}))
    more = ["--vary", "rows=2,3"] if command == "sweep" else []
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    crossstack(command, out / "a.yaml", "-o", folder / "o", *more).fails(2, "a.yaml")
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("name", [f"{NAME}_drc.json", f"{NAME}_drc.lyrdb", f"./{NAME}_drc.json"])
def test_two_results_on_one_path_are_refused(name, folder, crossstack):
    (folder / "o").mkdir()
    ran = crossstack("drc", GDS, "-o", "o", "--format", "junit", "--output", f"o/{name}")
    ran.fails(2, "written twice")
    assert list((folder / "o").iterdir()) == []
    ran = crossstack("lvs", GDS, "--netlist", SPICE, "--output", f"{NAME}_lvs.json")
    ran.fails(2, "written twice")
    ran = crossstack("lvs", GDS, "--netlist", SPICE, "--output", "x.json")
    assert ran.code == 0


def test_what_a_run_wrote_may_be_written_again(folder, crossstack):
    for _ in range(2):
        assert crossstack("generate", "--rows", 3, "--cols", 2).code == 0
        assert crossstack("drc", GDS).code == 0
        assert crossstack("lvs", GDS, "--netlist", SPICE).code == 0
        assert crossstack("extract", GDS).code == 0
        assert crossstack("solve", NETWORK, "-o", "ir").code == 0
