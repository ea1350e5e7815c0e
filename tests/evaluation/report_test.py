"""The page that `agegait evaluate --report` writes: what is on it, and that a browser shows it."""

import dataclasses
import re
import shlex
from html.parser import HTMLParser
from itertools import pairwise
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, strategies as st
from support import browser
from support.tiny_run import TINY, tiny_settings
from support.without_graphs import without_graphs

from agegait import GaitEncoder, cli, evaluation, training
from agegait.cli.parser import make_parser
from agegait.cli.run_settings import run_settings, train_command
from agegait.data import WalkFormat
from agegait.data.folder import walk_folder
from agegait.evaluation import protocols, report
from agegait.evaluation.report import attention, confusion, curves, embedding, histories, observations, rebuilding
from agegait.evaluation.report.observations import Walks, evenly
from agegait.skeletons import drawing
from agegait.training import recipes
from agegait.training.run_record import StageResult
from tfds_builders.walkers import generator

SECTIONS = ["tables", "curves", "confusion", "attention", "rebuilt", "places", "training", "split", "made"]
NASTY = ("<script>document.title='run'<", '" onload="alert(1)', "$x_{1$ & co", "_\u202e李\x1b[2J")
SHOWN = (*NASTY[:3], "_\\u202e李\\x1b[2J")


class Page(HTMLParser):
    """The elements of a page, as a browser's parser would see them."""

    def __init__(self, text):
        super().__init__()
        self.source = text
        self.elements, self.tables, self.text, self._cell = [], [], [], None
        self.isolated, self._bdi = set(), None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "bdi":
            self._bdi = ""
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._cell = tag

    def handle_endtag(self, tag):
        if tag == "bdi":
            self.isolated.add(self._bdi)
            self._bdi = None
        if tag == self._cell:
            self._cell = None

    def handle_data(self, data):
        self.text.append(data)
        if self._bdi is not None:
            self._bdi += data
        if self._cell:
            self.tables[-1][-1][-1] += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


def evaluated(run, *words):
    assert cli.main(["evaluate", str(run.folder), *map(str, words), "--report"]) == 0
    return run.folder / "report.html"


@pytest.fixture(scope="module")
def data_dir(walkers_dir):
    return walkers_dir


@pytest.fixture(scope="module")
def run(tiny_run):
    return training.load_run(tiny_run)


@pytest.fixture(scope="module")
def path(run, data_dir):
    with without_graphs(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(observations, "WINDOWS_OF_A_PERSON", 20)  # t-SNE of all takes longer than the rest of the page
        return evaluated(run, "--data-dir", data_dir, "--baseline", "d13-knn")


@pytest.fixture(scope="module")
def page(path):
    return Page(path.read_text())


@pytest.fixture(scope="module")
def found(run, path):
    return evaluation.Evaluation.read(run.folder)


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """A run on people whose names are no names, what was found of it, and what was seen."""
    folder = tmp_path_factory.mktemp("nasty")
    for person, name in enumerate(NASTY):
        for number in range(3):
            file = folder / "data" / name / f"{number}.npy"
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, generator.walk(person, "a", number)[0])
    recipe = recipes.recipe("best", **{**TINY, "epochs": 1})
    settings = tiny_settings(str(folder / "data"), attention="BA", direction="forward", frames=3, recipe=recipe)
    run = training.train(settings, folder / "<b>run")
    seen = report.Observations(run)
    return run, evaluation.evaluate(run, observe=seen), seen


@pytest.fixture(scope="module")
def nasty(observed):
    return report.write(*observed)


def test_every_section_is_there_and_in_the_contents(page):
    assert [attributes["id"] for attributes in page.all("section")] == SECTIONS
    assert [attributes["href"] for attributes in page.all("a") if attributes["href"] != "#made"] == [
        f"#{name}" for name in SECTIONS[:-1]
    ]
    for text in ("walkers", "tiny", "seed 0", "MIT; generated, of nobody", "consent", "backwards", "drawings of the"):
        assert text in page.words


