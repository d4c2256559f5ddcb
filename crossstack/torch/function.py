"""Column currents as a function that PyTorch can differentiate."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..solve.circuit.iv import Sinh
from ..solve.network.prepared import Bent, Linear, Prepared

Floats = NDArray[np.float64]

#: effective matrices that are kept for evaluation without gradients
_KEPT = 512
_matrices: OrderedDict[tuple[int, bytes], tuple[Prepared, Floats, Floats]] = OrderedDict()


def currents(
    array: Prepared, g: torch.Tensor, volts: torch.Tensor, b: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the current out of every output, A, shape (vectors, outputs), in double precision.

    Args:
        array: the array.
        g: conductance of every device that carries current, S, in the array's order.
        volts: of every input, V, shape (vectors, inputs).
        b: of the law I = G sinh(b V) / b, 1/V; None for linear devices.
    """
    g, volts = g.double(), volts.double()
    b = None if b is None else b.double()
    result: torch.Tensor = _Currents.apply(array, g, volts, b)
    return result


def _numbers(tensor: torch.Tensor) -> Floats:
    out: Floats = tensor.detach().cpu().numpy()
    return out


class _Currents(torch.autograd.Function):
    """One solve forward, one adjoint solve backward."""

    @staticmethod
    def forward(
        ctx: Any,
        array: Prepared,
        g: torch.Tensor,
        volts: torch.Tensor,
        b: torch.Tensor | None,
    ) -> torch.Tensor:
        """Solve; see `currents`."""
        siemens, v = _numbers(g), array.volts(_numbers(volts))
        # the same check as for arrays of conductances
        siemens = array.devices(array.spread(siemens))
        needs = any(ctx.needs_input_grad)
        ctx.array, ctx.law, ctx.linear, ctx.bent = array, None, None, []
        if b is None:
            if not needs and len(v) >= len(array.outputs):
                out = _by_matrix(array, siemens, v)
            else:
                ctx.linear = Linear(array, siemens, len(v))
                out = ctx.linear.currents(v)
        else:
            ctx.law = Sinh(float(b))
            found = []
            for some in array.pieces(v):
                bent = Bent(array, siemens, ctx.law, some)
                found.append(bent.amps)
                if needs:
                    ctx.bent.append(bent)
            out = np.concatenate(found)
        ctx.save_for_backward(g, volts)
        return torch.from_numpy(np.ascontiguousarray(out)).to(volts.device)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        """Solve the adjoint circuit: the outputs are driven, at the devices' tangents.

        Raises:
            RuntimeError: if derivatives of these derivatives are to follow. Left to PyTorch, some
                of them were 0 without a word.
        """
        if torch.is_grad_enabled():
            raise RuntimeError(
                "a crossbar layer has first derivatives only: call backward or grad without "
                "create_graph=True"
            )
        g, volts = ctx.saved_tensors
        weights = np.ascontiguousarray(_numbers(grad.double()))
        by_b: torch.Tensor | None = None
        if ctx.law is None:
            by_g, by_v = ctx.linear.gradients(_numbers(volts), weights)
        else:
            by_g, by_v, slope = _bent_gradients(ctx, weights)
            by_b = torch.tensor(slope, dtype=g.dtype, device=g.device)
        return (
            None,
            torch.from_numpy(by_g).to(g.device),
            torch.from_numpy(np.ascontiguousarray(by_v)).to(volts.device),
            by_b,
        )


def _bent_gradients(ctx: Any, weights: Floats) -> tuple[Floats, Floats, float]:
    by_g, by_v, by_b, at = np.zeros(ctx.array.size), [], 0.0, 0
    for bent in ctx.bent:
        count = len(bent.amps)
        g, v, adjoint = bent.gradients(weights[at : at + count])
        at += count
        by_g = by_g + g
        by_v.append(v)
        b, u = ctx.law.b, bent.drops
        rise = bent.g * (u * np.cosh(b * u) - np.sinh(b * u) / b) / b
        by_b += float((rise * adjoint).sum())
    return by_g, np.concatenate(by_v), by_b


def _by_matrix(array: Prepared, siemens: Floats, volts: Floats) -> Floats:
    """Currents by the effective matrix, which is kept: evaluation goes batch by batch."""
    key = id(array), hashlib.sha256(siemens.tobytes()).digest()
    if key not in _matrices:
        cells = array.spread(siemens)
        _matrices[key] = array, array.matrix(cells), array.constant(cells)
        if len(_matrices) > _KEPT:
            _matrices.popitem(last=False)
    _matrices.move_to_end(key)
    _, matrix, constant = _matrices[key]
    out: Floats = volts @ matrix.T + constant
    return out
