"""Seeded damage to input files: bytes of any file, and the structure of the kinds we read.

A mutation takes a random generator and the bytes of a valid file and returns other bytes. The
same generator state gives the same bytes, so that a finding can be made again from its seed.
"""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable

import numpy as np

Mutation = Callable[[random.Random, bytes], bytes]

#: what people, other tools and attackers put where a value stands
WORDS = (
    *(
        "",
        "0",
        "-1",
        "1e999",
        "-1e999",
        "nan",
        "inf",
        "1e-400",
        "017",
        "0x10",
        "1_000",
        "2026-01-01",
    ),
    *("9" * 400, "true", "null", "~", "[]", "{}", "[[[[", "(((((((", "'", '"', "\\", "\t", "\x00"),
    *(
        "é",
        "\ufeff",
        "\u202e",
        "%s%n",
        "${HOME}",
        "../../etc",
        "/dev/zero",
        "&a",
        "*a",
        "!!python/x",
    ),
    *("m=2", ".if (0)", ".endif", ".include /dev/zero", ".lib x y", ".param w={w}", "+ W=1u"),
    *(".connect a b", ".ends", ".subckt x a", "X1 a b x", "* comment", "; c", "$ c", "{1/0}"),
    *("1meg", "1u", "1mil", "2.5um", "1e3k", "rows", "=", ":", ",", "#", "- ", "|", ">", "@"),
)
#: numbers that sit on the edges of the types that files use
EDGES = (0, 1, -1, 2, 127, 128, 255, 256, 32767, -32768, 65535, 2**31 - 1, -(2**31), 2**32 - 1)


