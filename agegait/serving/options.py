"""The command line's options for server and client, whose arguments they become. Imports nothing heavy."""

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from agegait.serving.server.answer_policy import AnswerPolicy
from agegait.serving.server.limits import Limits


class _Option(NamedTuple):
    name: str
    kind: type
    default: Any
    help: str


_SERVER = {
    "TLS, files in PEM": (
        _Option("tls_cert", Path, None, "certificate chain; callers must then use TLS"),
        _Option("tls_key", Path, None, "its private key; renewed files are taken up"),
        _Option("tls_client_ca", Path, None, "authorities of callers' certificates; callers must then have one"),
    ),
    "limits": tuple(
        _Option(field.name, type(field.default), field.default, field.metadata["help"])
        for field in dataclasses.fields(Limits)
    ),
    "what callers are told": (
        _Option("top_only", bool, False, "the best person and the score alone: no logits, no list of people"),
        _Option("score_digits", int, None, "decimal places of scores and probabilities"),
    ),
    "batching": (
        _Option("max_batch", int, 64, "most rows that waiting requests are joined to; 1 joins none"),
        _Option("batch_wait", float, 0.0, "seconds that a request waits for company, even if nothing else runs"),
        _Option("workers", int, 2, "batches that run at the same time"),
    ),
    "operation": (
        _Option("poll_seconds", float, 1.0, "how often new versions are looked for"),
        _Option("metrics_port", int, None, "port of /metrics for Prometheus, plain HTTP"),
        _Option(
            "model_config_file", Path, None, "TensorFlow Serving's models.config, in place of DIR; it has labels too"
        ),
        _Option(
            "allow_version_labels_for_unavailable_models",
            bool,
            False,
            "let labels name versions that do not serve",
        ),
        _Option("verify", bool, True, "refuse versions whose files differ from the manifest exported with them"),
        _Option("rest_port", int, None, "port of TensorFlow Serving's REST API"),
        _Option("reflection", bool, False, "tell what is offered, for grpcurl and its like"),
        _Option("tracing", bool, False, "trace calls by OpenTelemetry, as OTEL_* say; needs agegait[tracing]"),
        _Option("allow_reload", bool, False, "answer HandleReloadConfigRequest: whoever may call it may run code here"),
    ),
}
_CLIENT = {
    "the way to the server": (
        _Option("timeout", float, 10.0, "seconds that a request may take, and wait for a model that loads"),
        _Option("wait", bool, False, "wait until the time-out for a server that can't be reached yet"),
        _Option("max_answer_bytes", int, 64 << 20, "largest answer that is read"),
        _Option("tls", bool, False, "use TLS, with the system's authorities"),
        _Option("tls_ca", Path, None, "use TLS, with the authorities in this PEM file"),
        _Option("tls_cert", Path, None, "this caller's certificate chain, for mutual TLS"),
        _Option("tls_key", Path, None, "its private key"),
    ),
}
_TOKEN = "file that holds the token"


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Adds where to listen, and every further argument of `Server`."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8500, help="port to listen on (default: %(default)s)")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help=f"{_TOKEN} that callers must send")
    parser.add_argument(
        "--log",
        choices=("none", "models", "requests"),
        default="none",
        help="JSON lines on standard error: models that come and go, requests too, never what is in them (none)",
    )
    _add(parser, _SERVER)


def server_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The keyword arguments of `Server` that options make.

    Raises:
        ValueError: A limit that makes no sense.
    """
    given = _given(options, _SERVER)
    limits = Limits(**{field.name: given.pop(field.name) for field in dataclasses.fields(Limits)})
    answers = AnswerPolicy(given.pop("top_only"), given.pop("score_digits"))
    return {
        "host": options.host,
        "port": options.port,
        "token_file": options.token_file,
        "limits": limits,
        "answers": answers,
        **given,
    }


def add_client_options(parser: argparse.ArgumentParser, where: argparse._MutuallyExclusiveGroup | None = None) -> None:
    """Adds every argument of `Client`; the server's address goes to `where`, a group of what excludes it."""
    (where or parser).add_argument(
        "--server", default="127.0.0.1:8500", metavar="HOST:PORT", help="address (default: %(default)s)"
    )
    parser.add_argument("--token-file", type=Path, metavar="FILE", help=_TOKEN)
    _add(parser, _CLIENT)


def client_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments of `Client` that options make.

    Raises:
        ValueError: A token's file that can't be read, or holds none.
    """
    return {"target": options.server, "token": _token(options), **_given(options, _CLIENT)}


def _add(parser: argparse.ArgumentParser, groups: Mapping[str, tuple[_Option, ...]]) -> None:
    for title, options in groups.items():
        group = parser.add_argument_group(title)
        for option in options:
            words = f"--{option.name.replace('_', '-')}"
            if option.kind is bool and option.default:
                group.add_argument(words, action=argparse.BooleanOptionalAction, default=True, help=option.help)
                continue
            if option.kind is bool:
                group.add_argument(words, action="store_true", help=option.help)
                continue
            shown = "" if option.default is None else " (default: %(default)s)"
            metavar = "FILE" if option.kind is Path else "N"
            group.add_argument(
                words, type=option.kind, default=option.default, metavar=metavar, help=option.help + shown
            )


def _given(options: argparse.Namespace, groups: Mapping[str, tuple[_Option, ...]]) -> dict[str, Any]:
    return {option.name: getattr(options, option.name) for group in groups.values() for option in group}


def _token(options: argparse.Namespace) -> str | None:
    if options.token_file is None:
        return None
    from agegait.serving.credentials import read_token

    return read_token("token_file", options.token_file)
