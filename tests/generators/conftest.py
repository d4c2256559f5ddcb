"""Lets tests import what they draw from beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
