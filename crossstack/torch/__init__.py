"""Layers of PyTorch that compute on crossbars: exact through the wires, forward and backward.

`CrossbarLinear` and `CrossbarConv2d` put weights on the devices of an extracted network or build
(`Array.extracted`), or of crossbars of stated line resistances (`Array.ideal`); `Readout` says how
weights become conductances and inputs become voltages. `convert` maps a trained model. Needs
PyTorch, which nothing else of crossstack does: ``pip install 'crossstack[torch]'``.
"""

from __future__ import annotations

try:
    import torch  # noqa: F401
except ImportError as error:
    raise ImportError("crossstack.torch needs PyTorch: pip install 'crossstack[torch]'") from error

from ..mapping.arrays import Array
from .convert import calibrate_model, convert, crossbar_layers, effective_matrices
from .function import currents
from .layers import CrossbarConv2d, CrossbarLinear
from .readout import Readout

__all__ = [
    "Array",
    "CrossbarConv2d",
    "CrossbarLinear",
    "Readout",
    "calibrate_model",
    "convert",
    "crossbar_layers",
    "currents",
    "effective_matrices",
]
