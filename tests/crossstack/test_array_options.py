"""Every parameter of an array can be given on the command line, in every form that it takes."""

from __future__ import annotations

import pytest

from crossstack.array_options import ArrayOption
from crossstack.cells.parameters import ARRAY
from crossstack.commands.generate import command

OPTIONS = {o.name: o for o in command.params if isinstance(o, ArrayOption)}


@pytest.mark.parametrize("key", [k for k, declared in ARRAY.items() if declared.words])
def test_each_word_of_a_parameter_is_taken(key):
    """`--row-ends both` was refused as no number."""
    for word in ARRAY[key].words:
        assert OPTIONS[key].type.convert(str(word), OPTIONS[key], None) == word


def test_rows_with_pins_at_both_ends_are_drawn_and_checked(crossstack, tmp_path):
    size = ("--rows", "2", "--cols", "2", "--row-ends", "both", "--name", "a", "-o", tmp_path)
    assert crossstack("generate", *size).code == 0
    assert crossstack("lvs", tmp_path / "a.gds", "--netlist", tmp_path / "a.spice").code == 0
    crossstack("generate", *size[:-4], "--row-ends", "some").fails(2, "--row-ends", "one", "both")
    crossstack("generate", *size, "--top", "testchip").fails(2, "row_ends = 'both'")
