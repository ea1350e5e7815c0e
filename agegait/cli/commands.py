"""What each command does."""

import argparse
import contextlib
import dataclasses
import logging
import resource
import secrets
import shlex
import signal
import sys
from collections.abc import Sequence
from typing import Any

from agegait.cli.gallery_url import gallery_url
from agegait.cli.json_output import print_json
from agegait.cli.json_stderr import json_stderr
from agegait.cli.log_lines import print_warnings
from agegait.cli.names import in_options
from agegait.cli.run_settings import file_format, run_settings, train_command
from agegait.cli.tensorflow import start_tensorflow
from agegait.cli.walk_inputs import read_walks, tell_rates
from agegait.serving.options import client_arguments, server_arguments
from agegait.storage.whole_file import whole_file
from agegait.terminal.console import errors, output

_EXIT_SECONDS = 10


def _messages_to_stderr() -> contextlib.redirect_stdout:
    """Keeps results alone on standard output, where TFDS tells what it prepares."""
    return contextlib.redirect_stdout(sys.stderr)


def train(options: argparse.Namespace) -> None:
    """Trains a run."""
    start_tensorflow()
    from agegait import training

    with _messages_to_stderr():
        run = training.train(
            run_settings(options),
            options.out,
            options.data_dir,
            options.manual_dir,
            not options.no_limb_check,
            options.tensorboard,
        )
    told = ", ".join(
        f"{name.replace('_', ' ')} {100 * reached.validation_accuracy:.1f} % "
        f"after epoch {reached.chosen_epoch} of {reached.epochs}"
        for name, reached in run.record.trained.items()
        if reached.validation_accuracy is not None
    )
    output().print(
        f"{run.folder}: trained; accuracy over the validation windows: {told}. "
        f"Next: agegait evaluate {shlex.quote(str(run.folder))}",
        soft_wrap=True,
    )
    if run.settings.recipe.embedder_epochs is not None:
        _print_calibration(run)


def _print_calibration(run: Any) -> None:
    from agegait.thresholds.calibration import MIN_PEOPLE

    if run.calibration is not None:
        text = f"the embedder is calibrated on {run.calibration.people} people who were left out"
    else:
        command = f"agegait calibrate {shlex.quote(str(run.folder))} --dataset NAME"
        text = (
            f"no calibration of the embedder could be made: it needs {MIN_PEOPLE} people who are left out to choose "
            f"by, see --calibration-share. `{command}` makes one, of people who are neither trained on nor enrolled"
        )
    output().print(text, soft_wrap=True)


def tune(options: argparse.Namespace) -> None:
    """Searches for a recipe."""
    start_tensorflow()
    from agegait import tuning

    with _messages_to_stderr():
        found = tuning.tune(
            run_settings(options),
            options.out,
            options.search,
            options.method,
            options.trials,
            options.sweeps,
            data_dir=options.data_dir,
            manual_dir=options.manual_dir,
            check_limbs=not options.no_limb_check,
            patience=options.patience,
            tensorboard=options.tensorboard,
        )
    if found is None:
        output().print(f"{options.out}: no more trials; the chief has the results", soft_wrap=True)
        return
    console = output()
    console.print(tuning.table(found))
    best = tuning.best(options.out)
    console.print(
        f"best: trial {best.trial}, {100 * best.validation_accuracy:.1f} % of the validation windows; "
        f"its run: {options.out / (best.run or '')}",
        f"again, as a run of its own: agegait train --from-tuning {shlex.quote(str(options.out))} --out RUN",
        sep="\n",
        soft_wrap=True,
    )


