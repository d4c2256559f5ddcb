"""The harness lies beside the tests and is shared with bench/fuzz.py."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
