"""Versions of everything that decides what a run computes."""

from __future__ import annotations

import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version

#: packages whose version may decide a figure
PACKAGES = ("crossstack", "gdsfactory", "klayout", "numba", "numpy", "scipy", "shapely")


@cache
def _installed() -> dict[str, str]:
    found: dict[str, str] = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # a light installation lacks some
            continue
    return {**found, "python": sys.version.split()[0]}


def versions() -> dict[str, str]:
    """Return package -> version of those that are installed, and Python's own."""
    return dict(_installed())
