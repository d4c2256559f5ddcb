"""Polygons of each net -> resistances and capacitances -> network, SPICE, SPEF."""
