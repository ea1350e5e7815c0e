"""Says by its exit status whether a server is ready: for containers' health checks, without TensorFlow.

python -m agegait.serving.client.ready --server 127.0.0.1:8500
"""

import argparse
import sys
from collections.abc import Sequence

from agegait.serving.client.client import Client
from agegait.serving.client.client_errors import ClientError
from agegait.serving.options import add_client_options, client_arguments
from agegait.terminal.visible_text import visible


def main(arguments: Sequence[str] | None = None) -> int:
    """Asks the server's health service.

    Args:
        arguments: The command's words; the process's own where absent.

    Returns:
        0 if it is ready, 1 if not.
    """
    options = ready_parser().parse_args(arguments)
    try:
        with Client(**client_arguments(options)) as client:
            ready = client.ready(options.service)
    except (ClientError, ValueError) as error:
        print(visible(f"{options.server}: {error}"), file=sys.stderr)
        return 1
    print(visible(f"{options.server}: {'ready' if ready else 'not ready'}"))
    return 0 if ready else 1


def ready_parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    parser = argparse.ArgumentParser(prog="agegait.serving.client.ready", description="Says if a server is ready.")
    parser.add_argument("--service", default="", metavar="NAME", help="`live` asks whether it runs at all")
    add_client_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