def test_every_picture_is_there_and_says_what_it_shows(page):
    shown = [image["alt"].split()[0] for image in page.all("img")]
    # For each of two tests: recognition of windows and of walks, search; verification, open set; three windows.
    assert {word: shown.count(word) for word in shown} == {
        "CMC": 6,
        "ROC": 3,  # five strangers of the first test are too few
        "Four": 2,
        "The": 6,
        "t-SNE": 4,
        "Training": 2,
    }
    assert [svg["aria-label"].split()[0] for svg in page.all("svg") if "aria-label" in svg] == ["Confusion"] * 2
    assert (
        "No ROC curve of open-set identification: it needs 10 false claims or strangers, this test has 5." in page.words
    )
    alternatives = " ".join(image["alt"] for image in page.all("img"))
    for method in ("AGE", "D13 + KNN"):
        assert re.search(rf"closed-set recognition of windows: .*{re.escape(method)} \d", alternatives)


def test_tables_have_the_figures_of_the_evaluation(page, found):
    shown = {
        (row[0], row[1], row[2], heading): cell
        for table in page.tables
        if table[0][:3] == ["test", "method", "of"]
        for row in table[1:]
        for heading, cell in zip(table[0], row, strict=True)
    }
    expected = {}
    for split, rows in found.tests.items():
        for row in rows:
            key = (split, row.method, row.of)
            figures = {}
            if row.protocol == "closed-set recognition":
                figures = {"nAUC (CMC)": row.figures.nauc_cmc, "nAUC (ROC)": row.figures.nauc_roc}
            elif row.protocol == "retrieval":
                figures = {"mAP": row.figures.mean_average_precision, "mINP": row.figures.mean_inverse_negative_penalty}
            elif row.protocol == "verification":
                figures = {"EER": row.figures.equal_error_rate}
                if split == "test_b":  # the first test has 90 false claims: none may pass at 1 %
                    point = row.figures.operating_points[0]
                    figures |= {"TAR, FAR 1.0%": point.true, "reached FAR for 1.0%": point.false}
            elif split == "test_b":
                figures = {"DIR, FAR 10%": row.figures.operating_points[0].true}
            expected |= {(*key, name): f"{100 * value:.1f}" for name, value in figures.items()}
    assert len(expected) == 2 * (2 * 2 * 2 + 2 + 1) + 3
    assert {key: shown[key].split(" ")[0] for key in expected} == expected
    left_out = ("TAR, FAR 1.0%", "DIR, FAR 10%")
    assert [shown["test", "AGE", "walks", name] for name in left_out] == ["", ""]
    ranks = [
        [f"{100 * row.figures.rank[k]:.1f}" for k in (1, 5, 10)]
        for split in ("test", "test_b")
        for row in found.tests[split]
        if row.protocol == "closed-set recognition"
    ]
    (table,) = (table for table in page.tables if table[0][-1] == "nAUC (ROC)")
    assert [[cell.split(" ")[0] for cell in row[4:7]] for row in table[1:]] == ranks
    assert all(("(" in row[4]) == (row[2] == "walks") for row in table[1:])


def test_confusions_agree_with_rank_1_of_walks(page, found):
    for split in ("test", "test_b"):
        windows, walks = (one.figures for one in found.tests[split][:2])
        count = round(walks.rank[1] * walks.samples)
        assert f"{count} of {walks.samples} walks are identified rightly by AGE." in page.words
        shown = f"{100 * windows.rank[1]:.1f} % of {windows.samples:,} windows of {split} identified rightly"
        assert shown in page.words


def test_the_split_is_that_of_the_run(page, run):
    (table,) = (table for table in page.tables if table[0][:2] == ["part", "people"])
    windows = run.record.data.split.windows
    rows = {row[0]: row[1:5] for row in table[1:]}
    assert rows["train"] == ["20", "80", "4", f"{windows['train']:,}"]
    assert rows["validation"] == ["20", "20", "1", f"{windows['validation']:,}"]
    assert rows["test_b"][:3] == ["20", "40", "2"]


