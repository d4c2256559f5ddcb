"""What a netlist says, as KLayout's circuits: calls with their parameters and multipliers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable

import klayout.db as db

from ..pdk.others import processes_with
from .bodies import check_body, free_names, hands_on, the_device
from .cards import Cards, Element, Subckt
from .deck import Line, shortened
from .devices import BESIDES, KIND_BY_NAME, OWN_MODELS, DeviceKind, memristor_class
from .nodes import GROUNDS, check_joined, check_names
from .scopes import Scope, Texts
from .values import NoValueError, names_in

#: A channel longer or wider than this, in metres, was written without its unit.
_LARGEST_M = 1e-2

#: Limits: devices and calls of the flat netlist, circuits (a subcircuit makes one for each set of
#: parameters), subcircuits in subcircuits, seconds of computing.
MOST_PARTS = 5_000_000
MOST_CIRCUITS = 200_000
MOST_DEPTH = 100
MOST_SECONDS = 300.0


class Builder:
    """Builds the circuits below one subcircuit, one for each distinct set of parameters."""

    def __init__(self, cards: Cards) -> None:
        self.cards = cards
        self.until = time.process_time() + MOST_SECONDS
        self.netlist = db.Netlist()
        self.netlist.case_sensitive = False  # as the layout's, or their cells do not meet
        self.classes: dict[str, db.DeviceClass] = {}
        for name, kind in KIND_BY_NAME.items():
            made = memristor_class(name) if kind.is_memristor else db.DeviceClassMOS4Transistor()
            made.name = name
            self.netlist.add(made)
            self.classes[name] = made
        self.made: dict[tuple[object, ...], db.Circuit] = {}
        #: devices and calls below a circuit, by its name
        self.parts: dict[str, int] = {}
        self.copies: Counter[str] = Counter()
        #: parameters that a subcircuit and those below it name; global nets that they are on
        self.named: dict[str, frozenset[str]] = {}
        self.joined: dict[str, tuple[str, ...]] = {}
        #: parameters that a device's own subcircuit takes from its callers, once it is checked
        self.free: dict[str, frozenset[str]] = {}
        #: parameters that the devices' own subcircuits name, which may be a caller's
        self.in_bodies = frozenset(
            name for sub in cards.subckts.values() if sub.name.lower() in cards.models
            for name in _named(sub)
        )  # fmt: skip

    def build(self, top: Subckt) -> db.Circuit:
        """Return the circuit of a subcircuit, called with the defaults of its parameters.

        Raises:
            FileError: for what is no device of ours, is not defined, has no finite value, calls
                itself, or becomes too large.
        """
        self._look_below(top)
        return self.circuit(top, self.inside(top, {}, self.cards.scope))

    def calls(self, sub: Subckt) -> dict[str, Line]:
        """Return the subcircuits that one calls, each with a line that does."""
        called: dict[str, Line] = {}
        for one in sub.elements.values():
            model = one.words[-1] if one.words else ""
            if model.lower() in self.cards.models and one.name[0] in "MX":
                continue
            if one.name[0] == "X" and model in called:
                continue  # the thousands of calls in an array are of a few subcircuits
            what = f"{one.name} in {sub.name}"
            if one.name[0] in "MX" and (others := self._of_others(model)):
                whose = f"{model} is a device of {others}, not of this process"
                raise one.line.error(f"{what}: {whose}")
            if one.name[0] == "X" and model not in self.cards.subckts:
                raise one.line.error(f"{what}: subcircuit {model} is called but not defined")
            if one.name[0] != "X":
                model = f"{model} is not" if one.name[0] == "M" else "not"
                raise one.line.error(f"{what}: {model} a device of this process")
            called.setdefault(model, one.line)
        return called

    def _of_others(self, model: str) -> str:
        """Return the processes that a device is of, if a process was chosen and it is not of it.

        Also where the netlist brings a body along for it: that of the other process.
        """
        chosen = len(self.cards.models) > len(OWN_MODELS)
        return " and ".join(processes_with(model)) if chosen else ""

    def _look_below(self, top: Subckt) -> None:
        """Go through the hierarchy once, callees first, without recursion."""
        below = self.calls(top)
        stack = [(top, iter(below.items()), list(below))]
        while stack:
            sub, calls_left, names = stack[-1]
            for name, line in calls_left:
                if name in self.named:
                    continue
                if any(name == one.name for one, *_ in stack):
                    raise line.error(f"subcircuit {name} calls itself")
                if len(stack) >= MOST_DEPTH:
                    raise line.error(f"subcircuits are called more than {MOST_DEPTH} deep")
                callee = self.cards.subckts[name]
                below = self.calls(callee)
                stack.append((callee, iter(below.items()), list(below)))
                break
            else:
                stack.pop()
                self._note(sub, names)

    def _note(self, sub: Subckt, callees: Iterable[str]) -> None:
        """Note which parameters and global nets a subcircuit and those below it name."""
        named = _named(sub).union(self.in_bodies, *(self.named[name] for name in callees))
        self.named[sub.name] = frozenset(named)
        nets = {word for one in sub.elements.values() for word in one.words[:-1]}
        joined = nets & (self.cards.globals | GROUNDS)
        joined = joined.union(*(self.joined[name] for name in callees)) - set(sub.pins)
        check_names(sub, joined)
        if len(GROUNDS & (joined | set(sub.pins))) > 1 and sub.line is not None:
            raise sub.line.error(f".subckt {sub.name} is on 0 and GND, which SPICE takes for one")
        self.joined[sub.name] = tuple(sorted(joined))

    def inside(self, sub: Subckt, given: Texts, outer: Scope) -> Scope:
        """Return the parameters inside a subcircuit that is called with some of its own.

        Args:
            sub: the subcircuit.
            given: what the call gives, m among it.
            outer: the parameters where it is called.

        Raises:
            FileError: for what has no value, or has another one inside than outside: ngspice
                takes some names in a call from there, some from here.
        """
        if not sub.header and not sub.texts and not given:
            return outer
        values = {name: outer.value(text, line, name) for name, (text, line) in given.items()}
        made = Scope({**sub.header, **sub.texts}, outer, **values)
        for name, (text, line) in sub.header.items():
            if name not in values:
                made.values[name] = made.value(text, line, name)
        for name, (text, line) in given.items():
            for other in sorted(names_in(text) - {name}):
                if made.holder(other) is made:
                    _check_same(line, f"{name} = {text[:40]}", other, outer, made)
        return made

    def circuit(self, sub: Subckt, scope: Scope) -> db.Circuit:
        """Return the circuit of a subcircuit with the parameters of `scope`."""
        local = [n for n in self.named[sub.name] if self._is_local(scope, n)]
        try:
            key = (sub.name, *[(n, scope.lookup(n)) for n in sorted(local)])
        except NoValueError as problem:
            raise (sub.line or Line("", self.cards.path, 1)).error(str(problem)) from None
        if key not in self.made:
            circuit = db.Circuit()
            self.copies[sub.name] += 1
            number = self.copies[sub.name]
            circuit.name = sub.name if number == 1 else f"{sub.name}({number})"
            self.netlist.add(circuit)
            _Contents(self, circuit, sub, scope).fill()
            self.made[key] = circuit
        return self.made[key]

    def check(self, body: Subckt, kind: DeviceKind) -> None:
        """Refuse a device's own subcircuit that is another device; each is looked at once."""
        if body.name not in self.free:
            check_body(body, kind, self.cards)
            self.free[body.name] = free_names(body, self.cards)

    def _is_local(self, scope: Scope, name: str) -> bool:
        return scope.holder(name) not in (None, self.cards.scope)


