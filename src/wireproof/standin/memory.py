"""Memory that was needed for something large, given back to the system.

The C library keeps what is free in pieces between what is not: after a few bodies of 64 MiB that is a tenth of all
there is (benchmarks/abuse.py: 125 MiB before, 138 after ten rounds; 112 and 117 with this).
"""

from __future__ import annotations

import contextlib
import ctypes

LARGE_BYTES = 256 * 1024


def give_back() -> None:
    """Takes some milliseconds with glibc; other C libraries have no such call, and nothing happens."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
