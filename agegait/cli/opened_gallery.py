"""The gallery that a command works on."""

import argparse
import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from agegait.cli.gallery_models import load_calibration, load_embedder
from agegait.cli.gallery_url import gallery_file, gallery_url
from agegait.cli.served_gallery import ServedGallery, served_gallery
from agegait.cli.walk_inputs import print_remarks, tell_rates
from agegait.serving.options import client_options
from agegait.thresholds.preset_name import STARTER

if TYPE_CHECKING:
    from agegait.data.folder.inputs import InputWalk
    from agegait.gallery import Gallery


@contextlib.contextmanager
def command_gallery(
    options: argparse.Namespace, walks: "Sequence[InputWalk]" = (), changes: bool = False
) -> "Iterator[Gallery | ServedGallery]":
    """The gallery of a command that takes `--gallery` or `--server`.

    Args:
        options: The command's.
        walks: Those that it is to compare: what is not known of their frame rates is said.
        changes: Whether the command changes it.

    Raises:
        ValueError: Options that do not go together, or as of `open_gallery` and `served_gallery`.
    """
    if options.server is None:
        for option in client_options():
            if any(word.partition("=")[0] == option for word in options.words):
                raise ValueError(f"{option}: expected with --server, received without.")
        with open_gallery(options, walks, makes=changes and hasattr(options, "consent")) as opened:
            yield opened
        return
    if getattr(options, "model", None) is not None:
        raise ValueError("--model: expected without --server, whose gallery has its own embedder, received both.")
    with served_gallery(options, changes) as served:
        tell_rates(walks, True)
        yield served


@contextlib.contextmanager
def open_gallery(
    options: argparse.Namespace, walks: "Sequence[InputWalk]" = (), makes: bool = False
) -> "Iterator[Gallery]":
    """The gallery of `--gallery`, with its model's embedder where the command has one.

    Args:
        options: The command's.
        walks: As of `command_gallery`.
        makes: Whether a gallery is made where there is none.

    Raises:
        ValueError: There is none, or it does not fit, in the words of the command line.
    """
    from agegait.gallery import Gallery

    url = gallery_url(options.gallery)
    file = gallery_file(url)
    if not makes and file is not None and not file.exists():
        raise ValueError(f"--gallery: expected a gallery, found no file {file}: `agegait enrol` makes one.")
    if not makes and file is not None and not file.stat().st_size:
        raise ValueError(f"--gallery: expected a gallery, found an empty file, {file}.")
    embedder = None
    if hasattr(options, "model"):
        options.model = str(options.model or STARTER)
        embedder = load_embedder(options.model)
    gallery = opened(url, embedder, makes)
    if embedder is not None and gallery.calibration is None and (found := load_calibration(options.model, embedder)):
        gallery.close()
        gallery = Gallery.open(url, embedder, found)
    with gallery:
        if embedder is not None:
            tell_rates(walks, True, embedder.frame_rate)
        if gallery.unwiped:
            print_remarks(
                [
                    f"{options.gallery}: somebody was deleted, and what the file held of them is not overwritten yet: "
                    "another process uses it. It is tried again when the gallery is opened next"
                ]
            )
        yield gallery


def opened(url: str, embedder: Any, makes: bool = True) -> "Gallery":
    """A gallery, made where there is none and `makes`, or what is wrong in the words of the command line."""
    from agegait.gallery import Gallery

    try:
        return Gallery.open(url, embedder, makes=makes)
    except ValueError as error:
        raise ValueError(re.sub("^url:", "--gallery:", re.sub("^embedder:", "--model:", str(error)))) from error


def check_calibration(gallery: "Gallery | ServedGallery", options: argparse.Namespace) -> None:
    """Refuses a gallery here that has no calibration, where no threshold is given. A server says so itself."""
    if isinstance(gallery, ServedGallery) or options.threshold is not None:
        return
    if gallery.calibration is None:
        raise ValueError("--threshold: expected, or a calibration, which `agegait calibrate` makes, received neither.")