def _named(sub: Subckt) -> set[str]:
    """Return the parameters that a subcircuit names or has."""
    groups: list[Texts] = [sub.header, sub.texts]
    groups += [one.given for one in sub.elements.values() if one.given]
    named = {name for group in groups for text, _ in group.values() for name in names_in(text)}
    return named | sub.header.keys() | sub.texts.keys()


def _check_same(line: Line, what: str, name: str, outer: Scope, made: Scope) -> None:
    here, there = (scope.value(name, line, name) for scope in (outer, made))
    if here != there:
        text = f"{what}: {name} is {here:g} where it is called and {there:g} inside"
        raise line.error(f"{text}, and ngspice takes one or the other by their order")


class _Contents:
    """Fills one circuit."""

    def __init__(self, builder: Builder, circuit: db.Circuit, sub: Subckt, scope: Scope) -> None:
        self.builder, self.circuit, self.sub, self.scope = builder, circuit, sub, scope
        self.nets: dict[str, db.Net] = {}
        self.parts = 0

    def fill(self) -> None:
        for name in (*self.sub.pins, *self.builder.joined[self.sub.name]):
            self.circuit.connect_pin(self.circuit.create_pin(name), self.net(name))
        for one in self.sub.elements.values():
            if one.words[-1].lower() in self.builder.cards.models:
                self.device(one)
            else:
                self.call(one)
        self.builder.parts[self.circuit.name] = self.parts

    def net(self, name: str) -> db.Net:
        """Return a net by its folded name."""
        net = self.nets.get(name)
        if net is None:
            net = self.nets[name] = self.circuit.create_net(name)
        return net

    def count(self, one: Element, parts: int) -> None:
        """Add to the devices and calls of this circuit."""
        self.parts += parts
        if len(self.builder.made) > MOST_CIRCUITS:
            text = f"{self.sub.name}: more than {MOST_CIRCUITS:,} subcircuits of other parameters"
            raise one.line.error(text)
        if time.process_time() > self.builder.until:
            raise one.line.error(f"not read to its end in {MOST_SECONDS:g} s")
        if self.parts > MOST_PARTS:
            text = f"{self.sub.name} has more than {MOST_PARTS:,} devices and calls"
            raise one.line.error(text)

    def check_times(self, one: Element, times: float, whole: bool) -> None:
        """Refuse a multiplier that makes no circuit."""
        if times <= 0 or (whole and times != int(times)):
            allowed = "a whole number from 1 on" if whole else "positive"
            raise one.line.error(f"{one.name}: m = {times:g} is not allowed: {allowed}")

    def check_known(self, one: Element, known: Iterable[str]) -> None:
        """Refuse a parameter that an element does not have."""
        for name in one.given:
            if name != "m" and name not in known:
                raise one.line.error(f"{one.name}: parameter {name} is not known here")

    def call(self, one: Element) -> None:
        builder = self.builder
        sub = builder.cards.subckts[one.words[-1]]
        nets = one.words[:-1]
        if len(nets) != len(sub.pins):
            text = f"{len(nets)} nets, .subckt {sub.name} has {len(sub.pins)} pins"
            raise one.line.error(f"{one.name} in {self.sub.name}: {text}")
        check_joined(one, nets, sub, builder.cards.globals)
        self.check_known(one, sub.header)
        scope = builder.inside(sub, one.given, self.scope)
        # no parameter: what is called does not see it
        times = scope.values.pop("m", 1.0) if "m" in one.given else 1.0
        self.check_times(one, times, whole=True)
        circuit = builder.circuit(sub, scope)
        times = int(times)
        self.count(one, times * (1 + builder.parts[circuit.name]))
        ends = [self.net(name) for name in (*nets, *builder.joined[sub.name])]
        for copy in range(times):
            name = one.name[1:] if copy == 0 else f"{one.name[1:]}*{copy + 1}"
            made = self.circuit.create_subcircuit(circuit, name)
            for number, end in enumerate(ends):
                made.connect_pin(number, end)

    def device(self, one: Element) -> None:
        model = one.words[-1].lower()
        kind = KIND_BY_NAME[self.builder.cards.models[model]]
        nets = [self.net(word) for word in one.words[:-1]]
        what = f"{one.name} in {self.sub.name}"
        if one.name[0] == "M" and kind.is_memristor:
            raise one.line.error(f"{what}: {kind.name} is called with X")
        if len(nets) != len(kind.terminals):
            text = f"{len(nets)} nets, {kind.name} has {len(kind.terminals)}"
            raise one.line.error(f"{what}: {text}")
        sizes = [name.lower() for name in kind.parameters]
        body = self.builder.cards.subckts.get(one.words[-1]) if one.name[0] == "X" else None
        if body is not None:
            self.builder.check(body, kind)
            check_joined(one, one.words[:-1], body, self.builder.cards.globals)
        given = self.own(one, kind) if body is None else self.handed_on(one, kind, body)
        times = given.get("m", 1.0)
        self.check_times(one, times, whole=kind.is_memristor)
        copies = int(times) if kind.is_memristor else 1
        self.count(one, copies)
        values = [self._size(one, name, given) for name in sizes]
        if not kind.is_memristor:
            values[0] *= times
        for copy in range(copies):
            name = one.name if copy == 0 else f"{one.name}*{copy + 1}"
            device = self.circuit.create_device(self.builder.classes[kind.name], name)
            for terminal, net in zip(kind.terminals, nets, strict=True):
                device.connect_terminal(terminal, net)
            for size, value in zip(kind.parameters, values, strict=True):
                device.set_parameter(size, value)

    def own(self, one: Element, kind: DeviceKind) -> dict[str, float]:
        """Return what is given to a device that is not described in the netlist."""
        beside = BESIDES["memristor" if kind.is_memristor else "MOS"]
        sizes = {name.lower() for name in kind.parameters}
        self.check_known(one, sizes | beside)
        on_device = one.name[0] == "M"
        found = {}
        for name, (text, line) in one.given.items():
            others = set() if on_device else names_in(text) & (sizes | beside | {"m"}) - {name}
            if others and name not in beside:
                why = f"ngspice takes {min(others)} from .subckt {one.words[-1]}, not given here"
                raise line.error(f"{one.name}: {name} = {shortened(text)}: {why}")
            if not others:
                found[name] = self.scope.value(text, line, f"{one.name}: {name}", on_device)
        return found

    def handed_on(self, one: Element, kind: DeviceKind, body: Subckt) -> dict[str, float]:
        """Return what a device's own subcircuit makes of its call, sizes and m."""
        scope, call, times = self.scope, one, 1.0
        sizes = {name.lower() for name in kind.parameters}
        beside = BESIDES["memristor" if kind.is_memristor else "MOS"]
        while True:
            last = None if kind.is_memristor else the_device(body)
            self.check_known(call, {*body.header, *(() if last else sizes | beside)})
            scope = self.builder.inside(body, call.given, scope)
            given = body.header.keys() | call.given.keys()
            here = scope.cached("m") if "m" in given else 1.0
            if "m" in body.header and here != 1 and the_device(body) and not hands_on(last, "m"):
                why = f".subckt {body.name} has a parameter m and does not hand it on"
                raise one.line.error(f"{one.name}: m = {here:g} has no effect: {why}")
            if "m" not in body.header or last is None:
                times *= here
            for name in self.builder.free[body.name] if last is None else ():
                if scope.holder(name) is None:
                    why = f"no parameter {name} is defined, which .subckt {body.name} names"
                    raise one.line.error(f"{one.name}: {why}")
            subckts = self.builder.cards.subckts
            if last is None or last.name[0] != "X" or last.words[-1] not in subckts:
                break
            body, call = subckts[last.words[-1]], last
            check_joined(one, one.words[:-1], body, self.builder.cards.globals)
        if hands_on(last, "m"):
            times *= scope.cached("m")
        return {**{name: scope.cached(name) for name in sizes & given}, "m": times}

    def _size(self, one: Element, name: str, given: dict[str, float]) -> float:
        """Return W or L in um, or an area in um2."""
        what = f"{one.name} in {self.sub.name}: {name.upper()}"
        if name not in given:
            raise one.line.error(f"{what} is missing")
        value = given[name]
        if name == "area":
            if value <= 0:
                raise one.line.error(f"{what} = {value:g} is not allowed: positive, in um2")
            return value
        value *= self.builder.cards.scale
        if not 0.0 < value < _LARGEST_M:
            text = f"{what} = {value:g} m is not a size (units such as 2u are needed)"
            raise one.line.error(text)
        return value * 1e6
