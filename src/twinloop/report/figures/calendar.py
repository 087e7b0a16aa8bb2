"""The shape of a year: months, and hourly columns as pictures of day by hour."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

from twinloop.arrays import FloatArray

HOURS, DAYS = 24, 365
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MONTH_STARTS = tuple(sum(MONTH_DAYS[:month]) for month in range(12))
ROUND_OFF = 1e-9
"""Share of an hourly column's largest value below which the rest is round-off of its sums."""
RAMP = ("#0d1b3e", "#173f6d", "#1f6a86", "#459a92", "#93bf8c", "#dcd893", "#fdf3c4")
"""Lightness rises steadily from first to last, so it reads without colour too."""


def is_year(values: FloatArray | None) -> bool:
    """Say whether ``values`` are 8760 finite hours."""
    return values is not None and values.shape == (HOURS * DAYS,) and bool(np.isfinite(values).all())


def settled(values: FloatArray) -> FloatArray:
    """Return ``values`` with what a machine at rest leaves as zero: below :data:`ROUND_OFF` of the largest.

    >>> settled(np.array([7e3, 2e-9, 0.3])).tolist()
    [7000.0, 0.0, 0.3]
    """
    small = np.abs(values) <= ROUND_OFF * float(np.max(np.abs(values), initial=0.0))
    return np.where(small, 0.0, values)


def by_month(values: FloatArray) -> list[FloatArray]:
    """Return the hours of each month.

    >>> [len(month) for month in by_month(np.zeros(8760))][:2]
    [744, 672]
    """
    return [
        values[start * HOURS : (start + days) * HOURS] for start, days in zip(MONTH_STARTS, MONTH_DAYS, strict=True)
    ]


def ramp_rgb(share: FloatArray) -> np.ndarray:
    """Return colours of :data:`RAMP`, shape (..., 3) of bytes, at ``share`` in 0 to 1."""
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in RAMP], dtype=float)
    at = np.clip(share, 0.0, 1.0) * (len(stops) - 1)
    return np.stack([np.interp(at, np.arange(len(stops)), stops[:, i]) for i in range(3)], axis=-1).astype(np.uint8)


def ramp_hex(share: float) -> str:
    """Return one colour of the ramp.

    >>> ramp_hex(0.0), ramp_hex(1.0)
    ('#0d1b3e', '#fdf3c4')
    """
    red, green, blue = (int(value) for value in ramp_rgb(np.array(share)))
    return f"#{red:02x}{green:02x}{blue:02x}"


def png(rgb: np.ndarray) -> str:
    """Return ``rgb``, shape (rows, columns, 3) of bytes, as the data URI of a PNG (RFC 2083).

    A map of 8760 cells takes about 10 kB so, and half a megabyte as rectangles.
    """
    rows, wide, _ = rgb.shape
    raw = b"".join(b"\0" + rgb[row].tobytes() for row in range(rows))
    head = struct.pack(">IIBBBBB", wide, rows, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(raw, 9)) + _chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunks).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
