import sys
from pathlib import Path

# the pattern modules beside the tests, which pytest's importlib mode does not find by itself
sys.path.insert(0, str(Path(__file__).parent))
