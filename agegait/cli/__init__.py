"""The command line. Each sub-command imports the heavy parts it needs, so that help and errors come at once."""

import os
import sys
from collections.abc import Sequence

from agegait.cli.console import errors
from agegait.cli.parser import make_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one `agegait` command.

    Args:
        arguments: The command's words; the process's own where absent.

    Returns:
        The exit status: 0, 1 for what a user can mend, 130 where the user stopped it. A wrong option exits with 2.
    """
    words = sys.argv[1:] if arguments is None else arguments
    options = make_parser().parse_args(words)
    options.words = words
    try:
        options.run(options)
    except KeyboardInterrupt:
        errors().print("agegait: stopped", style="yellow", highlight=False)
        return 130
    except (ValueError, OSError, RuntimeError) as error:
        if os.environ.get("AGEGAIT_TRACEBACK"):
            raise
        message = " ".join(str(error).split()) or type(error).__name__
        errors().print(f"agegait: {message}", style="red", highlight=False, markup=False, soft_wrap=True)
        return 1
    return 0
