"""Crossbars given as arrays, and the engines that solve them."""
