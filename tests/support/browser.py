"""A page as a real browser shows it: Chromium without a window, each time with a profile of its own."""

import html
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--enable-logging=stderr",
    "--v=0",
)
DARK = "--blink-settings=preferredColorScheme=0"
# Asks the page within for what it would have to be asked from outside: the page itself may run no script.
ASKING = """<!doctype html><iframe src="{page}" style="width: {width}px; height: 800px; border: 0"></iframe>
<script>
addEventListener("load", () => {{
  const root = document.querySelector("iframe").contentDocument.documentElement;
  document.body.dataset.answer = {answer};
}});
</script>"""


def find() -> str:
    """The browser; the test is skipped where there is none, or fails where AGEGAIT_BROWSER says there must be one."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get("AGEGAIT_BROWSER") == "required":
        pytest.fail(f"AGEGAIT_BROWSER=required: expected one of {', '.join(NAMES)}, found none")
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)}")
    return found


def run(*words: str) -> tuple[str, list[str]]:
    """What the browser printed, and what pages wrote to its console."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [find(), *OPTIONS, f"--user-data-dir={profile}", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def console(page: Path) -> tuple[str, list[str]]:
    """A page's elements once it is loaded, and what stands in the console."""
    return run("--dump-dom", page.as_uri())


def picture(page: Path, folder: Path, width: int, height: int, *words: str) -> np.ndarray:
    """What a window of that size shows, `[height, width, 3]`."""
    file = folder / f"{page.stem}-{width}{''.join(words)[-2:]}.png"
    run(f"--screenshot={file}", f"--window-size={width},{height}", *words, page.as_uri())
    return np.asarray(Image.open(file).convert("RGB"))


def answer(page: Path, folder: Path, width: int, question: str) -> str:
    """What an expression in JavaScript says of a page's `root` element in a window of that width."""
    asking = folder / "asking.html"
    asking.write_text(ASKING.format(page=html.escape(page.as_uri()), width=width, answer=question))
    dom, _ = run("--allow-file-access-from-files", "--dump-dom", asking.as_uri())
    return dom.partition('data-answer="')[2].partition('"')[0]


def width_and_blank_images(page: Path, folder: Path, width: int) -> tuple[int, int]:
    """How wide a page gets in a window of that width, and how many of its pictures do not show."""
    blank = '[...root.querySelectorAll("img")].filter((image) => !image.naturalWidth).length'
    wide, count = answer(page, folder, width, f"`${{root.scrollWidth}} ${{{blank}}}`").split()
    return int(wide), int(count)
