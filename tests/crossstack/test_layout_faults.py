"""One fault of a layout, every command: one line, one exit code, and what is wrong in it."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import gdstk
import klayout.db as db
import pytest

from crossstack.base.errors import FileError
from crossstack.base.layout import open_layout, read_layout
from crossstack.cells.drawing import to_layout
from crossstack.generators import ArraySpec, build_array
from crossstack.pdk import get_tech

TECH = get_tech()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures go to the current folder where no other is named."""
    monkeypatch.chdir(tmp_path)


COMMANDS: dict[str, tuple[str, ...]] = {
    "drc": (),
    "lvs": ("--netlist", "a.spice"),
    "extract": (),
    "tapeout": (),
    "foundry drc": (),
    "view": ("--png",),
    "view --glb": (),
    "view --cross-section": ("auto",),
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a 2 x 2 array, `a.gds`, and its netlist."""
    folder = tmp_path_factory.mktemp("drawn")
    array = build_array(ArraySpec(rows=2, cols=2, name="a"))
    to_layout(array.cell, TECH).write(str(folder / "a.gds"))
    (folder / "a.spice").write_text("\n".join(array.netlist_lines()) + "\n")
    return folder


def edited(drawn: Path, target: Path, edit: Callable[[db.Layout], None]) -> Path:
    layout = db.Layout()
    layout.read(str(drawn / "a.gds"))
    edit(layout)
    layout.write(str(target))
    shutil.copy(drawn / "a.spice", target.with_suffix(".spice"))
    return target


def over(a: int, b: int) -> Callable[[db.Layout], None]:
    """Cover the whole array with a layer."""
    return lambda ly: ly.top_cell().shapes(ly.layer(a, b)).insert(ly.top_cell().bbox())


def no_definition(data: bytes) -> bytes:
    """Leave out the structure hybrid_cell, which the top cell places."""
    at = data.index(b"\x06\x06hybrid_cell\x00") - 2
    start = data.rindex(b"\x00\x1c\x05\x02", 0, at)
    end = data.index(b"\x00\x04\x07\x00", at) + 4
    return data[:start] + data[end:]


def no_columns(data: bytes) -> bytes:
    at = data.index(b"\x00\x08\x13\x02") + 4
    return data[:at] + b"\0\0" + data[at + 2 :]


def in_a_circle(data: bytes) -> bytes:
    name = b"\x12\x06hybrid_cell\x00"
    start = data.rindex(b"\x00\x04\x0b\x00", 0, data.index(name))
    end = data.index(b"\x00\x04\x11\x00", start) + 4
    own = data.index(b"\x06\x06hybrid_cell\x00")
    at = data.index(b"\x00\x04\x07\x00", own)
    return data[:at] + data[start:end] + data[at:]


def nested(levels: int, columns: int) -> Callable[[db.Layout], None]:
    def edit(ly: db.Layout) -> None:
        top = ly.top_cell()
        for number in range(levels):
            outer = ly.create_cell(f"level{number}")
            place = (db.Vector(9000, 0), db.Vector(0, 9000), columns, columns)
            trans = db.Trans()
            repeated = db.CellInstArray(top.cell_index(), trans, *place)
            single = db.CellInstArray(top.cell_index(), trans)
            outer.insert(repeated if columns > 1 else single)
            top = outer

    return edit


def far_away(ly: db.Layout) -> None:
    ly.top_cell().shapes(ly.layer(34, 0)).insert(db.Box(2**31 - 9, 0, 2**31 - 1, 9))


def other_unit(dbu: float) -> Callable[[db.Layout], None]:
    def edit(ly: db.Layout) -> None:
        ly.dbu = dbu

    return edit


def placed_by(*trans: float | bool) -> Callable[[db.Layout], None]:
    """Place the array's cells in another way: magnification, angle, mirrored."""

    def edit(ly: db.Layout) -> None:
        top = ly.top_cell()
        for inst in list(top.each_inst()):
            if inst.cell.name == "hybrid_cell":
                at = inst.trans.disp
                inst.cplx_trans = db.ICplxTrans(*trans, at.x, at.y)

    return edit


def empty_magnified(ly: db.Layout) -> None:
    trans = db.DCplxTrans(2.0, 30.0, True, 1, 1)
    ly.top_cell().insert(db.DCellInstArray(ly.create_cell("empty").cell_index(), trans))


#: fault -> what makes it, from the layout or from the bytes, and words of the line
FAULTS: dict[str, tuple[Callable[..., object], tuple[str, ...]]] = {
    "thick oxide": (over(55, 0), ("Dualgate 55/0", "COMP")),
    "native": (over(5, 0), ("NAT 5/0",)),
    "salicide block": (over(49, 0), ("SAB 49/0",)),
    "deep n-well": (over(12, 0), ("DNWELL 12/0",)),
    "metal resistor": (over(110, 13), ("Metal3_Res 110/13", "Metal3")),
    "fill on wires": (over(42, 4), ("Metal3_Dummy 42/4", "Metal3")),
    "MIM top plate": (over(75, 0), ("FuseTop 75/0",)),
    "magnified": (placed_by(2.0, 0, False), ("hybrid_cell at (", "magnified by 2", "flatten")),
    "magnified, a little": (placed_by(1.001, 90, True), ("magnified by 1.001",)),
    "turned": (placed_by(1.0, 30, False), ("hybrid_cell", "turned by 30 degrees")),
    "missing cell": (no_definition, ("hybrid_cell", "is not in the file")),
    "array of 0 columns": (no_columns, ("0 columns", "cell ")),
    "name of no letters": (
        lambda data: data.replace(b"hybrid_cell", b"hybrid\xc2cell"),
        ("not UTF-8",),
    ),
    "text of no letters": (lambda data: data.replace(b"TR[0]", b"TR[\xff]"), ("not UTF-8",)),
    "no name": (lambda data: data.replace(b"\x06\x06a\x00", b"\x06\x06\x00a"), ("has no name",)),
    "circle": (in_a_circle, ("contains itself", "hybrid_cell > hybrid_cell")),
    "cut": (lambda data: data[: len(data) // 2], ("cannot be read",)),
    "last bytes lost": (lambda data: data[:-2], ("cannot be read",)),
    "bytes behind the end": (lambda data: data + b"more", ("4 bytes after the end",)),
    "twice": (lambda data: data + data, ("after the end of its library",)),
    "no layout": (lambda data: b"text" + data, ("not a GDS or OASIS file",)),
    "no bytes": (lambda data: b"", ("is empty",)),
    "unit 0.005": (other_unit(0.005), ("0.005 um", "0.001 um", "convert")),
    "unit 0.0005": (other_unit(0.0005), ("0.0005 um", "convert")),
    "too deep": (nested(201, 1), ("deep", "200")),
    "too many": (nested(3, 100), ("level", "1e+09")),
    "too far": (far_away, ("reaches", "um")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_with_one_code_in_every_command(fault, drawn, tmp_path, crossstack):
    make, words = FAULTS[fault]
    path = tmp_path / "a.gds"
    try:
        path.write_bytes(make((drawn / "a.gds").read_bytes()))  # type: ignore[arg-type]
    except AttributeError:
        edited(drawn, path, make)  # type: ignore[arg-type]
    lines = set()
    for command, more in COMMANDS.items():
        given = [drawn / word if word.endswith(".spice") else word for word in more]
        verb = command.split()
        ran = crossstack(*verb[:1], *verb[1 : 1 + (verb[0] == "foundry")], path,
                         *verb[1 + (verb[0] == "foundry") :], *given)  # fmt: skip
        ran.fails(3, *words)
        assert ran.out == ""
        lines.add(ran.err)
    assert len(lines) == 1, lines
    assert not (tmp_path / "tapeout").exists() or not list((tmp_path / "tapeout").iterdir())


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("sums", [None, "crc32", "checksum32"])
def test_an_oasis_file_is_read_to_its_very_end(sums, packed, tmp_path):
    """A library reads over an end that is cut or goes on, and over sums that do not fit."""
    cells = gdstk.Library()
    cells.new_cell("a").add(gdstk.rectangle((0, 0), (1, 1)))
    cells.write_oas(tmp_path / "a.oas", compression_level=0, validation=sums)
    whole = (tmp_path / "a.oas").read_bytes()
    path = tmp_path / "b.oas"
    pack = gzip.compress if packed else bytes
    path.write_bytes(pack(whole))
    assert read_layout(path).top_cell().name == "a"
    for data in (whole[:-1], whole + b"x", whole + b"\0", whole[:-256], whole[:40]):
        path.write_bytes(pack(data))
        with pytest.raises(FileError, match="is cut short or goes on after its end"):
            read_layout(path)
    if sums:
        at = len(whole) - 260
        path.write_bytes(pack(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]))
        with pytest.raises(FileError, match="another sum"):
            read_layout(path)


@pytest.mark.parametrize("command", COMMANDS)
def test_pipes_and_devices_are_no_layouts(command, drawn, tmp_path, crossstack):
    os.mkfifo(tmp_path / "pipe.gds")
    given = [drawn / word if word.endswith(".spice") else word for word in COMMANDS[command]]
    verb, *flags = command.split()
    first = [verb, *flags] if verb == "foundry" else [verb]
    rest = [] if verb == "foundry" else flags
    for path in (tmp_path / "pipe.gds", Path("/dev/zero")):
        ran = crossstack(*first, path, *rest, *given)
        assert ran.code in (2, 3)
        assert path.name in ran.err
        assert ran.err.count("\n") == 1


@pytest.mark.parametrize("pair", [(99, 7), (143, 0), (250, 0), (63, 0)])
def test_an_unknown_layer_is_named_and_not_taped_out(pair, drawn, tmp_path, crossstack):
    path = edited(drawn, tmp_path / "a.gds", over(*pair))
    name = f"{pair[0]}/{pair[1]}"
    for command, more in COMMANDS.items():
        if command.startswith("foundry"):
            continue
        given = [drawn / word if word.endswith(".spice") else word for word in more]
        verb, *flags = command.split()
        ran = crossstack(
            verb, path, *flags, *given, *(() if verb == "view" else ("-o", tmp_path / "o"))
        )
        assert ran.code == (1 if verb == "tapeout" else 0), ran.err
        assert "unknown layers, not checked" in ran.err
        assert name in ran.err
    for more, wanted in (((), pair == (63, 0)), (("--keep-layer", name), True)):
        crossstack("tapeout", path, "-o", tmp_path / "o", *more)
        layout = db.Layout()
        layout.read(str(tmp_path / "o" / "a_foundry.gds"))
        assert (layout.find_layer(*pair) is not None) == wanted


def test_cells_without_shapes_may_be_placed_in_any_way(drawn, tmp_path, crossstack):
    edited(drawn, tmp_path / "a.gds", empty_magnified)
    assert crossstack("extract", tmp_path / "a.gds", "-o", tmp_path).code == 0


def two_boxes(
    a: tuple[int, int], b: tuple[int, int], x: int, y: int
) -> Callable[[db.Layout], None]:
    def edit(ly: db.Layout) -> None:
        box = db.Box(100_000, 0, 101_000, 1000)
        ly.top_cell().shapes(ly.layer(*a)).insert(box)
        ly.top_cell().shapes(ly.layer(*b)).insert(box.moved(x, y))

    return edit


FILL = [layer for layer in TECH.foreign if layer.joins]


@pytest.mark.parametrize("layer", FILL, ids=lambda layer: layer.name)
def test_fill_that_touches_is_refused_and_beside_is_not(layer, drawn, tmp_path):
    """By an edge, by a corner and by a gap of one grid step, for each layer that it joins."""
    names = TECH.drawing.known
    assert layer.changes
    for pair in layer.changes:
        for x, y, touches in ((1000, 0, True), (1000, 1000, True), (1001, 0, False)):
            path = edited(drawn, tmp_path / "a.gds", two_boxes(pair, layer.gds, x, y))
            if touches:
                words = f"{layer.name} .* touches {names[pair]} at "
                with pytest.raises(FileError, match=words):
                    open_layout(path, TECH.drawing)
            else:
                assert open_layout(path, TECH.drawing).warnings


def test_every_fill_of_a_drawn_layer_joins():
    drawn_names = {layer.name for layer in TECH.layers}
    fill = {f.name for f in TECH.foreign if f.name.removesuffix("_Dummy") in drawn_names}
    assert fill == {layer.name for layer in FILL}


def test_other_devices_beside_the_array_are_only_named(drawn, tmp_path, crossstack):
    def beside(ly: db.Layout) -> None:
        box = ly.top_cell().bbox()
        ly.top_cell().shapes(ly.layer(55, 0)).insert(box.moved(box.width() + 5000, 0))

    path = edited(drawn, tmp_path / "a.gds", beside)
    ran = crossstack("drc", path)
    assert ran.code == 0
    assert "55/0 (Dualgate)" in ran.err


def test_shapes_without_area_are_noted(drawn, tmp_path, crossstack):
    def flat(ly: db.Layout) -> None:
        shapes = ly.top_cell().shapes(ly.layer(42, 0))
        shapes.insert(db.Box(0, 0, 0, 500))
        shapes.insert(db.Path([db.Point(0, 0), db.Point(900, 0)], 0))
        ly.cell("hybrid_cell").shapes(ly.layer(34, 0)).insert(db.Box(5, 5, 5, 5))

    ran = crossstack("drc", edited(drawn, tmp_path / "a.gds", flat))
    assert "shapes without area" in ran.err
    assert "1 on 34/0, 2 on 42/0" in ran.err


def test_an_array_placed_in_a_cell_asks_for_top(drawn, tmp_path, crossstack):
    def wrapped(ly: db.Layout) -> None:
        top = ly.top_cell()
        ly.create_cell("chip").insert(
            db.CellInstArray(top.cell_index(), db.Trans(db.Vector(50, 0)))
        )

    path = edited(drawn, tmp_path / "a.gds", wrapped)
    for command in ("lvs", "extract"):
        given = ("--netlist", drawn / "a.spice") if command == "lvs" else ()
        crossstack(command, path, *given).fails(2, "chip", "--top a")
        assert crossstack(command, path, *given, "--top", "a").code == 0
    ran = crossstack("tapeout", path, "--json")
    (netlist,) = [c for c in ran.json["checks"] if c["name"] == "netlist"]
    assert (ran.code, netlist["status"]) == (1, "unknown")
    assert "--top a" in netlist["text"]


def test_labelled_wires_without_a_device_are_extracted(drawn, tmp_path, crossstack):
    def plates(ly: db.Layout) -> None:
        top, metal, label = ly.top_cell(), ly.layer(81, 0), ly.layer(81, 10)
        x = top.bbox().right + 5000
        for number in (0, 1):
            low = x + number * 10_600
            top.shapes(metal).insert(db.Box(low, 0, low + 10_000, 10_000))
            top.shapes(label).insert(db.Text(f"P{number}", low + 1000, 1000))

    path = edited(drawn, tmp_path / "a.gds", plates)
    before = crossstack("extract", drawn / "a.gds", "--json", "-o", tmp_path / "o").json
    after = crossstack("extract", path, "--rc", "--spef", "--json").json
    assert after["ports"] == before["ports"] + 2
    spice = (tmp_path / "a_extracted.spice").read_text()
    assert " P0 P1 " in spice.split(".subckt")[-1]
    spef = (tmp_path / "a.spef").read_text()
    assert " P0\n" in spef
    assert " P1\n" in spef


@pytest.mark.parametrize("labels", [0, 2])
def test_metals_alone(labels, drawn, tmp_path, crossstack):
    layout = db.Layout()
    cell = layout.create_cell("metals")
    cell.shapes(layout.layer(81, 0)).insert(db.Box(0, 0, 20_000, 1000))
    for number in range(labels):
        cell.shapes(layout.layer(81, 10)).insert(db.Text(f"P{number}", 500 + 19_000 * number, 500))
    layout.write(str(tmp_path / "m.gds"))
    ran = crossstack("lvs", tmp_path / "m.gds", "--netlist", drawn / "a.spice", "--json")
    assert ran.code == 1
    assert ran.json["errors"] == [
        f"device: {tmp_path / 'm.gds'} draws no device, the reference has 16"
    ]
    ran = crossstack("extract", tmp_path / "m.gds", "--rc", "--spef")
    if labels:
        assert ran.code == 0, ran.err
        assert "Rw0 P0 P1 0.7" in (tmp_path / "m_extracted.spice").read_text()
    else:
        ran.fails(3, "no device and no labelled net")


def test_shorted_rows_are_not_ready_and_a_netlist_may_be_named(drawn, tmp_path, crossstack):
    def shorted(ly: db.Layout) -> None:
        top = ly.top_cell()
        box = top.bbox_per_layer(ly.layer(46, 0))
        top.shapes(ly.layer(46, 0)).insert(db.Box(box.left, box.bottom, box.left + 500, box.top))

    path = edited(drawn, tmp_path / "a.gds", shorted)
    ran = crossstack("tapeout", path, "--json")
    assert (ran.code, ran.json["verdict"]) == (1, "not ready")
    failed = {c["name"] for c in ran.json["checks"] if c["status"] == "failed"}
    assert "netlist" in failed
    crossstack("extract", path).fails(3, "a: short: ", "TR[0]", "are one net")
    path.with_suffix(".spice").unlink()
    for more, status in (((), "unknown"), (("--netlist", drawn / "a.spice"), "failed")):
        ran = crossstack("tapeout", path, "--json", *more)
        assert {c["name"]: c["status"] for c in ran.json["checks"]}["netlist"] == status


def test_compressed_layouts(drawn, tmp_path, crossstack):
    import gzip

    data = (drawn / "a.gds").read_bytes()
    (tmp_path / "a.gds.gz").write_bytes(gzip.compress(data))
    assert crossstack("drc", tmp_path / "a.gds.gz").code == 0
    (tmp_path / "cut.gds.gz").write_bytes(gzip.compress(data)[:-9])
    crossstack("drc", tmp_path / "cut.gds.gz").fails(3, "cut.gds.gz", "unpacked")
    (tmp_path / "text.gds.gz").write_bytes(gzip.compress(b"text"))
    crossstack("drc", tmp_path / "text.gds.gz").fails(3, "text.gds.gz", "not a compressed GDS")


def test_build_and_package_hold_the_same_bytes(built, tmp_path, crossstack):
    name = built.name
    crossstack("tapeout", built, "-o", tmp_path / "t")
    for kind in ("foundry", "masks"):
        file = f"{name}_{kind}.gds"
        assert (built / file).read_bytes() == (tmp_path / "t" / file).read_bytes()


def _varint(n: int) -> bytes:
    return (_varint_more(n) if n > 127 else b"") or bytes([n])


def _varint_more(n: int) -> bytes:
    return bytes([n & 127 | 128]) + _varint(n >> 7)


def test_a_small_file_that_unfolds_to_a_giant_is_refused(tmp_path):
    start = b"\x01\x031.0\x00" + _varint(1000) + bytes(13)
    box = b"\x14\x7f" + bytes([34, 0, 100, 100, 0, 0])
    repeated = b"\x01" + _varint(99_998) * 2 + _varint(200) * 2
    end = b"\x02\xfc\x01" + bytes(253)
    path = tmp_path / "giant.oas"
    path.write_bytes(b"%SEMI-OASIS\r\n" + start + b"\x0e\x01A" + box + repeated + end)
    with pytest.raises(FileError, match="unfolds to more than 600 MB in memory"):
        read_layout(path)


@pytest.mark.parametrize("copies", [1200, 130_000])
def test_a_heap_of_one_cell_is_refused_and_a_dense_array_of_it_is_not(tmp_path, copies):
    def placed(step: int) -> Path:
        layout = db.Layout()
        via, top = layout.create_cell("via"), layout.create_cell("top")
        via.shapes(layout.layer(34, 0)).insert(db.Box(0, 0, 100, 100))
        across = db.Vector(step, 0), db.Vector(0, 2 * step)
        top.insert(db.CellInstArray(via, db.Trans(), *across, copies // 100, 100))
        path = tmp_path / f"{step}.gds"
        layout.write(str(path))
        return path

    assert read_layout(placed(50)).top_cell().name == "top"
    with pytest.raises(FileError, match=rf"top places {copies} copies of via over each other"):
        read_layout(placed(1))


def test_a_heap_of_heaps_is_refused_and_one_of_texts_is_not(tmp_path):
    def placed(shape: db.Box | db.Text) -> Path:
        layout = db.Layout()
        cells = [layout.create_cell(name) for name in ("via", "some", "top")]
        cells[0].shapes(layout.layer(34, 0)).insert(shape)
        for upper, lower in ((cells[1], cells[0]), (cells[2], cells[1])):
            for k in range(200):
                place = db.Trans(db.Trans.R90 if k % 2 else db.Trans.R0, k % 5, 0)
                upper.insert(db.CellInstArray(lower, place))
        path = tmp_path / "heap.gds"
        layout.write(str(path))
        return path

    assert read_layout(placed(db.Text("a", db.Trans()))).top_cell().name == "top"
    with pytest.raises(FileError, match=r"places 200 copies of some over each other"):
        read_layout(placed(db.Box(0, 0, 100, 100)))
