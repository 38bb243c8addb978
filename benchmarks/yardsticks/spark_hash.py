"""Spark's xxhash64 of a text, which chooses the night's validation users; DuckDB lacks it.

XXH64 (Y. Collet), for one text after another the hash of the former being the latter's seed; Spark
begins with 42. Python, a text at a time: for a benchmark's preparation.
"""

from __future__ import annotations

SPARK_SEED = 42
_MASK = (1 << 64) - 1
_P1, _P2, _P3, _P4, _P5 = (
    0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)  # fmt: skip


def xxhash64(text: bytes, seed: int = SPARK_SEED) -> int:
    """The hash of a text of under 32 bytes, as a signed number of 64 bits."""
    if len(text) >= 32:
        raise ValueError(f"{text!r} has {len(text)} bytes, expected under 32, as synthetic ids.")
    value, place = (seed + _P5 + len(text)) & _MASK, 0
    while place + 8 <= len(text):
        block = int.from_bytes(text[place : place + 8], "little")
        block = (_rotated((block * _P2) & _MASK, 31) * _P1) & _MASK
        value = (_rotated(value ^ block, 27) * _P1 + _P4) & _MASK
        place += 8
    if place + 4 <= len(text):
        block = (int.from_bytes(text[place : place + 4], "little") * _P1) & _MASK
        value = (_rotated(value ^ block, 23) * _P2 + _P3) & _MASK
        place += 4
    for byte in text[place:]:
        value = (_rotated(value ^ ((byte * _P5) & _MASK), 11) * _P1) & _MASK
    value = ((value ^ (value >> 33)) * _P2) & _MASK
    value = ((value ^ (value >> 29)) * _P3) & _MASK
    value ^= value >> 32
    return value - (1 << 64) if value >> 63 else value


def _rotated(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (64 - bits))) & _MASK
