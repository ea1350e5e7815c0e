"""Reloads while the server runs: all of a request or nothing, and nothing for a caller who went away."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from support.export_walker import SERVING, changed, export, refused, serving, until, walks_request
from tensorflow_serving.apis import model_management_pb2

from agegait.serving.server.catalog import Catalog
from agegait.serving.server.loader import Loader
from agegait.serving.server.source import Source
from agegait.serving.server.status_error import StatusError

Code = grpc.StatusCode


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original")
    for version in (1, 2, 3):
        export(folder, version)
    return folder


@pytest.fixture
def folder(original, tmp_path):
    """Two models: `walker` at versions 1 to 3, and in another folder `runner`, version 2."""
    shutil.copytree(original, tmp_path / "models/walker")
    shutil.copytree(original / "2", tmp_path / "other/2")
    return tmp_path / "models"


@pytest.fixture
def gate(monkeypatch):
    """Holds what loads version 2 of the other folder."""
    gate = Held()
    load = Loader.load

    def held(loader, name, number, folder):
        if folder.parent.name == "other":
            gate.entered.release()
            assert gate.opened.wait(60)
        return load(loader, name, number, folder)

    monkeypatch.setattr(Loader, "load", held)
    yield gate
    gate.opened.set()


class Held:
    def __init__(self):
        self.entered, self.opened = threading.Semaphore(0), threading.Event()


def config(*models):
    """Of each model: name, folder, versions, labels."""
    request = model_management_pb2.ReloadConfigRequest()
    for name, base_path, versions, labels in models:
        model = request.config.model_config_list.config.add(
            name=name, base_path=str(base_path), model_platform="tensorflow"
        )
        model.model_version_policy.specific.versions.extend(versions)
        model.version_labels.update(labels)
    return request


def labelled(label, name="walker"):
    def change(request):
        request.model_spec.name = name
        request.model_spec.version_label = label

    return changed(change)


def named(name):
    return changed(lambda request: setattr(request.model_spec, "name", name))


def gone(wanted):
    try:
        return not wanted()
    except StatusError as error:
        return error.code == Code.DEADLINE_EXCEEDED


def broken(folder):
    (folder / "saved_model.pb").write_bytes(b"no model")
    return folder


@pytest.mark.parametrize("label", [False, True])
def test_a_reload_that_fails_changes_nothing(folder, label):
    other = folder.parent / "other"
    with serving(folder, allow_reload=True) as (server, plain):
        good = config(("walker", folder / "walker", [1, 2], {"stable": 1}))
        plain.models.HandleReloadConfigRequest(good, timeout=60)
        assert plain.predict(labelled("stable")).model_spec.version.value == 1
        bad = config(("runner", other, [2], {"stable": 7} if label else {}), ("walker", folder / "walker", [3], {}))
        if label:
            code, words = Code.FAILED_PRECONDITION, "version 7 of model runner, which is not currently available"
        else:
            broken(other / "2")
            code, words = Code.UNKNOWN, "1 servable(s) did not become available: runner: version 2: saved_model.pb: not"
        with refused(code, words):
            plain.models.HandleReloadConfigRequest(bad, timeout=60)
        assert plain.predict(labelled("stable")).model_spec.version.value == 1
        assert plain.score() == 2
        assert {number: status.state for number, status in plain.states().items()} == {1: 30, 2: 30, 3: 50}
        assert plain.serving() == SERVING
        assert server.ready
        with refused(Code.NOT_FOUND, "Servable not found for request: Latest(runner)"):
            plain.predict(named("runner"))
        with refused(Code.NOT_FOUND):
            plain.states("runner")
        server._catalog.refresh()
        assert plain.score() == 2


def test_a_model_without_versions_changes_nothing(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with serving(folder, allow_reload=True) as (_, plain):
        with refused(Code.NOT_FOUND, "Unable to find a numerical version path for servable runner"):
            plain.models.HandleReloadConfigRequest(config(("runner", tmp_path / "empty", [2], {})), timeout=60)
        assert plain.score() == 3
        # What appears is still found, as before.
        shutil.copytree(folder / "walker", folder / "late")
        until(lambda: "late" in _names(plain))


def _names(plain):
    try:
        return plain.predict(named("late")).model_spec.name
    except grpc.RpcError:
        return ""


def test_what_serves_is_not_loaded_again(folder, monkeypatch):
    loaded, load = [], Loader.load
    monkeypatch.setattr(Loader, "load", lambda loader, *which: loaded.append(which[:2]) or load(loader, *which))
    with serving(folder, allow_reload=True) as (_, plain):
        assert loaded == [("walker", 3)]
        plain.models.HandleReloadConfigRequest(config(("walker", folder / "walker", [1, 3], {})), timeout=60)
        assert loaded == [("walker", 3), ("walker", 1)]
        plain.models.HandleReloadConfigRequest(config(("walker", folder.parent / "other", [2], {})), timeout=60)
        assert loaded == [("walker", 3), ("walker", 1), ("walker", 2)]
        assert plain.score() == 2
        assert set(plain.states()) == {2}


def test_what_fails_beside_what_serves_is_reported(folder):
    broken(folder / "walker/2")
    with serving(folder, allow_reload=True) as (_, plain):
        plain.models.HandleReloadConfigRequest(config(("walker", folder / "walker", [1, 2], {})), timeout=60)
        assert plain.score() == 1
        assert plain.states()[2].status.error_message == "saved_model.pb: not a SavedModel"


@pytest.mark.parametrize("end", ["cancelled", "late"])
def test_a_reload_whose_caller_left_while_it_loads_is_dropped(folder, gate, end, monkeypatch):
    asked, replace = [], Catalog.replace
    monkeypatch.setattr(Catalog, "replace", lambda *arguments: asked.append(arguments[2]) or replace(*arguments))
    with serving(folder, allow_reload=True) as (server, plain):
        request = config(("runner", folder.parent / "other", [2], {}))
        call = plain.models.HandleReloadConfigRequest.future(request, timeout=60 if end == "cancelled" else 2)
        assert gate.entered.acquire(timeout=60)
        assert plain.score() == 3
        if end == "cancelled":
            call.cancel()
        else:
            assert call.code() == Code.DEADLINE_EXCEEDED
        until(lambda: gone(asked[0]))  # The server hears of it on a thread of its own.
        gate.opened.set()
        until(lambda: not server._catalog._changing.locked())
        assert plain.score() == 3
        with refused(Code.NOT_FOUND):
            plain.predict(named("runner"))


def test_a_reload_whose_caller_left_while_it_waits_in_line_is_dropped(folder, gate):
    other = folder.parent / "other"
    with serving(folder, allow_reload=True) as (_, plain), ThreadPoolExecutor() as pool:
        first = config(("runner", other, [2], {}), ("walker", folder / "walker", [1], {}))
        taken = pool.submit(plain.models.HandleReloadConfigRequest, first, timeout=60)
        assert gate.entered.acquire(timeout=60)
        second = plain.models.HandleReloadConfigRequest.future(
            config(("walker", folder / "walker", [2], {})), timeout=1
        )
        assert second.code() == Code.DEADLINE_EXCEEDED
        gate.opened.set()
        taken.result()
        assert plain.score() == 1
        assert plain.predict(named("runner")).model_spec.version.value == 2


def test_two_reloads_at_once_go_one_after_the_other(folder, gate):
    other = folder.parent / "other"
    with serving(folder, allow_reload=True) as (_, plain), ThreadPoolExecutor() as pool:
        first = pool.submit(plain.models.HandleReloadConfigRequest, config(("runner", other, [2], {})), timeout=60)
        assert gate.entered.acquire(timeout=60)
        second = pool.submit(
            plain.models.HandleReloadConfigRequest, config(("walker", folder / "walker", [2], {})), timeout=60
        )
        assert plain.score() == 3
        gate.opened.set()
        first.result()
        second.result()
        assert plain.score() == 2
        with refused(Code.NOT_FOUND):
            plain.predict(named("runner"))


def test_under_load_every_answer_is_of_the_old_set_or_the_new(folder):
    done = threading.Event()
    with serving(folder, allow_reload=True) as (_, plain), ThreadPoolExecutor() as pool:

        def ask():
            seen = set()
            while not done.is_set():
                seen.add(plain.score().item())
            return seen

        asking = [pool.submit(ask) for _ in range(3)]
        try:
            for version in (1, 2, 1):
                plain.models.HandleReloadConfigRequest(config(("walker", folder / "walker", [version], {})), timeout=60)
                assert plain.score() == version
        finally:
            done.set()
        assert set.union(*(future.result() for future in asking)) <= {1.0, 2.0, 3.0}


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ([("walker", "/\0", [1], {})], "an absolute folder"),
        ([("walker", "/" + "x" * 5000, [1], {})], "an absolute folder"),
        ([("", "/tmp", [1], {})], "expected a name"),
        (
            [("walker", "/tmp", [1], {}), ("walker", "/tmp", [1], {})],
            "expected each model once, received 'walker' twice",
        ),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(folder, models, words):
    with serving(folder, allow_reload=True) as (_, plain):
        with refused(Code.INVALID_ARGUMENT, words):
            plain.models.HandleReloadConfigRequest(config(*models), timeout=60)
        assert plain.score() == 3


def test_loads_and_failures_are_told(folder):
    told = []
    broken(folder / "walker/3")
    catalog = Catalog({"walker": Source(folder / "walker")}, 10**6, on_load=lambda *event: told.append(event))
    catalog.refresh()
    assert [(name, version, loaded) for name, version, _, loaded in told] == [("walker", 3, False), ("walker", 2, True)]
    assert all(seconds > 0 for *_, seconds, _ in told)
    assert catalog.get(walks_request().model_spec).version == 2
