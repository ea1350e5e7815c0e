"""Whether a download has a chance, said at once: TFDS tries an address that cannot be reached for minutes."""

import socket
import urllib.request
from urllib.parse import urlsplit

_SECONDS = 10.0


def check_reachable(url: str) -> None:
    """Opens a connection to the host of an address, or to the proxy that the environment names for it.

    Raises:
        OSError: There is no connection. The message names the host.
    """
    parts = urlsplit(url)
    proxy = None if urllib.request.proxy_bypass(parts.hostname or "") else urllib.request.getproxies().get(parts.scheme)
    asked = urlsplit(proxy if proxy and "://" in proxy else f"http://{proxy}") if proxy else parts
    port = asked.port or (443 if asked.scheme == "https" else 80)
    try:
        socket.create_connection((asked.hostname or "", port), _SECONDS).close()
    except OSError as error:
        raise OSError(f"no connection to {asked.hostname}, port {port}: {error.strerror or error}") from error
