"""Black box in Verilog: the ports of a block, for synthesis and for a chip's netlist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .ports import PortGroup

#: macro of the open flows under which supplies are ports
POWER_DEFINE = "USE_POWER_PINS"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*\Z")
#: reserved words of IEEE 1800-2017 (Annex B), those of Verilog among them
_WORDS = """
    accept_on alias always always_comb always_ff always_latch and assert assign assume automatic
    before begin bind bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle
    checker class clocking cmos config const constraint context continue cover covergroup
    coverpoint cross deassign default defparam design disable dist do edge else end endcase
    endchecker endclass endclocking endconfig endfunction endgenerate endgroup endinterface
    endmodule endpackage endprimitive endprogram endproperty endsequence endspecify endtable
    endtask enum event eventually expect export extends extern final first_match for force foreach
    forever fork forkjoin function generate genvar global highz0 highz1 if iff ifnone ignore_bins
    illegal_bins implements implies import incdir include initial inout input inside instance int
    integer interconnect interface intersect join join_any join_none large let liblist library
    local localparam logic longint macromodule matches medium modport module nand negedge nettype
    new nexttime nmos nor noshowcancelled not notif0 notif1 null or output package packed parameter
    pmos posedge primitive priority program property protected pull0 pull1 pulldown pullup
    pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence rcmos real
    realtime ref reg reject_on release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1
    s_always s_eventually s_nexttime s_until s_until_with scalared sequence shortint shortreal
    showcancelled signed small soft solve specify specparam static string strong strong0 strong1
    struct super supply0 supply1 sync_accept_on sync_reject_on table tagged task this throughout
    time timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef
    union unique unique0 unsigned until until_with untyped use uwire var vectored virtual void wait
    wait_order wand weak weak0 weak1 while wildcard wire with within wor xnor xor
    """
_RESERVED = frozenset(_WORDS.split())


def identifier(name: str) -> str:
    """Return a name as Verilog writes it, escaped where it must be."""
    return name if _PLAIN.match(name) and name not in _RESERVED else f"\\{name} "


def black_box_lines(name: str, groups: Sequence[PortGroup], words: str) -> Iterator[str]:
    """Yield a module without contents.

    Args:
        name: of the block.
        groups: its ports.
        words: what it is, for a comment.
    """
    yield f"// {name}: {words}"
    yield "// Rows and columns are analogue: a chip's netlist joins them, no logic drives them."
    yield "(* blackbox *)"
    yield f"module {identifier(name)} ("
    yield from port_lines(groups)
    yield ");"
    yield "endmodule"


def port_lines(groups: Sequence[PortGroup]) -> Iterator[str]:
    """Yield the declarations between the brackets of a module.

    Args:
        groups: ports, supplies among them.
    """
    supplies = [g for g in groups if g.pins[0].role.supply]
    rest = [g for g in groups if not g.pins[0].role.supply]
    if supplies:
        yield f"`ifdef {POWER_DEFINE}"
        for k, group in enumerate(supplies):
            comma = "," if rest or k < len(supplies) - 1 else ""
            yield f"    inout {identifier(group.name)}{comma}"
        yield "`endif"
    for k, group in enumerate(rest):
        comma = "," if k < len(rest) - 1 else ""
        yield f"    {group.direction} {group.range}{identifier(group.name)}{comma}"