def test_the_page_says_how_to_get_it_again(path, run, data_dir):
    tree = ElementTree.fromstring(path.read_text().partition("\n")[2])
    train, evaluate = "".join(tree.find(".//pre").itertext()).splitlines()
    assert evaluate == f"agegait evaluate {run.folder} --data-dir {data_dir} --baseline d13-knn --report"
    options = make_parser().parse_args(shlex.split(train)[1:])
    assert run_settings(options) == run.settings
    assert options.out == run.folder


@pytest.mark.parametrize(
    "settings",
    [
        training.Settings("kgbd", recipe=recipes.recipe("paper", "kgbd")),
        training.Settings("walkers", attention="MBAS", manner="sc", features="states", direction="forward", seed=7),
        training.Settings(
            "biwi", preset="best", recipe=recipes.recipe("best", decay=False, units=8, l2=1e-5, normalize=None)
        ),
        training.Settings(
            "ias", frames=10, precision="mixed_bfloat16", recipe=recipes.recipe("paper", normalize="standardize")
        ),
        training.Settings(
            "/",
            preset="best",
            recipe=recipes.recipe("best"),
            walk_format=WalkFormat("coco_17", "mm", resample=25.0),
        ),
    ],
)
def test_a_command_is_found_for_any_settings(settings):
    options = make_parser().parse_args(["evaluate", "a run", "--manual-dir", "x y"])
    command = shlex.split(train_command(settings, options))
    again = make_parser().parse_args(command[1:])
    assert run_settings(again) == settings
    assert (str(again.out), str(again.manual_dir)) == ("a run", "x y")


