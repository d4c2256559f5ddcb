"""Circuits of resistors and the laws of devices: factorised, solved exactly, Newton."""
