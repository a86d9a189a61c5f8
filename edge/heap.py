"""The C library's heap: what is done with is given back to the system, for a box runs for months.

glibc keeps what was freed, and keeps it the longer the larger it was: the first picture that FFmpeg
decodes while it probes teaches it to hold on to blocks of 3 MB, in one heap a thread. Where the C
library is another one, nothing happens here.
"""

import ctypes

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # <malloc.h>
#: glibc's own first value; said by us, it stays that.
_OWN_MAPPING_BYTES = 128 * 1024

_C = ctypes.CDLL(None)


def keep_large_blocks_apart() -> None:
    """Let each large block be a mapping of its own, gone when it is freed; call it at the start.

    All threads share one heap: Python lets one of them run at a time anyway, and what is free in
    the heap of one was no use to the others.
    """
    adjust = getattr(_C, "mallopt", None)
    if adjust is not None:
        adjust(_M_MMAP_THRESHOLD, _OWN_MAPPING_BYTES)
        adjust(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Give back what is free in all threads' heaps; takes milliseconds."""
    trim = getattr(_C, "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(0))
