"""Having forked processes start with the page table of the interpreter's machine code.

At a fork, Linux leaves out what can be read from a file again, so that every child meets the pages
of code that it runs one by one, as faults: here about seventy of them, each of which touches what
the children of all workers share, and so they wait for one another. Where a private mapping has a
page of its own, however, its page table is copied with the rest (`vma_needs_copy` in the kernel's
mm/memory.c).
"""

from __future__ import annotations

import ctypes
import mmap
from typing import Any, NamedTuple

from toolguild.sandbox.linux import kernel

__all__ = ["copy_code_on_fork"]

_PT_LOAD = 1
_PF_EXECUTE, _PF_WRITE = 1, 2
_CODE = mmap.PROT_READ | mmap.PROT_EXEC
_POINTER_BYTES = 8
"""On machines whose programs have the headers that are read here."""


class _Segment(ctypes.Structure):
    """A program header of ELF; see elf(5)."""

    _fields_ = (
        ("type", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("offset", ctypes.c_uint64),
        ("address", ctypes.c_uint64),
        ("physical_address", ctypes.c_uint64),
        ("bytes_in_file", ctypes.c_uint64),
        ("bytes", ctypes.c_uint64),
        ("alignment", ctypes.c_uint64),
    )


class _Object(ctypes.Structure):
    """The beginning of what dl_iterate_phdr(3) tells of a program or library."""

    _fields_ = (
        ("base", ctypes.c_uint64),
        ("path", ctypes.c_char_p),
        ("segments", ctypes.POINTER(_Segment)),
        ("segment_count", ctypes.c_uint16),
    )


_NOTE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Object), ctypes.c_size_t, ctypes.c_void_p)


class _Mapping(NamedTuple):
    address: int
    bytes: int


def copy_code_on_fork() -> None:
    """Have the page table of the interpreter's code copied at every fork from now on.

    One byte of it is written, as it is; where that is not allowed, everything stays as it was.

    Raises:
        OSError: the code cannot be made what it was, neither to be written nor its own.
    """
    for mapping in _interpreters_code():
        try:
            kernel.mprotect(*mapping, _CODE | mmap.PROT_WRITE)
        except OSError:
            continue
        byte = ctypes.c_ubyte.from_address(mapping.address)
        byte.value = byte.value
        kernel.mprotect(*mapping, _CODE)


def _interpreters_code() -> list[_Mapping]:
    """Return where the code of Python's library is mapped, or of the program that holds it."""
    found: list[_Mapping] = []

    def note(loaded: Any, size: int, data: None) -> int:
        one = loaded.contents
        name = (one.path or b"").rpartition(b"/")[2]
        # The program itself has no name.
        if not name or name.startswith(b"libpython"):
            segments = (one.segments[number] for number in range(one.segment_count))
            found.extend(_mapping(one.base, segment) for segment in segments if _is_code(segment))
        return 0

    if ctypes.sizeof(ctypes.c_void_p) == _POINTER_BYTES:
        ctypes.CDLL(None).dl_iterate_phdr(_NOTE(note), None)
    return found


def _is_code(segment: _Segment) -> bool:
    executable, writable = segment.flags & _PF_EXECUTE, segment.flags & _PF_WRITE
    return bool(segment.type == _PT_LOAD and executable and not writable)


def _mapping(base: int, segment: _Segment) -> _Mapping:
    start = base + segment.address
    first = start - start % mmap.PAGESIZE
    return _Mapping(first, start + segment.bytes - first)
