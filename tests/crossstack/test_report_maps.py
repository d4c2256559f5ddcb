"""The IR-drop maps of the pages: what they say of devices that are written or idle."""

from __future__ import annotations

import json
import re

import pytest

from .conftest import BROWSERS, acted

SAYS = """
const says = (map, row, column) => {
  const canvas = document.querySelectorAll("#maps figure canvas")[map];
  const box = canvas.getBoundingClientRect();
  const [rows, columns] = [3, 2];
  canvas.dispatchEvent(new PointerEvent("pointermove", {
    clientX: box.left + ((column + 0.5) / columns) * box.width,
    clientY: box.bottom - ((row + 0.5) / rows) * box.height,
  }));
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const pen = copy.getContext("2d", {willReadFrequently: true});
  pen.drawImage(canvas, 0, 0);
  const at = [(column + 0.5) / columns * canvas.width, (2.5 - row) / rows * canvas.height];
  const rgb = [...pen.getImageData(...at.map(Math.round), 1, 1).data].join(" ");
  told.push(document.querySelector("#readout").textContent + " / " + rgb);
};
"""


def test_the_map_of_a_tier_being_written(requires_program, crossstack, built, tmp_path):
    out = tmp_path / "solved"
    asked = ("--mode", "deep-net", "--write-column", 1, "--write-voltage", 1.5, "-o", out)
    assert crossstack("solve", built, *asked).code == 0
    acts = SAYS + (
        "says(1, 2, 1); says(1, 2, 0); says(0, 0, 1); says(0, 0, 0);"
        "told.push(document.querySelectorAll('#maps figcaption')[1].textContent);"
        "told.push(document.querySelector('#maps .axis.rows').textContent);"
        "told.push(document.querySelectorAll('#maps figcaption')[0].textContent);"
    )
    text = (out / "report.html").read_text()
    told, _ = acted(requires_program(*BROWSERS), text, tmp_path, acts)
    write = json.loads((out / "ir_drop.json").read_text())["modes"]["deep-net"]["write"]
    assert write["applied_V"] == [1.5] * 3
    volts = write["device_voltages_V"][2]
    found = re.search(
        r": written with ([\d.]+) V \(([\d.]+) % of the write voltage lost\)", told[0]
    )
    assert found is not None, told[0]
    assert float(found[1]) == pytest.approx(volts, rel=1e-3)
    assert float(found[2]) == pytest.approx(100 * (1.5 - volts) / 1.5, rel=1e-2)
    assert ": not selected" in told[1]
    assert ": not read, as column 1 is being written" in told[2]
    assert "% lost" in told[3]
    colours = [line.split(" / ")[1] for line in told[:3]]
    assert colours[0] != colours[1] == colours[2]
    assert told[4] == "deep-net, top tier (column 1 being written)"
    assert told[5] == "0row2"
    assert told[6] == "deep-net, bottom tier (column 1 not read)"


@pytest.mark.parametrize(
    ("low", "top", "digits"), [(15.22, 15.29, 4), (15.22, 15.23, 5), (1, 60, 3)]
)
def test_numbers_beside_a_scale_of_a_narrow_span_differ(
    requires_program, built, tmp_path, low, top, digits
):
    text = (built / "report.html").read_text()
    grid = [[low / 100, top / 100]]
    panel = {"title": "a", "shape": [1, 2], "block": 1, "values": {"all": grid, "wires": grid}}
    data = json.dumps({"panels": [panel]})
    text = re.sub(
        r'(<script id="mapdata"[^>]*>).*?(</script>)', rf"\g<1>{data}\2", text, flags=re.DOTALL
    )
    acts = (
        "const numbers = [...document.querySelectorAll('#maps .legend span')];"
        "told.push(...numbers.map((s) => s.textContent));"
        "told.push(document.querySelector('#range').textContent);"
    )
    told, _ = acted(requires_program(*BROWSERS), text, tmp_path, acts)
    values = [float(word.removesuffix(" %")) for word in told[:5]]
    assert values == sorted(set(values), reverse=True)
    assert len(values) == 5
    shown = told[0].removesuffix(" %").replace(".", "")
    assert len(shown) == digits
    assert f" to {told[0]} of" in told[5]
