"""CrossStack: generate, verify and analyse 3-D memristor crossbars."""

__version__ = "0.2.0"
