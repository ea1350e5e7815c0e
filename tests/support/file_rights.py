"""Tests that root runs, in a container, as if by a user whom the bits of files hold for."""

import contextlib
import ctypes
import os

_VERSION = 0x20080522  # of Linux's capset(2), with two words of bits for each set
_OVERRIDE = 0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("thread", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


@contextlib.contextmanager
def bound_by_file_bits():
    """This thread may read and write what its user may by the bits of files alone, root too."""
    if os.geteuid():
        yield
        return
    libc, header, sets = ctypes.CDLL(None, use_errno=True), _Header(_VERSION, 0), (_Sets * 2)()

    def call(function):
        if function(ctypes.byref(header), ctypes.byref(sets)):
            raise OSError(ctypes.get_errno(), function.__name__)

    call(libc.capget)
    before = sets[0].effective
    sets[0].effective = before & ~_OVERRIDE
    call(libc.capset)
    try:
        yield
    finally:
        sets[0].effective = before
        call(libc.capset)
