"""Models and data that a user names: read without running anything that they hold."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..base.errors import ConfigError, CrossStackError, FileError
from ..base.inputs import regular_file

#: bytes of a model, and of data unpacked
_MOST_MODEL, _MOST_DATA = 2 * 2**30, 4 * 2**30
#: modules that a model may consist of: they run no code of the file's own
_MODULES = (
    nn.Sequential, nn.ModuleList, nn.Linear, nn.Conv2d, nn.Flatten, nn.Unflatten, nn.Identity,
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, nn.Hardtanh,
    nn.Softmax, nn.LogSoftmax, nn.Dropout, nn.Dropout2d, nn.BatchNorm1d, nn.BatchNorm2d,
    nn.LayerNorm, nn.GroupNorm, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.PReLU,
)  # fmt: skip
#: how PyTorch names what it does not load
_FOREIGN = re.compile(r"[Uu]nsupported (?:global: )?GLOBAL (\S+)")
_SETS = ("x", "y", "x_train", "y_train")


def load_model(path: Path) -> nn.Module:
    """Read a model that `torch.save(model, path)` stored, or an ONNX file.

    Raises:
        FileError: if it is no whole file of a model, or holds weights alone.
        ConfigError: for a layer or a node that is not read, or weights that are not finite.
    """
    if path.suffix.lower() == ".onnx":
        from .onnx import load_onnx

        return load_onnx(path)
    regular_file(path, _MOST_MODEL)
    try:
        with torch.serialization.safe_globals(list(_MODULES)):
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise _refusal(path, str(error)) from None
    if not isinstance(found, nn.Module):
        raise FileError(
            f"{path} holds a {type(found).__name__}, not a model: torch.save(model, path) stores "
            "one, torch.save(model.state_dict(), path) its weights alone"
        )
    for name, values in found.state_dict().items():
        if values.is_floating_point() and not torch.isfinite(values).all():
            raise ConfigError(f"{path}: {name!r} holds nan or inf")
    return found.eval()


def _refusal(path: Path, said: str) -> CrossStackError:
    """Say why a file is not read; of what PyTorch says, only the name of a foreign object."""
    named = _FOREIGN.search(" ".join(said.split()))
    if named is None:
        state = "is not a whole file of torch.save" if path.stat().st_size else "is empty"
        return FileError(f"{path} {state}; torch.save(model, path) stores a model")
    layers = ", ".join(sorted(module.__name__ for module in _MODULES))
    return ConfigError(
        f"{path} holds {named[1]}, which is not read from a file; layers that are: {layers}; map "
        "any other model in Python (crossstack.torch.convert)"
    )


def load_data(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read inputs `x` and classes `y`, and for retraining `x_train` and `y_train`, of an .npz.

    Raises:
        FileError: if it cannot be read, or holds anything else.
        ConfigError: for values that do not fit.
    """
    regular_file(path, _MOST_DATA)
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > _MOST_DATA:
                raise FileError(f"{path} unpacks to more than {_MOST_DATA / 2**30:g} GiB")
        with np.load(path, allow_pickle=False) as stored:
            found = {name: stored[name] for name in stored.files}
    except FileError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise FileError(f"{path} is not a readable .npz of arrays ({reason[:160]})") from None
    if unknown := sorted(set(found) - set(_SETS)):
        raise FileError(f"{path} holds {unknown[0]!r}, allowed: {', '.join(_SETS)}")
    for x, y in (("x", "y"), ("x_train", "y_train")):
        if (x in found) != (y in found) or (x == "x" and x not in found):
            raise FileError(f"{path} lacks {y if x in found else x!r}")
        if x in found:
            _check_pair(path, found, x, y)
    return found


def _check_pair(path: Path, found: dict[str, NDArray[np.generic]], x: str, y: str) -> None:
    values, classes = found[x], found[y]
    if values.dtype.kind not in "fiu" or values.ndim < 2 or not values.size:
        raise ConfigError(
            f"{path}: {x} is {values.dtype} {values.shape}, allowed: numbers, one vector or more"
        )
    if not np.isfinite(values.astype(np.float64)).all():
        raise ConfigError(f"{path}: {x} holds nan or inf")
    if classes.dtype.kind not in "iu" or classes.shape != values.shape[:1]:
        raise ConfigError(
            f"{path}: {y} is {classes.dtype} {classes.shape}, allowed: whole numbers "
            f"({len(values)},)"
        )
    if int(classes.min()) < 0:
        raise ConfigError(f"{path}: {y} holds {int(classes.min())}, allowed: 0 or more")
