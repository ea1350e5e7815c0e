import argparse

from agegait.serving import options


def server_options(arguments):
    """What our server understands of a container's arguments."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("folder")
    options.add_server_options(parser)
    return parser.parse_args([str(argument) for argument in arguments])