@pytest.mark.parametrize("name", ["path", pytest.param("nasty", marks=pytest.mark.slow)])
def test_nothing_comes_from_elsewhere_and_nothing_runs(name, request):
    text = request.getfixturevalue(name).read_text()
    page = Page(text)
    for tag, attributes in page.elements:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base", "form")
        for attribute, value in attributes.items():
            assert not attribute.startswith("on")
            if attribute in ("src", "href", "srcset", "action", "data", "poster"):
                assert value.startswith(("#", "data:image/"))
    assert "@import" not in text
    assert "url(" not in text
    (policy,) = (meta["content"] for meta in page.all("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none';")
    assert "script" not in policy
    assert len(text) < 5e6
    assert text.isascii()


@pytest.mark.parametrize("name", ["path", pytest.param("nasty", marks=pytest.mark.slow)])
def test_the_page_is_well_formed(name, request):
    path = request.getfixturevalue(name)
    kind, _, rest = path.read_text().partition("\n")
    assert kind == "<!DOCTYPE html>"
    tree = ElementTree.fromstring(rest)
    names = [element.attrib["id"] for element in tree.iter() if "id" in element.attrib]
    assert len(names) == len(set(names))
    assert not [file for file in path.parent.iterdir() if file.name.startswith(".")]


@pytest.mark.slow
def test_names_are_text_whatever_they_are(nasty):
    page = Page(nasty.read_text())
    for name in SHOWN:
        assert name in page.words
        assert name in page.isolated
    assert {"<b>run", "data", "test"} <= page.isolated
    assert "<b>run" in page.words
    assert "basic attention (BA)" in page.words
    assert re.search(r"encoder, without labels, one epoch: training loss \d+(\.\d+)?, validation loss \d", page.words)
    assert "Training" in [image["alt"].split()[0] for image in page.all("img")]
    assert page.all("pre") == []  # nobody said how to get it again
    assert "Windows are rebuilt forwards" in page.words
    assert "the last 20% of each training walk" not in page.words  # there are three walks: one of them validates


@pytest.mark.slow
def test_what_is_not_to_be_seen_is_shown_and_names_do_not_turn_the_words_around_them(nasty):
    text = Page(nasty.read_text()).text
    assert not [character for words in text for character in words if not character.isprintable() and character != "\n"]


@pytest.mark.slow
def test_too_few_people_for_groups_leave_a_page_without_their_curves(observed, nasty):
    run, found, seen = observed
    before = nasty.read_text()
    few = {
        split: [row for row in rows if row.protocol not in ("verification", "open-set identification")]
        for split, rows in found.tests.items()
    }
    try:
        page = Page(report.write(run, dataclasses.replace(found, tests=few), seen).read_text())
    finally:
        nasty.write_text(before)
    assert "need at least four" in page.words
    assert not [image for image in page.all("img") if image["alt"].startswith("ROC")]


def test_a_page_needs_observations(run, path, found):
    with pytest.raises(ValueError, match="observations: expected those of an evaluation, found none"):
        report.write(run, found, report.Observations(run))


def test_every_protocol_is_explained(page):
    for protocol in ("closed-set recognition", "retrieval", "verification", "open-set identification"):
        assert protocols.PROTOCOLS[protocol].about in page.words


def seen(persons=(0, 0, 1, 2), named=(0, 1, 1, 2), **changes):
    """A test of four windows, each a walk of its own."""
    persons, named = np.array(persons), np.array(named)
    rng = np.random.default_rng(0)
    frames = np.resize(generator.walk(0, "a", 0)[0], (len(persons), 6, 20, 3))
    walks = Walks(np.arange(len(persons)).astype(str), persons, rng.normal(size=(len(persons), 8)), len(persons))
    fields = {
        "walks": walks,
        "walks_named": named,
        "persons": persons,
        "named": named,
        "picked": (walks.features, persons),
        "windows": frames,
        "rebuilt": frames,
        "attention": np.full((3, 6, 6), 1 / 6),
    }
    return observations.Tested(**{**fields, **changes})


def test_pairs_are_those_confused_the_most():
    test = seen(persons=(0, 0, 0, 1, 1, 2, 2), named=(1, 1, 0, 0, 1, 2, 0))
    result = confusion.confusion(test, ["ben", "anna", "cleo", "nobody"])
    assert result.people == [1, 0, 2]  # by name; nobody walks, and nobody is taken for them
    assert (result.right, result.walks, result.further) == (3, 7, 0)
    assert [(pair.person, pair.named, pair.walks, pair.of_walks) for pair in result.pairs] == [
        (0, 1, 2, 3),
        (1, 0, 1, 2),
        (2, 0, 1, 2),
    ]


def test_the_confusion_matrix_has_peoples_names(page):
    (labels,) = {tuple(sorted(set(_labels(svg)))) for svg in _matrices(page.source)}
    assert labels == tuple(f"walker{number:02d}" for number in range(20))


@pytest.mark.slow
def test_names_in_the_confusion_matrix_are_text(nasty):
    assert {SHOWN[3], SHOWN[2]} <= {label for svg in _matrices(nasty.read_text()) for label in _labels(svg)}


def test_many_people_have_names_that_do_not_overprint_each_other():
    names = [f"person {number}" for number in range(164)]
    result = confusion.confusion(seen(persons=np.arange(164), named=np.arange(164)), names)
    assert (len(result.people), result.named_every) == (164, 5)
    assert confusion.confusion(seen(), names).named_every == 1


def _matrices(text):
    tree = ElementTree.fromstring(text.partition("\n")[2])
    return [svg for svg in tree.iter("svg") if svg.get("aria-label", "").startswith("Confusion")]


def _labels(svg):
    return [text.text for text in svg.iter("text") if text.get("class") is None]


def test_nobody_is_named_rightly():
    result = confusion.confusion(seen(persons=(0, 1), named=(1, 0)), ["a", "b"])
    assert (result.right, result.walks) == (0, 2)
    assert result.squares == [(0, 1, 1, 1), (1, 0, 1, 1)]


def test_windows_decide_between_pairs_of_as_many_walks():
    test = seen(persons=(0, 1, 2), named=(0, 1, 2))
    test = seen(
        walks=test.walks,
        walks_named=test.walks_named,
        persons=np.array([0, 0, 1, 1, 1]),
        named=np.array([0, 2, 2, 2, 1]),
    )
    result = confusion.confusion(test, ["a", "b", "c"])
    assert [(pair.person, pair.named, pair.windows, pair.of_windows) for pair in result.pairs] == [
        (1, 2, 2, 3),
        (0, 2, 1, 2),
    ]


def test_errors_are_centimetres_between_joints():
    windows = seen().windows[:, :3]
    shift = np.array([0.01, 0.03, 0.02, 0.04])[:, None, None, None] * np.array([0.6, 0.0, 0.8])
    result = rebuilding.rebuilding(seen(windows=windows, rebuilt=windows + shift))
    assert [name for name, _, _ in result.pictures] == ["best", "median", "worst"]
    np.testing.assert_allclose([error for _, error, _ in result.pictures], [1, 3, 4], atol=1e-4)
    np.testing.assert_allclose(result.quantiles, np.quantile([1, 2, 3, 4], (0.1, 0.5, 0.9)), atol=1e-4)
    assert "4.0, 4.0, 4.0." in result.pictures[2][2].alternative


@pytest.mark.parametrize("direction", ["reverse", "forward"])
def test_rebuilt_windows_stand_in_the_order_of_time(direction):
    class Encoder:
        def predict(self, windows, **_):
            order = slice(None, None, -1) if direction == "reverse" else slice(None)
            uniform = np.full((len(windows), 3, 6, 6), 1 / 6)
            return {"reconstruction": windows[:, order], "attention": uniform}

    Encoder.direction = direction

    class Run:
        encoder = Encoder()

    windows = seen().windows
    some, rebuilt, attention = report.Observations(Run())._encode(windows)
    np.testing.assert_array_equal(some, windows)
    np.testing.assert_array_equal(rebuilt, windows.astype("float32"))
    np.testing.assert_allclose(attention.sum(axis=-1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "direction", "frames", "text"),
    [
        ("LA", "reverse", 6, "its loss draws each row"),
        ("BA", "forward", 24, "nothing draws"),
        ("MBAS", "reverse", 2, "under a mask"),
    ],
)
def test_attention_tells_how_much_goes_to_the_frame_that_is_rebuilt(kind, direction, frames, text):
    encoder = GaitEncoder(frames, units=2, attention=kind, direction=direction)
    own = np.eye(frames) if direction == "forward" else np.eye(frames)[::-1]
    weights = np.stack([own, np.full((frames, frames), 1 / frames), 0.75 * own + 0.25 / frames])
    found = attention.attention(weights, encoder)
    np.testing.assert_allclose(found.on_rebuilt, [1, 1 / frames, 0.75 + 0.25 / frames])
    assert found.uniform == 1 / frames
    assert text in found.reading


def test_long_windows_are_drawn_in_some_of_their_frames(monkeypatch):
    monkeypatch.setattr(drawing, "MOST_FRAMES", 3)
    windows = generator.walk(0, "a", 0)[0][:20].reshape(4, 5, 20, 3)
    result = rebuilding.rebuilding(seen(windows=windows, rebuilt=windows))
    assert [error for _, error, _ in result.pictures] == [0, 0, 0]


@given(st.integers(1, 300), st.integers(1, 40))
def test_evenly_takes_as_many_as_asked_and_the_ends(count, most):
    taken = evenly(count, most)
    assert len(taken) == min(count, most)
    assert taken[0] == 0
    assert most == 1 or taken[-1] == count - 1
    assert (np.diff(taken) > 0).all()
    assert most < 2 or np.diff(taken, prepend=taken[0]).max(initial=0) <= -(-count // max(most - 1, 1))


def test_places_repeat_with_a_seed_and_need_something_to_place():
    features = np.random.default_rng(1).normal(size=(40, 12))
    first = embedding._places(features, features, 0)
    np.testing.assert_array_equal(first, embedding._places(features, features, 0))
    assert first.shape == (40, 2)
    assert embedding._places(features[:4], features, 0) is None
    assert embedding._places(np.ones((40, 12)), features, 0) is None


def test_curves_of_different_protocols_never_share_a_picture():
    recognized = protocols.Recognition(2, {1: 0.5}, 0.75, 0.5, (0.5, 1.0))
    found = [
        evaluation.Result("AGE", "windows", recognized),
        evaluation.Result("AGE", "walks", recognized),
        evaluation.Result("raw MLP", "windows", recognized),
        evaluation.Result("AGE", "walks", protocols.Retrieval(5, 2, {1: 0.2}, 0.3, 0.3, (0.2, 0.4))),
    ]
    assert [picture.caption for picture in curves.cmc(found)] == [
        "CMC: closed-set recognition, windows",
        "CMC: closed-set recognition, walks",
        "CMC: retrieval, walks",
    ]
    assert "AGE 50.0 % at rank 1; raw MLP 50.0 % at rank 1" in curves.cmc(found)[0].alternative
    assert curves.roc(found) == []
    assert curves.left_out(found) == [
        "No ROC curve: verification and open sets divide people into groups, and need at least four."
    ]


def test_thresholds_of_the_table_stand_in_the_picture_and_not_above_the_curve():
    rng = np.random.default_rng(0)
    people = np.arange(60) % 20
    features = rng.normal(size=(20, 8))
    walks = (features[people] + rng.normal(size=(60, 8)), people, features, np.arange(20))
    for compare in (protocols.verification, protocols.open_set):
        figures = compare(*walks)
        (picture,) = curves.roc([evaluation.Result("AGE", "walks", figures)])
        said = {point.asked: f"FAR of {100 * point.asked:g} %: " for point in figures.operating_points}
        shown = [point for point in figures.operating_points if said[point.asked] in picture.alternative]
        assert [point.asked for point in shown] == ([0.01] if compare is protocols.verification else [0.1])
        curve = dict(zip(figures.roc.false, figures.roc.true, strict=True))
        for point in shown:
            assert point.true <= curve.get(point.false, 1)
            assert f"{100 * point.true:.0f} % at {100 * point.false:.2g} %" in picture.alternative


def test_trainings_show_what_their_tables_hold(tmp_path):
    class Run:
        folder = tmp_path
        record = SimpleNamespace(trained={"recognizer": StageResult(3, 1.0, 2)})

    assert histories.histories(Run()) == histories.single_epochs(Run()) == []
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "encoder.csv").write_text("epoch,loss\n0,2.5\n1,nan\n")
    (tmp_path / "history" / "recognizer.csv").write_text("epoch,accuracy,val_accuracy\n0,.5,.25\n1,.75,.5\n2,1,.375\n")
    encoder, recognizer = histories.histories(Run())
    assert "training loss nan in the last epoch" in encoder.alternative
    expected = "training accuracy 100 %, validation accuracy 37.5 % in the last epoch, epoch 2 chosen"
    assert expected in recognizer.alternative
    (tmp_path / "history" / "encoder.csv").write_text("epoch,loss,val_loss\n0,2.5,3\n")
    assert histories.single_epochs(Run()) == [
        "encoder, without labels, one epoch: training loss 2.5, validation loss 3."
    ]
    assert len(histories.histories(Run())) == 1


@pytest.mark.parametrize("values", [(12.5, 12.1, 11.8), (430.0, 61.0, 12.1, 11.8), (9e4, 20.0, 0.3)])
def test_labels_of_losses_do_not_overprint_each_other(tmp_path, values, monkeypatch):
    figures = []
    monkeypatch.setattr(histories, "vector", lambda figure: figures.append(figure) or "")

    class Run:
        folder = tmp_path
        record = SimpleNamespace(trained={})

    (tmp_path / "history").mkdir()
    rows = "".join(f"{number},{value},{value}\n" for number, value in enumerate(values))
    (tmp_path / "history" / "encoder.csv").write_text("epoch,loss,val_loss\n" + rows)
    histories.histories(Run())
    (figure,) = figures
    figure.draw_without_rendering()
    axis = figure.axes[0].yaxis
    labels = [label for label in axis.get_ticklabels(which="both") if label.get_text()]
    low, high = axis.get_view_interval()
    boxes = sorted(
        (label.get_window_extent() for label in labels if low <= label.get_position()[1] <= high),
        key=lambda box: box.y0,
    )
    assert len(boxes) >= 2
    assert all(below.y1 <= above.y0 for below, above in pairwise(boxes))


def test_a_browser_finds_nothing_wrong(path):
    dom, said = browser.console(path)
    assert said == []
    assert dom.count("<section") == len(SECTIONS)


@pytest.mark.slow
def test_a_browser_runs_nothing_of_a_name(nasty):
    dom, said = browser.console(nasty)
    assert said == []
    assert "<title>data, run &lt;b&gt;run: agegait report</title>" in dom


@pytest.mark.parametrize("name", ["path", pytest.param("nasty", marks=pytest.mark.slow)])
@pytest.mark.parametrize("width", [390, pytest.param(1280, marks=pytest.mark.slow)])
def test_the_page_is_as_wide_as_the_window_and_shows_its_pictures(name, width, tmp_path, request):
    assert browser.width_and_blank_images(request.getfixturevalue(name), tmp_path, width) == (width, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 900)])
