"""CrossStack: generate, verify and analyse 3-D memristor crossbars."""

__version__ = "0.1.0"
