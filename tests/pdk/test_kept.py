"""What was read of a process is kept for the next run, and is believed only where it fits."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from crossstack.pdk import Tech, get_tech, kept, known, tech
from crossstack.pdk.home import HOME, MODULES, process_names
from crossstack.pdk.tables import table_sum


def forget() -> None:
    """What a new run does not know."""
    for each in (known.known_of, tech._tech):
        each.cache_clear()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    forget()
    yield tmp_path / "cache" / "crossstack" / "processes"
    forget()


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on, whoever reads a table fails."""

    def fail(*_: object, **__: object) -> Any:
        raise AssertionError("a table was read")

    def after() -> None:
        for name in ("read", "standing"):
            monkeypatch.setattr(f"crossstack.pdk.whole.{name}", fail)

    return after


def same(one: Tech, other: Tech) -> bool:
    keys = ("nets", "process", "module", "module_limits", "conditions", "allowed")
    return one == other and all(getattr(one, k) == getattr(other, k) for k in keys)


@pytest.mark.parametrize("name", process_names())
def test_the_next_run_knows_all_without_reading(
    name: str, place: Path, unread: Callable[[], None]
) -> None:
    profiles = tech.profile_names(name)
    first = [get_tech(profile, name) for profile in profiles]
    forget()
    unread()
    assert all(map(same, (get_tech(profile, name) for profile in profiles), first))
    assert tech.profile_names(name) == profiles
    (file,) = place.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600  # a foundry's tables may be confidential


def damages(data: bytes) -> Iterator[bytes]:
    yield b""
    yield data[:-1]
    yield data + b"x"
    for at in (30, len(data) - 5):
        yield data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_a_file_that_is_damaged_is_made_again(place: Path) -> None:
    right = get_tech()
    (file,) = place.iterdir()
    data = file.read_bytes()
    for damaged in damages(data):
        file.write_bytes(damaged)
        forget()
        assert same(get_tech(), right)
        assert file.read_bytes() == data


def test_what_a_table_says_now_counts(place: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(HOME / "gf180mcuD", own, ignore=shutil.ignore_patterns("default.toml"))
    before = get_tech(process=own)
    table = own / "films.csv"
    text = table.read_text()
    row = next(line for line in text.splitlines() if line.startswith("Metal3,"))
    times = table.stat()
    cells = row.split(",")
    cells[5] = f"0.{1 + int(cells[5][2:]):0{len(cells[5]) - 2}d}"  # a figure of the same length
    table.write_text(text.replace(row, ",".join(cells)))
    os.utime(table, ns=(times.st_atime_ns, times.st_mtime_ns))
    forget()
    sheet = get_tech(process=own).film("Metal3").sheet_ohm_sq
    assert sheet is not None
    assert sheet.typ == float(cells[5])
    assert sheet != before.film("Metal3").sheet_ohm_sq
    table.unlink()  # and what is refused is refused the next time, too
    for _ in range(2):
        forget()
        with pytest.raises(Exception, match="films"):
            get_tech(process=own)


@pytest.mark.parametrize("how", ["beside", "linked", "like, escaped"])
def test_tables_elsewhere_count_too(how: str, place: Path, tmp_path: Path) -> None:
    base = HOME / "gf180mcuD"
    own, module = tmp_path / "own", tmp_path / "module"
    shutil.copytree(base, own, ignore=shutil.ignore_patterns("default.toml", "decks"))
    shutil.copytree(MODULES / "al_tio2", module, ignore=shutil.ignore_patterns("default.toml"))
    head = own / "process.toml"
    named = "inside" if how == "linked" else "../module"
    if how == "linked":
        (own / "inside").symlink_to(module)
    text = head.read_text().replace('module = "al_tio2"', f'module = "{named}"')
    head.write_text(text)
    process = own
    if how == "like, escaped":
        process = tmp_path / "second"
        process.mkdir()
        (process / "process.toml").write_text('"l\\u0069ke" = "../own"\nname = "second"\n')
    before, sums = get_tech(process=process), table_sum(process)
    forget()
    table = module / "rules.csv"
    table.write_text(table.read_text().replace("\nME.1,width,ME,F,", "\nME.1,width,ME,4 * F,"))
    after = get_tech(process=process)
    forget()
    again = get_tech(process=process)
    width = [next(r.value for r in t.rules if r.name == "ME.1") for t in (before, after, again)]
    assert width[1] == width[2] == pytest.approx(4 * width[0])
    assert table_sum(process) != sums


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_in_place_of_a_file_is_not_waited_for(place: Path) -> None:
    get_tech()
    (file,) = place.iterdir()
    file.unlink()
    os.mkfifo(file)
    forget()
    assert get_tech().name.startswith("gf180mcuD")


class Harm:
    """What a pickle of somebody else's could do."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (os.environ["HARM"],)


def test_no_program_hides_in_a_file(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARM", str(tmp_path / "harm"))
    kept.keep(HOME, "0" * 64, Harm())
    assert kept.recalled(HOME, "0" * 64) is None
    assert not (tmp_path / "harm").exists()
    kept.keep(HOME, "0" * 64, ())
    assert kept.recalled(HOME, "0" * 64) == ()
    assert kept.recalled(HOME, "1" * 64) is None
    monkeypatch.setattr(os, "getuid", lambda: -1)  # somebody else's
    assert kept.recalled(HOME, "0" * 64) is None


def test_records_of_a_file_are_those_of_a_process() -> None:
    for code in (b"cos\nsystem\n.", b"ccrossstack.pdk.kept\ncache_folder\n."):
        with pytest.raises(pickle.UnpicklingError, match="no record"):
            kept._loaded(code)


@pytest.mark.parametrize("how", ["a file", "no home", "no room", "read-only"])
def test_no_run_depends_on_the_cache(
    how: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "a file":
        (tmp_path / "cache").write_text("")
    elif how == "no home":
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setattr(Path, "home", lambda: Path("~nobody").expanduser())
    else:
        kind = {"no room": OSError(28, "No space left on device"), "read-only": PermissionError()}

        def fail(*_: object, **__: object) -> int:
            raise kind[how]

        at = (kept.os, "replace") if how == "no room" else (Path, "mkdir")
        monkeypatch.setattr(*at, fail)
    assert get_tech().name.startswith("gf180mcuD")
    assert not place.is_dir() or not [*place.iterdir()]


def test_runs_side_by_side_leave_one_whole_file(place: Path) -> None:
    values = [(str(k) * 1000,) for k in range(8)]
    sums = hashlib.sha256().hexdigest()

    def work(value: tuple[str]) -> bool:
        kept.keep(HOME, sums, value)
        return kept.recalled(HOME, sums) in values

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, values * 10))
    assert len([*place.iterdir()]) == 1


def test_folders_that_come_and_go_do_not_fill_the_disk(place: Path, tmp_path: Path) -> None:
    for k in range(40):
        kept.keep(tmp_path / str(k), "0" * 64, (k,))
    assert len([*place.iterdir()]) == 32
    assert kept.recalled(tmp_path / "39", "0" * 64) == (39,)
    assert kept.recalled(tmp_path / "0", "0" * 64) is None
