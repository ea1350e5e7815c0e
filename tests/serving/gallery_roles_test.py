"""Who may use a gallery: roles of tokens and of certificates."""

import grpc
import pytest
from support.certificates import Authority
from support.export_walker import refused
from support.gallery_bodies import BoneLengths, walk
from support.served_bodies import NEAR, plain, serving_bones

import agegait
from agegait.serving import GalleryClient, GalleryOptions, Outcome, Server, TlsFiles
from agegait.serving.client import client_errors
from agegait.serving.server import followed_file

DOOR, DESK, LAB = "d" * 32, "e" * 32, "l" * 32
DENIED = client_errors.UnauthenticatedError


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Files of tokens and of roles."""
    monkeypatch.setattr(followed_file, "CHECK_SECONDS", 0.0)
    tokens, roles = tmp_path / "tokens", tmp_path / "roles"
    tokens.touch(0o600)
    tokens.write_text(f"door: {DOOR}\ndesk: {DESK}\nlab: {LAB}\n")
    roles.write_text("# who may do what\n\ntoken door identify\n token  desk\tmanage\n")
    return {"token_file": tokens, "roles": roles}


def may(client):
    """What a client may do."""
    found = set()
    for name, act in (
        ("identify", lambda: client.identify(walk(0, 1), threshold=NEAR)),
        ("verify", lambda: client.verify("Anna", walk(0, 1), threshold=NEAR)),
        ("watch", lambda: client.watch_walk(every=1).add(walk(0)[0])),
        ("enrol", lambda: client.enrol("Björn", walk(1), consent="form")),
        ("people", lambda: client.people()),
        ("forget", lambda: client.forget("Björn")),
    ):
        try:
            act()
        except DENIED:
            continue
        found.add(name)
    return found


ALL, LOOKING = {"identify", "verify", "watch", "enrol", "people", "forget"}, {"identify", "verify", "watch"}


def test_roles_of_tokens(bones_folder, gallery_url, files):
    with (
        serving_bones(bones_folder, gallery_url, client={"token": DESK}, **files) as (server, desk),
        GalleryClient(server.address, timeout=60, token=DOOR) as door,
        GalleryClient(server.address, timeout=60, token=LAB) as lab,
        GalleryClient(server.address, timeout=60) as stranger,
    ):
        desk.enrol("Anna", walk(0), consent="form")
        assert (may(desk), may(door), may(lab), may(stranger)) == (ALL, LOOKING, set(), set())
        with pytest.raises(DENIED, match=r"expected a role that may Enrol \(PERMISSION_DENIED\)"):
            door.enrol("Cem", walk(2), consent="form")
        with pytest.raises(DENIED, match=r"expected a role that may WatchWalk \(PERMISSION_DENIED\)"):
            lab.watch_walk(every=1).add(walk(0)[0])
        assert stranger.ready()  # health needs no token
        with plain(server) as models, refused(grpc.StatusCode.NOT_FOUND):  # whoever has a token may ask for models
            models.predict(metadata=[("authorization", f"Bearer {LAB}")])
        # Roles follow their file; a mistake changes nothing.
        files["roles"].write_text("token lab manage\ntoken desk identify\n")
        assert (may(desk), may(door), may(lab)) == (LOOKING, set(), ALL)
        files["roles"].write_text("token lab everything\n")
        assert (may(desk), may(lab)) == (LOOKING, ALL)
    with agegait.Gallery.open(gallery_url, BoneLengths()) as gallery:
        actors = {entry.actor for entry in gallery.audit()}
    assert actors == {"token desk", "token door", "token lab"}


@pytest.mark.parametrize("withdrawn", ["token_file", "roles"])
def test_an_open_stream_ends_once_its_token_or_role_is_withdrawn(bones_folder, gallery_url, files, withdrawn):
    with (
        serving_bones(bones_folder, gallery_url, client={"token": DESK}, **files) as (server, desk),
        GalleryClient(server.address, timeout=60, token=DOOR) as door,
    ):
        desk.enrol("Anna", walk(0), consent="form")
        stream = door.watch_walk(every=1)
        stream.add(walk(0)[0])
        left = [line for line in files[withdrawn].read_text().splitlines(True) if "door" not in line]
        files[withdrawn].write_text("".join(left))
        with pytest.raises(DENIED):
            stream.add(walk(0)[1])


def test_roles_of_certificates(bones_folder, gallery_url, tmp_path):
    authority = Authority(tmp_path)
    for name in ("server", "door", "desk", "guest"):
        authority.sign(name)
    (tmp_path / "roles").write_text("certificate door identify\ncertificate desk manage\n")
    tls = TlsFiles(tmp_path / "server.pem", tmp_path / "server.key", tmp_path / "ca.pem")
    options = {"tls": tls, "roles": tmp_path / "roles"}

    def certificate(name):
        files = {"tls_cert": tmp_path / f"{name}.pem", "tls_key": tmp_path / f"{name}.key"}
        return {"tls_ca": tmp_path / "ca.pem", **files}

    with (
        serving_bones(bones_folder, gallery_url, client=certificate("desk"), **options) as (server, desk),
        GalleryClient(server.address, timeout=60, **certificate("door")) as door,
        GalleryClient(server.address, timeout=60, **certificate("guest")) as guest,
    ):
        desk.enrol("Anna", walk(0), consent="form")
        assert (may(desk), may(door), may(guest)) == (ALL, LOOKING, set())
    with agegait.Gallery.open(gallery_url, BoneLengths()) as gallery:
        assert {entry.actor for entry in gallery.audit()} == {"certificate desk", "certificate door"}


def test_a_name_in_the_certificate_counts_wherever_it_stands(bones_folder, gallery_url, tmp_path):
    authority = Authority(tmp_path)
    authority.sign("server")
    authority.sign("door")  # its subject alternative names are localhost and 127.0.0.1
    (tmp_path / "roles").write_text("certificate localhost manage\ncertificate door identify\n")
    tls = TlsFiles(tmp_path / "server.pem", tmp_path / "server.key", tmp_path / "ca.pem")
    own = {"tls_cert": tmp_path / "door.pem", "tls_key": tmp_path / "door.key", "tls_ca": tmp_path / "ca.pem"}
    with serving_bones(bones_folder, gallery_url, client=own, tls=tls, roles=tmp_path / "roles") as (_, client):
        client.enrol("Anna", walk(0), consent="form")
        assert client.identify(walk(0, 1), threshold=NEAR).outcome is Outcome.KNOWN
    with agegait.Gallery.open(gallery_url, BoneLengths()) as gallery:
        assert {entry.actor for entry in gallery.audit()} == {"certificate localhost"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected at least one line such as `token NAME identify`, received none"),
        ("# token door identify\n", "expected at least one line"),
        ("token door\n", "expected `token NAME ROLE` or `certificate NAME ROLE` in line 1"),
        ("\ntoken door identify manage\n", "in line 2; a role is identify or manage"),
        ("person door identify\n", "in line 1"),
        ("token door admin\n", "in line 1"),
        ("token door identify\ntoken door manage\n", "expected each name once, received the one of line 2 again"),
    ],
)
def test_a_file_with_a_mistake_is_refused(tmp_path, text, words):
    (tmp_path / "roles").write_text(text)
    with pytest.raises(ValueError, match=f"^roles: .*{words}"):
        GalleryOptions("sqlite:///gallery.db", roles=tmp_path / "roles")


def test_roles_that_are_missing_or_of_nobody_are_refused(bones_folder, gallery_url, files):
    tokens, gallery = files["token_file"], GalleryOptions(gallery_url, roles=files["roles"])
    for options, words in (
        ({"gallery": GalleryOptions(gallery_url), "token_file": tokens}, "received none"),
        ({"gallery": gallery}, "received neither of them"),
    ):
        with pytest.raises(ValueError, match=f"^roles: expected with a token_file or client_ca, {words}"):
            Server(bones_folder, port=0, **options)


def test_whoever_reaches_a_server_without_tokens_is_warned_of(bones_folder, gallery_url):
    server = Server(bones_folder, "0.0.0.0", port=0, gallery=GalleryOptions(gallery_url))
    assert any(warning.startswith("gallery: whoever reaches the server may enrol") for warning in server.warnings)
    server.stop(0)