def flip(rng: random.Random, data: bytes) -> bytes:
    """Change up to eight bytes."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def cut(rng: random.Random, data: bytes) -> bytes:
    """Keep the beginning only."""
    return data[: rng.randrange(len(data) + 1)]


def remove(rng: random.Random, data: bytes) -> bytes:
    """Take a piece out."""
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.choice((1, 2, 7, 64, 1000)) :]


def repeat(rng: random.Random, data: bytes) -> bytes:
    """Write a piece several times."""
    start = rng.randrange(len(data) + 1)
    piece = data[start : start + rng.choice((1, 4, 40, 400))]
    return data[:start] + piece * rng.choice((2, 3, 50)) + data[start:]


def insert(rng: random.Random, data: bytes) -> bytes:
    """Put random bytes in."""
    start = rng.randrange(len(data) + 1)
    return data[:start] + rng.randbytes(rng.choice((1, 3, 16))) + data[start:]


def overwrite(rng: random.Random, data: bytes) -> bytes:
    """Set a two- or four-byte number to an edge of its type."""
    width = rng.choice((2, 4))
    if len(data) < width:
        return data
    start = rng.randrange(len(data) - width + 1)
    value = rng.choice(EDGES) % (1 << 8 * width)
    order = rng.choice(("big", "little"))
    return data[:start] + value.to_bytes(width, order) + data[start + width :]  # type: ignore[arg-type]


BYTES: tuple[Mutation, ...] = (flip, cut, remove, repeat, insert, overwrite)


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").split("\n")


def swap_word(rng: random.Random, data: bytes) -> bytes:
    """Put something else where a word or value stands."""
    lines = _lines(data)
    filled = [k for k, line in enumerate(lines) if line.split()]
    if not filled:
        return data
    k = rng.choice(filled)
    words = lines[k].split(" ")
    at = rng.randrange(len(words))
    word = rng.choice(WORDS)
    name, equal, _ = words[at].partition("=")
    words[at] = f"{name}={word}" if equal and rng.random() < 0.7 else word
    lines[k] = " ".join(words)
    return "\n".join(lines).encode("utf-8", "replace")


def shuffle_lines(rng: random.Random, data: bytes) -> bytes:
    """Delete, double, move, join or split a line."""
    lines = _lines(data)
    k, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    what = rng.randrange(5)
    if what == 0:
        del lines[k]
    elif what == 1:
        lines.insert(other, lines[k])
    elif what == 2:
        lines[k], lines[other] = lines[other], lines[k]
    elif what == 3 and k + 1 < len(lines):
        lines[k : k + 2] = [lines[k] + lines[k + 1]]
    else:
        at = rng.randrange(len(lines[k]) + 1)
        lines[k : k + 1] = [lines[k][:at], rng.choice(("", "+", " ")) + lines[k][at:]]
    return "\n".join(lines).encode()


def insert_line(rng: random.Random, data: bytes) -> bytes:
    """Add a line made of things that have a meaning somewhere."""
    lines = _lines(data)
    words = [rng.choice(WORDS) for _ in range(rng.randint(1, 4))]
    lines.insert(rng.randrange(len(lines) + 1), " ".join(words))
    return "\n".join(lines).encode("utf-8", "replace")


def other_encoding(rng: random.Random, data: bytes) -> bytes:
    """Write the text in another encoding or with other line ends."""
    text = data.decode("utf-8", "replace")
    return rng.choice(
        (
            b"\xef\xbb\xbf" + text.encode(),
            text.encode("utf-16"),
            text.replace("\n", "\r\n").encode(),
            text.replace("\n", "\r").encode(),
            text.replace("\n", "\n\n").encode(),
            text.upper().encode(),
            text.encode() + b"\xff\xfe\x9c=",
        )
    )


TEXT: tuple[Mutation, ...] = (swap_word, swap_word, shuffle_lines, insert_line, other_encoding)


def _records(data: bytes) -> list[bytes]:
    """Return the records of a GDS stream; what does not parse is the last one."""
    found, at = [], 0
    while at + 4 <= len(data):
        size = struct.unpack_from(">H", data, at)[0]
        if size < 4:
            break
        found.append(data[at : at + size])
        at += size
    return [*found, data[at:]]


def gds_records(rng: random.Random, data: bytes) -> bytes:
    """Delete, double, swap or change a record of a GDS stream."""
    records = _records(data)
    k, other = rng.randrange(len(records)), rng.randrange(len(records))
    what = rng.randrange(5)
    if what == 0:
        del records[k]
    elif what == 1:
        records.insert(other, records[k])
    elif what == 2:
        records[k], records[other] = records[other], records[k]
    elif what == 3 and len(records[k]) >= 6:
        record = bytearray(records[k])
        width = 4 if record[3] == 3 and len(record) >= 8 else 2
        at = 4 + width * rng.randrange((len(record) - 4) // width)
        record[at : at + width] = (rng.choice(EDGES) % (1 << 8 * width)).to_bytes(width, "big")
        records[k] = bytes(record)
    elif len(records[k]) >= 4:
        records[k] = records[k][:2] + bytes([rng.randrange(60), rng.randrange(8)]) + records[k][4:]
    return b"".join(records)


def _member(rng: random.Random, values: np.ndarray) -> np.ndarray:
    """Return an array of an archive with another type, shape or value."""
    what = rng.randrange(6)
    if what == 0:
        kind = rng.choice(("?", "i1", "u2", "i4", "u8", "f2", "f4", "c16", "U3", "S5", ">f8"))
        with np.errstate(all="ignore"):
            try:
                return values.astype(kind)
            except (ValueError, TypeError, OverflowError):
                return np.zeros(values.shape, kind)
    if what == 1:
        return values.reshape(-1)[: rng.randrange(values.size + 1)]
    if what == 2:
        return np.concatenate([values.reshape(-1)] * 2)
    if what == 3:
        return values.reshape((1, *values.shape))
    changed = values.copy().reshape(-1)
    if changed.size and changed.dtype.kind in "fiub":
        whole = changed.dtype.kind != "f"
        value = rng.choice(EDGES) if whole else rng.choice((np.nan, np.inf, -np.inf, -1.0, 1e300))
        with np.errstate(all="ignore"):
            changed[rng.randrange(changed.size)] = np.array(value).astype(changed.dtype)
    return changed.reshape(values.shape)


def npz_members(rng: random.Random, data: bytes) -> bytes:
    """Change, drop, rename or add an array of an archive."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            members = {name: archive[name] for name in archive.files}
    except Exception:  # an earlier change broke the archive, in whatever way
        return flip(rng, data)
    if not members:
        return flip(rng, data)
    name = rng.choice(sorted(members))
    what = rng.randrange(8)
    if what == 0:
        del members[name]
    elif what == 1:
        members[name + "x"] = members.pop(name)
    elif what == 2:
        members["extra"] = np.arange(3)
    else:
        members[name] = _member(rng, members[name])
    out = io.BytesIO()
    np.savez(out, **members)  # type: ignore[arg-type]
    return out.getvalue()


#: kind of file -> mutations that know its structure; every kind takes BYTES too
STRUCTURE: dict[str, tuple[Mutation, ...]] = {
    ".gds": (gds_records,),
    ".oas": (),
    ".npz": (npz_members,),
    ".npy": (),
    ".spice": TEXT,
    ".yaml": TEXT,
    ".json": TEXT,
    ".csv": TEXT,
}


def mutate(seed: int, suffix: str, data: bytes) -> bytes:
    """Return a damaged copy of a file: one to three mutations, chosen by the seed.

    Args:
        seed: chooses the mutations and all that they choose.
        suffix: kind of file, a key of `STRUCTURE`.
        data: bytes of a valid file.
    """
    rng = random.Random(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        known = STRUCTURE[suffix]
        mutations = known if known and rng.random() < 0.6 else BYTES
        data = rng.choice(mutations)(rng, data)
    return data
