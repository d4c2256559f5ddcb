"""Renew components.json: settings, info and ports of every gdsfactory component."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gdsfactory as gf

from crossstack.cells import CELLS
from crossstack.pdk import PDK

GOLDEN = Path(__file__).parent / "components.json"


def described(name: str) -> dict[str, Any]:
    """What a component says about itself, as JSON values."""
    component = gf.get_component(name)
    ports = {
        p.name: f"{p.layer_info.name} {p.x:g} {p.y:g} {p.width:g} {p.orientation:g} {p.port_type}"
        for p in component.ports
    }
    value = {
        "name": component.name,
        "settings": component.settings.model_dump(),
        "info": component.info.model_dump(),
        "ports": ports,
    }
    plain: dict[str, Any] = json.loads(json.dumps(value))
    return plain


def main() -> None:
    """Write the golden file."""
    PDK.activate()
    values = {name: described(name) for name in [*sorted(CELLS), "crossbar_array"]}
    GOLDEN.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    print(GOLDEN.name)


if __name__ == "__main__":
    main()
