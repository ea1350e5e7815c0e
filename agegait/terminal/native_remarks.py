import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

_REMARK = re.compile(rb"(INFO|WARNING): |[IW]\d{4} \d\d:\d\d:\d\d")


@contextlib.contextmanager
def without_native_remarks() -> Iterator[None]:
    """Leaves out what native code remarks on standard error, past Python and obeying no log level.

    Lines that say INFO or WARNING, as absl and TensorFlow Lite begin them, are left out. All others come when the block
    ends. This holds for the whole process.
    """
    sys.stderr.flush()
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(standard_error, 2)
            os.close(standard_error)
            held.seek(0)
            os.write(2, b"".join(line for line in held if not _REMARK.match(line)))
