"""Resistance of a wire of a film: its potential field, and the resistors that stand for it."""
