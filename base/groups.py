"""What belongs together: numbers that are joined one pair after the other."""

from __future__ import annotations


class Groups:
    """Groups of numbers; each is alone until it is joined with another."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}

    def of(self, number: int) -> int:
        """Return the number that stands for a number's group."""
        above = self._next
        while (up := above.setdefault(number, number)) != number:
            above[number] = above[up]
            number = above[number]
        return number

    def join(self, a: int, b: int) -> None:
        """Make one group of two."""
        self._next[self.of(a)] = self.of(b)
