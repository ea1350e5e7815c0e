"""`agegait serve --gallery` as an operator runs it: the guide's example, a kill while people are enrolled, mistakes."""

import json
import re
import shlex
import subprocess
import threading
from pathlib import Path

import pytest
from support.export_walker import until
from support.gallery_bodies import BoneLengths, walk, walks
from support.serve_command import Command
from support.served_bodies import NEAR, export_bones

from agegait import cli
from agegait.gallery import Calibration
from agegait.serving import GalleryClient
from agegait.serving.client import client_errors

GUIDE = Path(__file__).parents[2] / "docs/gallery.md"


@pytest.mark.slow
def test_the_guides_example(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    served = GUIDE.read_text().partition("\n## Served\n")[2].partition("\n## ")[0]
    (shell,), (python,) = (re.findall(rf"```{kind}\n(.*?)```", served, re.DOTALL) for kind in ("sh", "python"))
    *preparing, serving = shell.splitlines()
    subprocess.run(["bash", "-ec", "\n".join(preparing)], check=True)
    tokens = dict(line.split(": ") for line in Path("tokens").read_text().splitlines())
    export_bones(tmp_path / "served", Calibration.measure(BoneLengths(), walks(range(100, 140))))
    program, command, *words = shlex.split(serving)
    assert (program, command) == ("agegait", "serve")
    with Command(*words[:1], tmp_path, *words[1:], "--log=requests") as server:
        given = {"first_walk": walk(0), "second_walk": walk(0, 1), "walk": walk(0, 2), "sensor": walk(0, 3)}
        exec(python.replace("127.0.0.1:8500", server.address()), {**given, **tokens})
        lines = server.lines
    assert capsys.readouterr().out.splitlines() == [
        "['Anna']",
        "Outcome.KNOWN Anna",
        "15 Outcome.NOT_ENOUGH_FRAMES None",
        "30 Outcome.KNOWN Anna",
    ]
    requests = [json.loads(line) for line in lines if '"method"' in line]
    assert [(line["method"], line["caller"], line["code"]) for line in requests] == [
        ("Enrol", "desk", "OK"),
        ("ListPeople", "desk", "OK"),
        ("Identify", "door", "OK"),
        ("Verify", "door", "OK"),
        ("WatchWalk", "door", "OK"),
        ("WatchWalk", "door", "OK"),
    ]
    assert "Anna" not in "\n".join(lines)
    assert not any(token in "\n".join(lines) for token in tokens.values())


@pytest.mark.slow
def test_what_was_acknowledged_is_kept_by_a_server_that_is_killed(bones_folder, tmp_path):
    url = f"--gallery={tmp_path / 'gallery.db'}"
    server = Command(bones_folder, tmp_path, url)
    done, enough = [], threading.Event()

    def enrol(first):
        with GalleryClient(address, timeout=60) as client:
            for number in range(first, 10_000, 3):
                try:
                    client.enrol(f"person {number}", walk(number), consent="form")
                except client_errors.ClientError:
                    return
                done.append(number)
                if len(done) >= 15:
                    enough.set()

    try:
        address = server.address()
        threads = [threading.Thread(target=enrol, args=(first,)) for first in range(3)]
        for thread in threads:
            thread.start()
        assert enough.wait(120)
    finally:
        server.process.kill()
        server.process.wait()
    for thread in threads:
        thread.join(120)
    with Command(bones_folder, tmp_path, url) as again, GalleryClient(again.address(), timeout=60) as client:
        names = {person.name: person.walks for person in client.people()}
        assert set(names.values()) == {1}
        assert {f"person {number}" for number in done} <= set(names)
        assert len(names) <= len(done) + 3  # one of each thread may have been kept without an answer
        assert client.identify(walk(done[-1], 1), threshold=NEAR).people == len(names)
        client.forget(f"person {done[0]}")
        until(lambda: len(client.people()) == len(names) - 1)


@pytest.mark.slow
def test_two_servers_share_a_file(bones_folder, tmp_path):
    url = f"--gallery={tmp_path / 'gallery.db'}"
    known, forgotten, failures = set(), set(), []
    halfway = threading.Event()
    for name in ("first", "second", "third"):
        (tmp_path / name).mkdir()

    def work(address, first, killed=False):
        """Enrols people, and forgets every third again; looks for the one before meanwhile."""
        try:
            with GalleryClient(address, timeout=60) as client:
                for number in range(first, first + 30):
                    name = f"person {number}"
                    client.enrol(name, walk(number), consent="form")
                    known.add(name)
                    if number % 3 == 0:
                        known.remove(name)  # whatever becomes of it: a kill may come before the answer
                        client.forget(name)
                        forgotten.add(name)
                    found = client.identify(walk(number - 1, 1), threshold=NEAR)
                    assert found.person is None or found.person == f"person {number - 1}"
                    if killed and number == first + 15:
                        halfway.set()
        except client_errors.ClientError as error:
            if not killed:
                failures.append(error)

    first = Command(bones_folder, tmp_path / "first", url)
    with Command(bones_folder, tmp_path / "second", url) as second:
        try:
            threads = [
                threading.Thread(target=work, args=(first.address(), 1, True)),
                threading.Thread(target=work, args=(second.address(), 1000)),
            ]
            for thread in threads:
                thread.start()
            assert halfway.wait(120)
        finally:
            first.process.kill()
            first.process.wait()
        for thread in threads:
            thread.join(240)
        assert not failures
        with Command(bones_folder, tmp_path / "third", url) as third:
            for address in (second.address(), third.address()):
                with GalleryClient(address, timeout=60) as client:
                    names = {person.name for person in client.people()}
                    assert known <= names
                    assert not forgotten & names
                    enrolled = next(iter(known))
                    number = int(enrolled.split()[1])
                    assert client.identify(walk(number, 1), threshold=NEAR).person == enrolled
                    gone = int(next(iter(forgotten)).split()[1])
                    assert client.identify(walk(gone, 1), threshold=NEAR).person is None
            # What one server does, the other sees at once.
            one, another = (GalleryClient(server.address(), timeout=60) for server in (third, second))
            with one, another:
                one.enrol("late", walk(5000), consent="form")
                assert another.identify(walk(5000, 1), threshold=NEAR).person == "late"
                one.forget("late")
                assert another.identify(walk(5000, 1), threshold=NEAR).person is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--gallery=mysql://here/gallery",), "--gallery: expected sqlite:///... or postgresql+psycopg://..."),
        (("--gallery-roles=roles",), "--gallery-roles: expected with a gallery, received without"),
        (
            ("--gallery=g.db", "--gallery-roles=roles"),
            "--gallery-roles: expected with a --token-file or --tls-client-ca, received neither",
        ),
        (
            ("--gallery=g.db", "--token-file=tokens"),
            "--gallery-roles: expected with a --token-file or --tls-client-ca, received none",
        ),
        (("--gallery=g.db", "--token-file=tokens", "--gallery-roles=none"), "--gallery-roles: none can't be read"),
        (("--gallery=g.db", "--gallery-model=nobody"), "--gallery-model: expected an exported embedder that is served"),
    ],
)
def test_mistakes_are_told_in_the_words_of_the_command_line(bones_folder, tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    tokens = tmp_path / "tokens"
    tokens.touch(0o600)
    tokens.write_text(f"desk: {32 * 'd'}\n")
    (tmp_path / "roles").write_text("token desk manage\n")
    assert cli.main(["serve", str(bones_folder), "--port=0", *words]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "expected" in line or "can't" in line]
    assert said in line
