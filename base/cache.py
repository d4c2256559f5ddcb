"""The user's cache folder: what was fetched or worked out once."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of the cache (not created).

    Raises:
        RuntimeError: if nothing says where the user's home is.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # a relative path is invalid by the standard that names the variable
    return (base if base.is_absolute() else Path.home() / ".cache") / "crossstack"
