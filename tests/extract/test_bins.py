"""Model libraries cut down to the size bins in use: the same currents, a fraction of the lines."""

import re
from itertools import pairwise

import pytest

from crossstack.base.ngspice import run_ngspice
from crossstack.extract.write.bins import few_bins
from crossstack.extract.write.bsim import Bsim, transistor_card
from crossstack.pdk import get_tech
from crossstack.signoff.models import foundry_models

EDGES_UM = (0.42, 1.0, 3.0, 7.0)
HEAD = "* a library\n.param k=1\n.subckt fet d g s b w=1 l=1\nMfet d g s b m l={l} w={w}\n"
TAIL = "* between\n.model m nmos\n+ level = 54\n.ends\n.model other.0 nmos lmin=0 lmax=1\n"


def library(folder, limits=lambda low, high: f"+ wmin = {low}E-6\n+ Wmax={high}e-006 l = 3\n"):
    """Write a library of three bins of width, and a file beside it."""
    bins = [
        f".MODEL m.{k} nmos level=54\n+ lmin=5e-7 lmax=1e-6\n{limits(low, high)}+ vth0 = {k}\n"
        for k, (low, high) in enumerate(pairwise(EDGES_UM))
    ]
    (folder / "deep").mkdir(parents=True)
    (folder / "lib.spice").write_text(HEAD + "".join(bins) + TAIL)
    (folder / "deep" / "notes.txt").write_bytes(b"m\xb5\n.model x.1 nmos\n")
    return folder


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ({(2.0, 0.5)}, "1"),
        ({(3.0, 0.7)}, "12"),  # a limit is in both: which of them counts, ngspice says
        ({(0.42, 1.0), (5.0, 0.6)}, "02"),
        ({(0.419, 0.5), (7.001, 0.5), (2.0, 0.499), (2.0, 1.001)}, ""),
        (set(), ""),
    ],
)
def test_bins_in_use_stay(tmp_path, sizes, kept):
    few = few_bins(library(tmp_path / "all"), tmp_path / "few", sizes)
    text = (few / "lib.spice").read_text()
    assert "".join(re.findall(r"MODEL m\.(\d)", text)) == kept
    assert text.startswith(HEAD)
    assert text.endswith(TAIL)
    assert text.count("vth0") == len(kept)
    assert (few / "deep" / "notes.txt").read_bytes() == b"m\xb5\n.model x.1 nmos\n"


@pytest.mark.parametrize("limits", ["+ wmin={low} wmax={k*2}\n", "+ wmin=1u wmax=2u\n", ""])
def test_bins_whose_limits_are_not_plain_numbers_stay(tmp_path, limits):
    whole = library(tmp_path / "all", lambda low, high: limits)
    few = few_bins(whole, tmp_path / "few", {(50.0, 0.5)})
    assert (few / "lib.spice").read_text() == (whole / "lib.spice").read_text()


@pytest.mark.requires_program("ngspice")
@pytest.mark.parametrize("process", ["gf180mcuD", "sky130"])
def test_ngspice_finds_the_same_in_the_foundrys_library(tmp_path, process):
    tech = get_tech(process=process)
    length = tech.process.transistors[0].l_um
    sizes = {(w, length) for w in (0.5, 1.0, 3.33, 5.0, 6.66)}
    printed = []
    with foundry_models(tech) as models:
        few = few_bins(models, tmp_path / "few", sizes)
        for folder in (models, few):
            bsim = Bsim(tech, folder)
            deck = ["* transistors", *bsim.library(), "vg g 0 2", "vb b 0 0", ".options numdgt=12"]
            for k, (w, l_um) in enumerate(sorted(sizes)):
                card = transistor_card(bsim.kit, f"s{k}", (f"d{k}", "g", "0", "b"), "nfet", w, l_um)
                deck += [f"vd{k} d{k} 0 0.1", card]
            deck += [".control", "set numdgt=12", "op"]
            deck += [f"print i(vd{k})" for k in range(len(sizes))] + ["quit 0", ".endc", ".end"]
            path = tmp_path / "deck.spice"
            path.write_text("\n".join(deck) + "\n")
            printed.append(re.findall(r"i\(vd\d\) = (\S+)", run_ngspice(path)))
        bins = [
            sum(len(re.findall(r"(?mi)^\.model\s+\S+\.\d", f.read_text("latin-1")))
                for f in folder.iterdir())
            for folder in (models, few)
        ]  # fmt: skip
    whole, cut = printed
    assert len(whole) == len(sizes)
    assert whole == cut
    assert bins[1] < 0.5 * bins[0]
