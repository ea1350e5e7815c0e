"""What tells files of JSON apart."""

import re
from collections.abc import Callable


def has_key(*keys: str) -> Callable[[bytes], bool]:
    """A test of whether one of some keys is in a piece of JSON, in any encoding that JSON may have."""
    pattern = re.compile(rb'"(%s)"\s*:' % b"|".join(re.escape(key.encode()) for key in keys))
    return lambda content: bool(pattern.search(content.replace(b"\0", b"")))  # of UTF-16 and 32
