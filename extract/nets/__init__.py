"""Nets of a layout, polygon by polygon: names, places, and the network of all of them."""
