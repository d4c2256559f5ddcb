"""Parameters of a netlist where they can be seen, and their values."""

from __future__ import annotations

from .deck import Line
from .values import NoValueError, evaluate, names_in

#: lower-case name -> text and line of its definition.
Texts = dict[str, tuple[str, Line]]


class Scope:
    """Parameters that can be seen somewhere: of a subcircuit's call, and outside of it.

    As in ngspice, a name that a subcircuit does not define is looked up where it is called.
    """

    def __init__(self, texts: Texts, outer: Scope | None = None, **values: float) -> None:
        self.texts, self.outer, self.values = texts, outer, dict(values)

    def holder(self, name: str) -> Scope | None:
        """Return the innermost scope that defines a name."""
        scope: Scope | None = self
        while scope is not None and name not in scope.values and name not in scope.texts:
            scope = scope.outer
        return scope

    def lookup(self, name: str) -> float:
        """Return the value of a parameter.

        Raises:
            NoValueError: if it is not defined, needs itself or has no value.
        """
        open_: dict[tuple[int, str], None] = {}
        stack: list[tuple[Scope, str]] = [(self, name)]
        while stack:
            scope, wanted = stack[-1]
            holder = scope.holder(wanted)
            if holder is None:
                raise NoValueError(f"no parameter {wanted[:40]} is defined")
            key = (id(holder), wanted)
            if wanted in holder.values:
                open_.pop(key, None)
                stack.pop()
                continue
            text, line = holder.texts[wanted]
            needs = [n for n in sorted(names_in(text)) if not holder.known(n)]
            if key not in open_ and needs:
                open_[key] = None
                stack += [(holder, n) for n in needs]
                continue
            if needs:
                raise NoValueError(f"parameter {wanted[:40]} needs its own value")
            try:
                holder.values[wanted] = evaluate(text, holder.cached)
            except NoValueError as problem:
                raise line.error(f"{wanted} = {problem}") from None
        return self.cached(name)

    def known(self, name: str) -> bool:
        """True if the value of a name is computed already."""
        holder = self.holder(name)
        return holder is not None and name in holder.values

    def cached(self, name: str) -> float:
        """Return a value that is computed already."""
        holder = self.holder(name)
        if holder is None:
            raise NoValueError(f"no parameter {name[:40]} is defined")
        return holder.values[name]

    def value(self, text: str, line: Line, what: str, on_device: bool = False) -> float:
        """Return the value of an expression.

        Args:
            text: the value as written.
            line: where it stands.
            what: its name, for a message.
            on_device: it stands on a device's own line or is an option, not a parameter.

        Raises:
            FileError: if it has none; names line, thing and value.
        """
        try:
            return evaluate(text, self.lookup, on_device)
        except NoValueError as problem:
            raise line.error(f"{what} = {text[:20]} is no value: {problem}") from None
