"""The turning stack of the report, and which cell it shows."""

from __future__ import annotations

import klayout.db as db
import pytest

from crossstack.pdk import get_tech
from crossstack.report.section_svg import first_crossing

from .conftest import BROWSERS, acted

TECH = get_tech("stepper")

ACTS = """
const stack = document.querySelector("#stackview");
const press = (key, shiftKey) => stack.dispatchEvent(new KeyboardEvent("keydown", {key, shiftKey}));
const tell = () => told.push(stack.dataset.drawn);
if (stack) {
  tell();
  press("ArrowRight", true); press("ArrowUp", true); tell();
  press("0"); tell();
  const box = stack.getBoundingClientRect();
  stack.focus();
  const at = {clientX: box.left + 0.75 * box.width, clientY: box.top + 0.5 * box.height};
  stack.dispatchEvent(new WheelEvent("wheel", {deltaY: -1, cancelable: true, ...at})); tell();
  const before = stack.dataset.centre.split(" ").map(Number);
  document.querySelector('[data-layers="module"]').click();
  const after = stack.dataset.centre.split(" ").map(Number);
  told.push(after[2] > before[2]);
}
"""


def test_the_stack_moves_and_zooms_where_one_points(requires_program, built, tmp_path):
    text = (built / "report.html").read_text()
    told, _ = acted(requires_program(*BROWSERS), text, tmp_path, ACTS)
    if told == [""]:
        pytest.skip("this browser has no WebGL")
    home = "-0.60 -1.12 1.00 0.00 0.00"
    assert told[:3] == [home, "-0.60 -1.12 1.00 0.10 0.10", home]
    # the point half way to the right edge stays: 0.5 - 0.5 * 1.15
    zoom_and_shift = [float(v) for v in told[3].split()[2:]]
    assert zoom_and_shift == pytest.approx([1.15, -0.075, 0.0], abs=0.006)
    assert told[4] == "true", "without the layers below, the middle is that of the module"


TOUCHED = """
const stack = document.querySelector("#stackview");
document.querySelectorAll("details").forEach((one) => (one.open = true));
const finger = (kind, x) => stack.dispatchEvent(new PointerEvent("pointer" + kind,
  {pointerType: "touch", clientX: x, clientY: 60, bubbles: true}));
if (stack) {
  stack.setPointerCapture = () => {};
  const way = [["down", 50], ["move", 90], ["up", 90]];
  const drag = () => way.forEach(([what, x]) => finger(what, x));
  const home = stack.dataset.drawn;
  for (const tap of [false, true]) {
    if (tap) stack.dispatchEvent(new MouseEvent("click", {bubbles: true}));
    drag();
    told.push(getComputedStyle(stack).touchAction, stack.dataset.drawn === home);
  }
}
"""


def test_a_finger_scrolls_past_the_stack_until_it_is_tapped(requires_program, built, tmp_path):
    text = (built / "report.html").read_text()
    told, _ = acted(requires_program(*BROWSERS), text, tmp_path, TOUCHED, 390)
    if told == [""]:
        pytest.skip("this browser has no WebGL")
    assert told == ["pan-y", "true", "none", "false"]


def test_a_chip_shows_a_cell_of_its_array_not_a_monitor(crossstack, tmp_path):
    asked = ("--rows", 2, "--cols", 2, "--top", "testchip", "--name", "chip", "-q")
    assert crossstack("generate", *asked, "-o", tmp_path).code == 0
    layout = db.Layout()
    layout.read(str(tmp_path / "chip.gds"))
    found = first_crossing(layout, TECH, 4000)
    labels = [
        (s.text_string, s.text_pos)
        for index in layout.layer_indexes()
        for s in layout.top_cell().shapes(index).each()
        if s.is_text()
    ]
    row = next(at for text, at in labels if text == "TR[1]")
    column = next(at for text, at in labels if text == "C[1]")
    assert abs(found.center().x - column.x) < 3000
    assert abs(found.center().y - row.y) < 3000
