"""Accuracy of the resistance engine, and its run time over array size."""

from __future__ import annotations

from crossstack.extract.study import accuracy_table

METHODS = ("square", "tesselation", "fine", "ours")


def print_accuracy() -> None:
    print("Squares between two ports; error against the closed form, or against the field.")
    print(f"{'pattern':<28}{'hand':>10}{'field':>10}" + "".join(f"{m:>20}" for m in METHODS))
    for row in accuracy_table():
        hand = "-" if row.hand is None else f"{row.hand:.4f}"
        cells = "".join(f"{getattr(row, m):>11.4f} {100 * row.error(m):+7.2f}%" for m in METHODS)
        print(f"{row.name:<28}{hand:>10}{row.field:>10.4f}{cells}")


if __name__ == "__main__":
    print_accuracy()
