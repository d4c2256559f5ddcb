"""Modes: what every pin carries, and what becomes of a write."""
