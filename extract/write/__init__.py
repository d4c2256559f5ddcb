"""SPICE and SPEF files of a network."""
