"""Numbers on the command line: a help text states their range, and that is the range they have."""

from __future__ import annotations

import math
import re

import click
import numpy as np
import pytest

from crossstack.array_options import ArrayOption
from crossstack.base import spans
from crossstack.base.errors import CrossStackError
from crossstack.base.spans import Span
from crossstack.cli import COMMANDS, cli
from crossstack.lab import overlay_figures
from crossstack.mapping.choice import _tile
from crossstack.mapping.writing import Programming
from crossstack.options import Temperature
from crossstack.pdk import get_tech
from crossstack.pdk.conditions import Conditions
from crossstack.pdk.electromigration import current_limits
from crossstack.pdk.home import process_names
from crossstack.pdk.ranges import BIAS_UM, MAX_LINES, SHEET_OHM_SQ
from crossstack.report.cut import parse_cut
from crossstack.signoff.tapeout import layer_pair
from crossstack.solve.study.variation import Spread
from crossstack.typed import Number, Whole


def _options() -> list[tuple[str, click.Command, click.Option]]:
    found = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        below = command.commands if isinstance(command, click.Group) else {"": command}
        for other, each in below.items():
            options = [p for p in each.params if isinstance(p, click.Option)]
            found += [(f"{name} {other}".strip(), each, option) for option in options]
    return found


def _kinds(option: click.Option) -> list[click.ParamType]:
    return list(option.type.types) if isinstance(option.type, click.Tuple) else [option.type]


NUMERIC = [
    pytest.param(command, option, id=f"{verb} {option.opts[0]}")
    for verb, command, option in _options()
    if any(isinstance(kind, (Number, Whole)) for kind in _kinds(option))
]
#: a range in words
_RANGE = r"\d.* (to \d|or more)|above \d|: 1 or 2|1, 2|from [a-z]"
#: ending of a name -> how a help text says that unit
_UNITS = {"um": "um", "ohm": "ohm", "s": "s", "v": "V", "voltage": "V", "temperature": "degree C"}


@pytest.mark.parametrize(("command", "option"), NUMERIC)
def test_help_states_the_range(command, option):
    record = option.get_help_record(click.Context(command))
    assert record is not None
    text = " ".join(record[1].split())
    assert re.search(_RANGE, text), text
    unit = _UNITS.get(max(option.opts, key=len).rpartition("-")[2])
    assert unit is None or re.search(rf"\b{unit}\b", text), text
    spans_of = [(kind, getattr(kind, "span", None)) for kind in _kinds(option)]
    if isinstance(option, (ArrayOption, Temperature)):
        return
    for kind, span in spans_of:
        assert span is not None, option.opts
        assert span.ends in text
        for good in _inside(span):
            kind.convert(repr(good), option, None)
        for bad in _outside(span):
            with pytest.raises(click.BadParameter, match=re.escape(span.ends)):
                kind.convert(repr(bad), option, None)


def _overlay(bar):
    return [*overlay_figures({("VME", "x"): bar}, get_tech())]


#: options with numbers inside a text -> their ranges, and what reads the text
TEXTS = {
    "map --tile": (spans.TILE, lambda v: _tile(f"2x{v}")),
    "tapeout --keep-layer": (spans.LAYER, lambda v: layer_pair(f"{v}/0")),
    "view --cross-section": (spans.CUT_UM, lambda v: parse_cut(f"auto,width={v}")),
    "measure --overlay": (spans.BAR, _overlay),
    "extract --sheet": (SHEET_OHM_SQ, lambda v: Conditions(sheet_resistance_ohm_sq={"ME": v})),
    "extract --bias": (BIAS_UM, lambda v: Conditions(size_bias_um={"ME": v})),
}


@pytest.mark.parametrize("name", TEXTS)
def test_help_states_the_range_of_a_number_in_a_text(name):
    span, read = TEXTS[name]
    verb, flag = name.split()
    (option,) = (each for own, _, each in _options() if own == verb and flag in each.opts)
    assert span.ends in option.help
    for good in _inside(span):
        read(good)
    for bad in _outside(span):
        with pytest.raises(CrossStackError):
            read(bad)


def test_every_option_with_a_number_in_a_text_is_looked_at():
    """What a metavar spells as a number, as RxC or FILM=OHM, or a help text gives as one."""
    given = re.compile(r"^[^(]*\b(um|ohm|V|degree)\b|[A-Z]=[A-Z]+$|RxC|BAR|/DATATYPE")
    for verb, _, option in _options():
        name, number = f"{verb} {max(option.opts, key=len)}", (Number, Whole)
        if option.is_flag or any(isinstance(kind, number) for kind in _kinds(option)):
            continue
        if given.search(option.metavar or "") and option.opts[0] not in ("--device", "--vary"):
            assert name in TEXTS, name


def test_compare_says_how_many_rows_its_baselines_leave(crossstack, tmp_path):
    most = MAX_LINES // 2
    assert f"Row pairs: 1 to {most}, as the" in " ".join(
        crossstack("compare", "--help").out.split()
    )
    ran = crossstack("compare", "--rows", most + 1, "-o", tmp_path)
    ran.fails(2, f"rows = {most + 1} is not allowed: 1 .. {most}")