def test_a_screen_is_not_blank_by_day_or_night(path, tmp_path, width, height):
    day, night = (browser.picture(path, tmp_path, width, height, *words) for words in ((), (browser.DARK,)))
    for picture, ground in ((day, 255), (night, 20)):
        assert picture.shape == (height, width, 3)
        assert picture[5, 5, 0] == ground
        text = np.abs(picture.astype(int) - picture[5, 5]).max(axis=-1) > 100
        assert 0.01 < text.mean() < 0.3


def test_figures_are_on_a_small_screen(path, tmp_path):
    cells = '[...root.querySelectorAll("#tables td")]'
    off_screen = f"{cells}.filter((cell) => cell.getBoundingClientRect().right > 390).length"
    assert browser.answer(path, tmp_path, 390, f"`${{{cells}.length}} ${{{off_screen}}}`").split()[1] == "0"


@pytest.mark.slow
def test_pictures_are_dark_at_night(path, tmp_path):
    night = browser.picture(path, tmp_path, 1280, 8000, browser.DARK)
    assert (night.min(axis=-1) > 240).mean() < 0.01  # no white paper


@pytest.mark.slow
def test_the_browser_tells_what_is_wrong_with_a_page(tmp_path):
    wrong = tmp_path / "wrong.html"
    wrong.write_text('<body style="width: 900px"><img src="gone.png"><script>console.error("alas")</script>')
    _, said = browser.console(wrong)
    assert any("alas" in line for line in said)
    width, blank = browser.width_and_blank_images(wrong, tmp_path, 390)
    assert width >= 900
    assert blank == 1


