import logging
import os
import threading
import time

import pytest

from agegait.serving.server import followed_file
from agegait.serving.server.tokens import Tokens

ANNA, BOB, CEM = "a" * 32, "b" * 16, "c~:/+=-" * 5


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(followed_file, "CHECK_SECONDS", 0.0)
    file = tmp_path / "tokens"
    file.write_text(f"# who may ask\n\nanna: {ANNA}\n bob@lab.org:{BOB} \nanna: {CEM}\n")
    return file


def test_a_single_token():
    known = Tokens.single(ANNA)
    assert known.caller(f"Bearer {ANNA}") == "default"
    for header in ("", ANNA, "Bearer", "Bearer ", f"Basic {ANNA}", f"Bearer {ANNA}a", f"Bearer {ANNA[:-1]}"):
        assert known.caller(header) is None
    assert known.caller("Bearer \udcff") is None


def test_the_schemes_case_does_not_matter():
    known = Tokens.single(ANNA)
    for scheme in ("bearer", "BEARER", "BeArEr", "Bearer "):
        assert known.caller(f"{scheme} {ANNA}") == "default"
    assert known.caller(f"Bearer {ANNA.upper()}") is None


def test_tokens_have_names(file):
    known = Tokens.from_file(file)
    assert [known.caller(f"Bearer {token}") for token in (ANNA, BOB, CEM, "d" * 32)] == [
        "anna",
        "bob@lab.org",
        "anna",
        None,
    ]
    file.write_text(ANNA)
    assert Tokens.from_file(file).caller(f"Bearer {ANNA}") == "default"


@pytest.mark.parametrize("token", ["", "open sesame, please", "sésame" * 5])
def test_a_token_that_no_header_carries_is_refused(token):
    with pytest.raises(ValueError, match="token: expected visible ASCII"):
        Tokens.single(token)


def test_a_token_that_can_be_guessed_is_refused(file):
    with pytest.raises(ValueError, match="token: expected at least 16 characters, received 15"):
        Tokens.single(15 * "x")
    file.write_text(f"anna: {ANNA}\nbob: x\n")
    with pytest.raises(ValueError, match="of at least 16 characters, received 1 in line 2"):
        Tokens.from_file(file)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "token: expected at least one token, received none"),
        ("# anna: later\n", "token: expected at least one token, received none"),
        (f"anna: {ANNA}\nbob: {ANNA}\n", "expected each token once, received the one of line 2 again"),
        (f"anna: {ANNA} {BOB}\n", "expected `name: token` or a token in line 1"),
        (f"anna b: {ANNA}\n", "expected `name: token` or a token in line 1"),
        (f": {ANNA}\n", "expected `name: token` or a token in line 1"),
        (f"{BOB}\nanna:\n", "expected `name: token` or a token in line 2"),
        (f"anna\x1b[31m: {ANNA}\n", "expected `name: token` or a token in line 1"),
        ("a" * (1 << 21), "expected at most 1048576 bytes"),
    ],
)
def test_a_file_with_a_mistake_is_refused_without_its_words(file, text, words):
    file.write_text(text)
    with pytest.raises(ValueError, match=words) as caught:
        Tokens.from_file(file)
    assert ANNA not in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        ("pipe", "expected an ordinary file"),
        ("nowhere", "No such file"),
        (".", "directory|ordinary"),
    ):
        with pytest.raises(ValueError, match=f"token_file: .*({words})"):
            Tokens.from_file(tmp_path / path)


def test_tokens_rotate(file, caplog):
    known = Tokens.from_file(file)
    with caplog.at_level(logging.INFO, "agegait.serving"):
        file.write_text(f"bob: {BOB}\ndan: {'d' * 16}")
        assert known.caller(f"Bearer {ANNA}") is None
        assert known.caller(f"Bearer {BOB}") == "bob"
        assert known.caller(f"Bearer {'d' * 16}") == "dan"
    assert [record.getMessage() for record in caplog.records] == ["tokens were renewed: 2 tokens"]


def test_a_change_of_the_same_size_and_time_is_seen(file):
    known, before = Tokens.from_file(file), file.stat()
    file.write_text(file.read_text().replace(ANNA, "d" * 32))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert known.caller(f"Bearer {ANNA}") is None


def test_links_are_followed_as_kubernetes_turns_them(file, tmp_path):
    (tmp_path / "next").write_text(f"anna: {'n' * 16}")
    link = tmp_path / "link"
    link.symlink_to(file)
    known = Tokens.from_file(link)
    assert known.caller(f"Bearer {ANNA}") == "anna"
    (tmp_path / "aside").symlink_to(tmp_path / "next")
    (tmp_path / "aside").rename(link)
    assert known.caller(f"Bearer {ANNA}") is None
    assert known.caller(f"Bearer {'n' * 16}") == "anna"


def _remove(file):
    file.unlink()


def _pipe(file):
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize(
    "spoil", [_remove, _pipe, lambda file: file.write_text(""), lambda file: file.write_text("anna: x")]
)
def test_a_bad_file_keeps_the_good_tokens_and_is_logged_once(file, caplog, spoil):
    known = Tokens.from_file(file)
    spoil(file)
    with caplog.at_level(logging.INFO, "agegait.serving"):
        for _ in range(3):
            assert known.caller(f"Bearer {ANNA}") == "anna"
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith("the tokens stay as they were: token")
    file.unlink(missing_ok=True)
    file.write_text(f"bob: {BOB}")
    assert known.caller(f"Bearer {ANNA}") is None
    assert known.caller(f"Bearer {BOB}") == "bob"


def test_the_file_is_not_read_for_every_caller(tmp_path, monkeypatch):
    monkeypatch.setattr(followed_file, "CHECK_SECONDS", 3600.0)
    file = tmp_path / "tokens"
    file.write_text(ANNA)
    known = Tokens.from_file(file)
    file.write_text(BOB)
    assert known.caller(f"Bearer {ANNA}") == "default"


def test_a_slow_disk_holds_one_caller_alone(monkeypatch):
    monkeypatch.setattr(followed_file, "CHECK_SECONDS", 0.0)
    reading, go_on = threading.Event(), threading.Event()

    def read():
        reading.set()
        assert go_on.wait(20)
        return {BOB: "bob"}

    known = Tokens({ANNA: "anna"}, read)
    held = threading.Thread(target=known.caller, args=(f"Bearer {BOB}",))
    held.start()
    assert reading.wait(20)
    start = time.monotonic()
    assert known.caller(f"Bearer {ANNA}") == "anna"
    assert time.monotonic() - start < 20
    go_on.set()
    held.join()
    assert known.caller(f"Bearer {BOB}") == "bob"