def inspect(options: argparse.Namespace) -> None:
    """Shows what is understood of walks."""
    start_tensorflow()
    from agegait import datasets
    from agegait.datasets import inspection
    from agegait.datasets.recordings import load_recordings
    from agegait.skeletons import drawing

    dataset = load_recordings(options.dataset, file_format(options))
    if dataset is None:
        with _messages_to_stderr():
            dataset = datasets.load(
                options.dataset, options.data_dir, options.manual_dir, file_format(options), check_limbs=False
            )
    found = inspection.inspect(dataset)
    notes = tuple((label, in_options(text, options.parser.option_names)) for label, text in found.dataset.notes)
    found = dataclasses.replace(
        found,
        dataset=dataclasses.replace(found.dataset, notes=notes),
        faults=[in_options(text, options.parser.option_names) for text in found.faults],
    )
    console = output()
    if options.json:
        print_json(inspection.as_record(found))
    else:
        console.print(inspection.render(found))
    if options.picture:
        with whole_file(options.picture) as aside:
            drawing.skeleton_figure(found.skeleton, title=dataset.name).savefig(aside, dpi=150)
        errors().print(f"written: {options.picture}", soft_wrap=True)
    if found.faults:
        raise ValueError(f"{dataset.name}: expected limb lengths of bodies, see above.")


def evaluate(options: argparse.Namespace) -> None:
    """Evaluates a run."""
    start_tensorflow()
    from agegait import evaluation, training
    from agegait.evaluation import report

    # None without the option, empty if it names none.
    baselines = () if options.baseline is None else options.baseline or evaluation.COORDINATES
    run = training.load_run(options.folder, options.dataset)
    seen = report.Observations(run) if options.report else None
    with _messages_to_stderr():
        found = evaluation.evaluate(run, options.data_dir, options.manual_dir, baselines, options.search_windows, seen)
    console = errors() if options.json else output()
    if options.json:
        print_json(found.to_plain())
    else:
        for table in evaluation.tables(found):
            console.print(table)
    console.print(f"written: {options.folder / 'evaluation.json'}", soft_wrap=True)
    if seen:
        commands = train_command(run.settings, options), shlex.join(("agegait", *options.words))
        page = report.write(run, found, seen, commands)
        console.print(f"written: {page}", soft_wrap=True)


def reproduce(options: argparse.Namespace) -> None:
    """Trains and evaluates the paper's table."""
    start_tensorflow()
    from agegait import reproduction

    with _messages_to_stderr():
        found = reproduction.reproduce(
            run_settings(options),
            options.out,
            options.seeds,
            options.rows,
            options.data_dir,
            options.manual_dir,
            not options.no_limb_check,
            shlex.join(("agegait", *options.words)),
        )
    console = output()
    for table in reproduction.tables(found):
        console.print(table.without_details())
    written = f"written: {options.out / 'reproduction.md'}, {options.out / 'reproduction.json'}"
    console.print(written, soft_wrap=True)


def export(options: argparse.Namespace) -> None:
    """Writes a run's models as SavedModels, or as files for devices."""
    if options.format == "savedmodel" and options.quantize is not None:
        raise ValueError(f"--quantize: expected --format litert or onnx with it, received {options.quantize} alone.")
    start_tensorflow(data_sets=False)
    from agegait import export

    if options.format != "savedmodel":
        files = export.save_for_edge(options.folder, options.out, options.format, options.quantize)
        output().print(f"written: {', '.join(str(file) for file in files.values())}", soft_wrap=True)
        return
    export.save(options.folder, options.out)
    following = f"Next: agegait serve {shlex.quote(str(options.out))}"
    output().print(f"written: {options.out}. {following}", soft_wrap=True)


def serve(options: argparse.Namespace) -> None:
    """Serves models until it is stopped."""
    if options.url is not None:
        options.url = gallery_url(options.url)
    arguments = server_arguments(options)
    start_tensorflow(data_sets=False)
    from agegait import serving
    from agegait.serving.server.json_log import log_json

    def announce(server: serving.Server) -> None:
        text = f"serving {options.folder or options.model_config_file} on {server.address}; stop it with Ctrl-C"
        if options.log == "none":
            errors().print(text, soft_wrap=True)
        else:
            logging.getLogger("agegait.serving").info(text)

    # Each connection takes a file; many a system lets a process have 1,024 unless it asks for more.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with contextlib.ExitStack() as stack:
        if options.log == "none":
            print_warnings("agegait.serving")
        else:
            log = log_json(options.log == "requests", stack.enter_context(json_stderr()))
            stack.callback(log.flush)
        serving.Server(**arguments).serve_forever(announce)
        signal.alarm(_EXIT_SECONDS)  # Interpreter and libraries may hang as they go, and so may a log nobody reads.


