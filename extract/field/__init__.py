"""Capacitances between wires, and the delays that follow from them."""