def test_a_browser_that_must_be_there_is_not_skipped(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.delenv("AGEGAIT_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no browser"):
        browser.find()
    monkeypatch.setenv("AGEGAIT_BROWSER", "required")
    with pytest.raises(pytest.fail.Exception, match="found none"):
        browser.find()


@pytest.mark.slow
def test_a_second_evaluation_keeps_baselines_of_the_same_tests(run, data_dir, path, found):
    with without_graphs():  # as the first: another order of computation is another rounding
        again = evaluation.evaluate(run, data_dir)
    assert again == evaluation.Evaluation.read(run.folder)
    for split, results in found.tests.items():
        assert sorted(again.tests[split], key=repr) == sorted(results, key=repr)
    (run.folder / "evaluation.json").write_text("[1]")  # damaged: written anew
    assert {row.method for row in evaluation.evaluate(run, data_dir).tests["test"]} == {"AGE"}


@pytest.mark.slow
def test_a_report_reads_each_file_once(observed, nasty, monkeypatch):
    run = observed[0]
    read = []
    original = walk_folder.read_recordings
    monkeypatch.setattr(walk_folder, "read_recordings", lambda path, *how: read.append(path) or original(path, *how))
    monkeypatch.setattr(walk_folder, "_RECOGNIZED_BY", 1)  # one walk tells the joints, before all are read
    evaluated(run, "--baseline", "d13-knn")
    assert len(set(read)) == 12
    assert len(read) == 12  # the first stays in memory
