"""The command line's options for server and client, whose arguments they become. Imports nothing heavy."""

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from agegait.serving.server.answer_policy import AnswerPolicy
from agegait.serving.server.batching import Batching
from agegait.serving.server.limits import Limits
from agegait.serving.server.model_options import ModelOptions


class _Option(NamedTuple):
    name: str
    kind: type
    default: Any
    help: str
    metavar: str = ""
    field: str = ""
    """What it becomes, where that is called otherwise."""


_SERVER = {
    "TLS, files in PEM": (
        _Option("tls_cert", Path, None, "certificate chain; clients must then use TLS", field="cert"),
        _Option("tls_key", Path, None, "private key of the certificate; renewed files are read again", field="key"),
        _Option("tls_client_ca", Path, None, "certificate authorities of clients, for mutual TLS", field="client_ca"),
    ),
    "limits": tuple(
        _Option(field.name, type(field.default), field.default, field.metadata["help"])
        for field in dataclasses.fields(Limits)
    ),
    "answers": (
        _Option(
            "top_only",
            bool,
            False,
            "answer with the best person and the score only, without logits and the list of people",
        ),
        _Option("score_digits", int, None, "decimal places of scores and probabilities"),
    ),
    "batching": (
        _Option("max_batch", int, 64, "largest batch of waiting requests, in rows; 1 for no batching"),
        _Option(
            "batch_wait",
            float,
            0.0,
            "seconds that a request waits for others to fill its batch, even if nothing else runs",
        ),
        _Option("workers", int, 2, "batches that run at the same time"),
    ),
    "gallery": (
        _Option(
            "gallery",
            str,
            None,
            "gallery to enrol people in and to recognise them by, see `agegait enrol`",
            "URL",
            field="url",
        ),
        _Option(
            "gallery_model",
            str,
            None,
            "its embedder: a model of DIR, or starter (default: whichever made the gallery's templates)",
            "NAME",
            field="model",
        ),
        _Option(
            "gallery_roles",
            Path,
            None,
            "who may identify and who may enrol, a line each: token NAME ROLE",
            field="roles",
        ),
    ),
    "operation": (
        _Option("poll_seconds", float, 1.0, "seconds between two looks for new versions"),
        _Option("metrics_port", int, None, "port of /metrics for Prometheus, plain HTTP"),
        _Option(
            "model_config_file",
            Path,
            None,
            "models.config of TensorFlow Serving, in place of DIR; it can have version labels",
        ),
        _Option(
            "allow_version_labels_for_unavailable_models",
            bool,
            False,
            "allow labels of versions that are not loaded",
        ),
        _Option("verify", bool, True, "refuse versions whose files differ from their manifest (default: yes)"),
        _Option("rest_port", int, None, "port of TensorFlow Serving's REST API"),
        _Option("reflection", bool, False, "gRPC server reflection, for tools like grpcurl"),
        _Option(
            "tracing", bool, False, "trace calls with OpenTelemetry, set up by OTEL_* variables; needs agegait[tracing]"
        ),
        _Option(
            "allow_reload", bool, False, "answer HandleReloadConfigRequest; its callers can run code on this machine"
        ),
    ),
}
_CLIENT = {
    "connection to the server": (
        _Option("timeout", float, 10.0, "seconds for a request, with the wait for a model that is loading"),
        _Option("wait", bool, False, "wait until the timeout for a server that cannot be reached yet"),
        _Option("max_answer_bytes", int, 64 << 20, "largest answer that is accepted"),
        _Option("tls", bool, False, "use TLS, with the certificate authorities of the system"),
        _Option("tls_ca", Path, None, "use TLS, with the certificate authorities in this PEM file"),
        _Option("tls_cert", Path, None, "certificate chain of this client, for mutual TLS"),
        _Option("tls_key", Path, None, "private key of the certificate"),
    ),
}
_SINGLE = ("host", "port", "token_file", "rest_port", "metrics_port", "reflection", "tracing")
"""Arguments of `Server` that are in no group."""
_TOKEN = "file with the token"


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Adds where to listen, and every further argument of `Server`; what is parsed has their fields."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8500, help="port to listen on (default: %(default)s)")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help=f"{_TOKEN} that clients must send")
    parser.add_argument(
        "--log",
        choices=("none", "models", "requests"),
        default="none",
        help="JSON lines on standard error: of models only, or of requests too, never their contents (default: none)",
    )
    _add(parser, _SERVER)


def server_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments of `Server` that options make.

    Raises:
        ValueError: Options that make no sense.
    """
    # They read files, which takes grpcio and cryptography.
    from agegait.serving.server.gallery_options import GalleryOptions
    from agegait.serving.server.tls_files import TlsFiles

    def group(kind: type[Any]) -> Any:
        return kind(**{field.name: getattr(options, field.name) for field in dataclasses.fields(kind)})

    if (options.cert is None) != (options.key is None) or (options.cert is None and options.client_ca is not None):
        raise ValueError("tls: expected both --tls-cert and --tls-key.")
    for name in ("model", "roles"):
        if options.url is None and getattr(options, name) is not None:
            raise ValueError(f"{name}: expected with a gallery, received without.")
    return {
        "models": group(ModelOptions),
        "tls": None if options.cert is None else group(TlsFiles),
        "gallery": None if options.url is None else group(GalleryOptions),
        "limits": group(Limits),
        "answers": group(AnswerPolicy),
        "batching": group(Batching),
        **{name: getattr(options, name) for name in _SINGLE},
    }


def add_client_options(
    parser: argparse.ArgumentParser,
    where: argparse._MutuallyExclusiveGroup | None = None,
    default: str | None = "127.0.0.1:8500",
    text: str = "address",
) -> None:
    """Adds every argument of `Client`; the server's address goes to `where`, a group of what excludes it."""
    shown = "" if default is None else " (default: %(default)s)"
    (where or parser).add_argument("--server", default=default, metavar="HOST:PORT", help=f"{text}{shown}")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help=_TOKEN)
    _add(parser, _CLIENT)


def client_options() -> list[str]:
    """Each option of `add_client_options` but the address."""
    names = ["token_file", *(option.name for group in _CLIENT.values() for option in group)]
    return [f"--{name.replace('_', '-')}" for name in names]


def client_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments of `Client` that options make.

    Raises:
        ValueError: A token's file that can't be read, or holds none.
    """
    given = {option.name: getattr(options, option.name) for group in _CLIENT.values() for option in group}
    return {"target": options.server, "token": _token(options), **given}


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
            metavar = option.metavar or ("FILE" if option.kind is Path else "N")
            group.add_argument(
                words,
                dest=option.field or option.name,
                type=option.kind,
                default=option.default,
                metavar=metavar,
                help=option.help + shown,
            )


def _token(options: argparse.Namespace) -> str | None:
    if options.token_file is None:
        return None
    from agegait.serving.credentials import read_token

    return read_token("token_file", options.token_file)
