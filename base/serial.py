"""KLayout's work in the hierarchy, done in this thread.

With the one worker that KLayout starts by itself, every operation waits for some 13 ms until the
worker's end is noticed: most of the time that small cells take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import klayout.db as db


def shape_store() -> db.DeepShapeStore:
    """Return a store for regions that keep the hierarchy."""
    import klayout.db as db

    store = db.DeepShapeStore()
    store.threads = 0
    return store


def net_list(*source: object) -> db.LayoutToNetlist:
    """Return an empty net list of shapes (a `RecursiveShapeIterator`), or of flat regions.

    Args:
        source: as for `klayout.db.LayoutToNetlist`.
    """
    import klayout.db as db

    found = db.LayoutToNetlist(*source)
    found.threads = 0
    return found
