"""Keeps TensorFlow's remarks about the machine off the terminal while it is imported."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """Holds back what native code writes to standard error; shows it if the import fails.

    TensorFlow's log level is set to errors that end the process, unless `TF_CPP_MIN_LOG_LEVEL` says otherwise; some of
    what it writes while it is imported obeys no level.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(standard_error, held.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