def _step(span: Span, end: float) -> float:
    return 1 if span.whole else max(abs(end), span.low, 1e-12) * 1e-6


def _number(span: Span, value: float) -> float:
    return int(value) if span.whole else value


def _inside(span: Span) -> list[float]:
    high = span.low + 1e9 if math.isinf(span.high) else span.high
    return [_number(span, span.low + span.above * _step(span, span.low)), _number(span, high)]


def _outside(span: Span) -> list[float]:
    ends = [span.low if span.above else span.low - _step(span, span.low)]
    ends += [] if math.isinf(span.high) else [span.high + _step(span, span.high)]
    return [_number(span, end) for end in ends]


@pytest.mark.parametrize("name", spans.PULSES)
def test_pulses_have_the_same_ranges_in_python(name):
    _same(lambda value: Programming(**{name: value}), spans.PULSES[name])


@pytest.mark.parametrize(
    ("span", "of"),
    [
        (spans.SIGMA_LN_G, lambda v: Spread(sigma=v)),
        (spans.SHARE, lambda v: Spread(open_wire=v)),
        (SHEET_OHM_SQ, lambda v: Conditions(sheet_resistance_ohm_sq={"ME": v})),
        (BIAS_UM, lambda v: Conditions(size_bias_um={"ME": v})),
    ],
)
def test_spread_and_films_have_the_same_ranges_in_python(span, of):
    _same(of, span)


def _same(make, span: Span) -> None:
    for good in _inside(span):
        make(good)
    ends = re.escape(span.ends.removesuffix(span.unit))
    for bad in (*_outside(span), np.nan):
        with pytest.raises(CrossStackError, match=ends):
            make(bad)


def test_devices_stuck_on_and_off_share_what_there_is():
    most = spans.STUCK.high
    Spread(stuck_on=most, stuck_off=most)
    with pytest.raises(CrossStackError, match="<= 1"):
        Spread(stuck_on=most + 1e-6, stuck_off=most + 1e-6)


@pytest.mark.parametrize("process", process_names())
@pytest.mark.parametrize("verb", ["extract", "inspect", "measure"])
def test_help_states_the_temperatures_of_the_process(crossstack, process, verb):
    """As the refusals do: the range is the process's, not ours."""
    text = " ".join(crossstack(verb, "--help", "--process", process).out.split())
    told = re.search(rf"Range on {process}: (\S+) to (\S+)\.", text)
    assert told is not None, text
    tech = get_tech(process=process)
    if verb == "inspect":
        check = lambda celsius: current_limits(tech, celsius)  # noqa: E731
    else:
        check = lambda celsius: tech.at(Conditions(temperature_c=celsius))  # noqa: E731
    low, high = map(float, told.groups())
    for good in (low, high):
        check(good)
    for bad in (low - 1, high + 1):
        with pytest.raises(CrossStackError, match=f"{low:g} to {high:g}"):
            check(bad)


OPTIONS = [(verb, option) for verb, _, option in _options()]
VERBS = [*dict.fromkeys(verb for verb, _ in OPTIONS)]


@pytest.mark.parametrize("verb", VERBS)
def test_every_wrong_word_says_whose_help_to_read(crossstack, verb):
    """`tapeout --die 1` named none: click's parser of words does not know its command."""
    hint = f" (see crossstack {verb} --help)\n"
    wrong = [["--foo"], ["-?"], ["--help=3"]]
    for option in (option for name, option in OPTIONS if name == verb):
        flags = [flag for flag in option.opts if flag.startswith("--")]
        wrong += [[flag, *["1"] * (option.nargs - 1)] for flag in flags if not option.is_flag]
        wrong += [[f"{flag}=1"] for flag in flags if option.is_flag]
    for words in wrong:
        ran = crossstack(*verb.split(), *words)
        ran.fails(2, words[0].partition("=")[0])
        assert ran.err.endswith(hint), ran.err


@pytest.mark.parametrize("verb", VERBS)
def test_only_a_near_option_is_suggested(crossstack, verb):
    """`inspect --foo` meant --to: the dashes, which all begin with, made them alike."""
    for far in ("--foo", "--zz", "--qqqq"):
        assert "did you mean" not in crossstack(*verb.split(), far).err
    for name, option in OPTIONS:
        flag = max(option.opts, key=len)
        if name == verb and len(flag) > 5:
            crossstack(*verb.split(), flag + flag[-1]).fails(2, f"; did you mean {flag!r}?")


@pytest.mark.parametrize("words", [["--foo"], ["--version=1"], ["nonsense"]])
def test_a_wrong_word_before_any_command_names_the_help(crossstack, words):
    assert crossstack(*words).err.endswith(" (see crossstack --help)\n")


@pytest.mark.parametrize("group", ["foundry", "tech", "pdk"])
def test_a_command_of_a_group_is_suggested_as_others_are(crossstack, group):
    known = next(verb for verb in VERBS if verb.startswith(f"{group} ")).split()[1]
    crossstack(group, known + "x").fails(2, f"did you mean {known!r}?", f"{group} --help)")