def identify(options: argparse.Namespace) -> None:
    """Identifies the person of each walk."""
    if options.gallery is not None or options.served_gallery:
        _identify_in_gallery(options)
        return
    walks = read_walks(options)
    if options.run_folder is None:
        answers = _ask(options, walks)
    elif options.every is not None:
        raise ValueError("--every: expected with --server or --model, received --run.")
    else:
        start_tensorflow(data_sets=False)
        from agegait import training

        run = training.load_run(options.run_folder)
        rate = run.identifier.frame_rate
        tell_rates(walks, rate is not None, rate)
        answers = run.identifier.identify([walk.walk for walk in walks])
    for walk, found in zip(walks, answers, strict=True):
        _print_answer(options, walk.label, found)
    if nobody := [found for found in answers if found.person is None]:
        raise ValueError(f"{len(nobody)} of {len(walks)} walks show no body, see above.")


def _identify_in_gallery(options: argparse.Namespace) -> None:
    from agegait.cli import gallery_commands

    place = "--served-gallery" if options.served_gallery else "--gallery"
    if options.every is not None:
        raise ValueError(f"--every: expected with --server or --model, received {place}.")
    if not options.served_gallery:
        if any(word.partition("=")[0] == "--server" for word in options.words):
            raise ValueError("--gallery: expected without --server, received both.")
        options.server = None
    elif options.gallery is not None or options.run_folder is not None:
        other = "--run" if options.gallery is None else "--gallery"
        raise ValueError(f"--served-gallery: expected without {other}, received both.")
    options.model = options.run_folder or options.model
    gallery_commands.identify(options)


def _ask(options: argparse.Namespace, walks: Sequence[Any]) -> list[Any]:
    """Answers of a server: the one that runs, or one of the exported model's own, with a token that nobody else has."""
    from agegait.serving import Client, ClientError

    with contextlib.ExitStack() as stack:
        if options.model is not None:
            start_tensorflow(data_sets=False)
            from agegait.serving import Server

            token = secrets.token_urlsafe()
            server = stack.enter_context(Server(options.model, port=0, token=token))
            connection = client_arguments(options) | {"target": f"127.0.0.1:{server.port}", "token": token}
        else:
            connection = client_arguments(options)
        try:
            client = stack.enter_context(Client(**connection))
            knows = _resamples(client)
            tell_rates(walks, knows)
            rates = [walk.walk.frame_rate if knows else None for walk in walks]
            if options.every is not None:
                for walk, rate in zip(walks, rates, strict=True):
                    _follow(client, options, walk.label, walk.walk.skeleton, rate)
            return client.identify([walk.walk.skeleton for walk in walks], frame_rate=rates)
        except ClientError as error:
            said = " ".join(str(error).split("\n"))  # the server's words, in which no line is to pass for ours
            raise ValueError(f"{options.model or options.server}: {said}") from error


def _resamples(client: Any) -> bool:
    """Whether a server's model brings walks to its own frame rate: not so of an export of an earlier version."""
    from agegait.serving import ClientError

    try:
        return "resampled" in client.metadata()
    except ClientError as error:
        if error.status.name != "UNIMPLEMENTED":
            raise
        return False  # Nor is it known of a server without GetModelMetadata.


def _follow(client: Any, options: argparse.Namespace, label: str, walk: Any, frame_rate: float | None) -> None:
    """Prints running answers, as if the walk's frames came from a sensor."""
    with client.stream(options.every, frame_rate=frame_rate) as stream:
        for frame in walk:
            if found := stream.add(frame):
                _print_answer(options, label, found, stream.frames)


def _print_answer(options: argparse.Namespace, label: str, found: Any, frames: int | None = None) -> None:
    if options.json:
        answer = {"file": label, "person": found.person, "score": found.score, "fault": found.fault or None}
        print_json(answer if frames is None else {**answer, "frames": frames}, indent=None)
        return
    person = f"not a body: {found.fault}" if found.person is None else f"{found.person}, {found.score:.3f}"
    output().print(f"{label}: {'' if frames is None else f'{frames} frames: '}{person}", soft_wrap=True)
