"""Device classes and their recognition: MOS transistors and the two memristor tiers.

Terminals lie on layers of their own (``nfet.S``, ``memristor_top.ME``), joined to the
conductor they touch. Conductors so keep only drawn polygons, and each terminal's place can
be read back from the device.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import klayout.db as db

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..pdk.nets import Device, Nets


@dataclass(frozen=True)
class DeviceKind:
    """One kind of device.

    Attributes:
        name: class name in netlists.
        terminals: names of its terminals in netlist order; the process says what they touch.
        parameters: names of the compared parameters (um or um2).
    """

    name: str
    terminals: tuple[str, ...]
    parameters: tuple[str, ...]

    @property
    def is_memristor(self) -> bool:
        """True for the two memristor tiers."""
        return self.parameters == ("AREA",)

    def terminal_layer(self, terminal: str) -> str:
        """Return the name of the layer on which the shapes of a terminal lie."""
        return f"{self.name}.{terminal}"


_MOS, _WL = ("D", "G", "S", "B"), ("W", "L")

#: Drain, gate, source, bulk as in SPICE; a memristor's first terminal is its row side.
KINDS: tuple[DeviceKind, ...] = (
    DeviceKind("nfet", _MOS, _WL),
    DeviceKind("pfet", _MOS, _WL),
    DeviceKind("memristor_bottom", ("ROW", "ME"), ("AREA",)),
    DeviceKind("memristor_top", ("ROW", "ME"), ("AREA",)),
)


def kinds_of(nets: Nets) -> tuple[DeviceKind, ...]:
    """Return the kinds that a process and its module have."""
    known = {device.name for device in nets.devices}
    return tuple(kind for kind in KINDS if kind.name in known)


KIND_BY_NAME: dict[str, DeviceKind] = {kind.name: kind for kind in KINDS}

#: Parameters that do not change which device it is: parasitics of source and drain, stress,
#: statistics, temperature, fingers (W is that of all of them); the resistance of a memristor.
BESIDES = {
    "MOS": frozenset(
        re.findall(r"\w+", "as ad ps pd nrs nrd sa sb sd nf par dtemp temp geo geomod")
    ),
    "memristor": frozenset(("r",)),
}

#: Names of our devices in netlists that are ours; a process adds what its own tools call them.
OWN_MODELS: Mapping[str, str] = {name: name for name in KIND_BY_NAME}


def memristor_class(name: str) -> db.DeviceClass:
    """Return a new device class of a memristor: terminals ROW and ME, parameter AREA in um2."""
    made = db.DeviceClass()
    made.name = name
    made.add_terminal(db.DeviceTerminalDefinition("ROW", "row-side electrode"))
    made.add_terminal(db.DeviceTerminalDefinition("ME", "shared middle electrode"))
    made.add_parameter(db.DeviceParameterDefinition("AREA", "area in um2", 0.0, True))
    return made


class MemristorExtractor(db.GenericDeviceExtractor):
    """Recognises each polygon of film between two electrodes as one memristor."""

    def __init__(self, name: str) -> None:
        """Create an extractor for one tier; `name` is the device class."""
        super().__init__()
        self.name = name

    def setup(self) -> None:
        """Define the layers and the device class (called by KLayout)."""
        self.define_layer("X", "films between both electrodes")
        self.define_layer("ROW", "terminal of the row-side electrode")
        self.define_layer("ME", "terminal of the middle electrode")
        self.register_device_class(memristor_class(self.name))

    def get_connectivity(self, layout: db.Layout, layers: Sequence[int]) -> db.Connectivity:
        """Group shapes of the device body only (called by KLayout)."""
        body = db.Connectivity()
        body.connect(layers[0], layers[0])
        return body

    def extract_devices(self, layer_geometry: Sequence[db.Region]) -> None:
        """Create one device for each polygon (called by KLayout once per distinct cluster)."""
        for polygon in layer_geometry[0].merged().each():
            device = self.create_device()
            device.set_parameter("AREA", polygon.area() * self.dbu() ** 2)
            self.define_terminal(device, 0, 1, polygon)
            self.define_terminal(device, 1, 2, polygon)


def extract_kind(
    l2n: db.LayoutToNetlist, kind: DeviceKind, made_of: Device, regions: dict[str, db.Region]
) -> dict[str, db.Region]:
    """Recognise all devices of one kind; returns the terminal layers by name.

    Args:
        l2n: the extraction that is being made.
        kind: the kind.
        made_of: what the process makes it of.
        regions: layers by name.
    """
    outputs = {}
    for terminal in kind.terminals:
        outputs[terminal] = l2n.make_polygon_layer(kind.terminal_layer(terminal))
    layers: dict[str, db.ShapeCollection] = {}
    if kind.is_memristor:
        layers |= outputs
        layers["X"] = regions[made_of.body]
        l2n.extract_devices(MemristorExtractor(kind.name), layers)
    else:
        layers |= {f"t{terminal}": layer for terminal, layer in outputs.items()}
        layers |= {"SD": regions[made_of.conductor("S")], "G": regions[made_of.body]}
        layers |= {"P": regions[made_of.conductor("G")], "W": outputs["B"]}
        l2n.extract_devices(db.DeviceExtractorMOS4Transistor(kind.name), layers)
    return {kind.terminal_layer(terminal): layer for terminal, layer in outputs.items()}
