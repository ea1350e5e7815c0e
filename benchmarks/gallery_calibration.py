"""How many strangers a gallery takes for somebody, beside how many were asked for.

    .venv/bin/python benchmarks/gallery_calibration.py              # KGBD, five divisions of its people
    .venv/bin/python benchmarks/gallery_calibration.py --starter    # the embedder and calibration of generated people

For each division an embedder is trained on some people, and calibrated on others, the validation people. The rest are
tested: some of them, drawn at random, are enrolled, and all walks of the others are strangers. Nobody is in two groups.
With `one`, a walk of each person is enrolled. With `all`, all of their walks are but one, which is then looked for.
Detected are those that are taken for somebody, and rightly. Each figure is the mean over draws and divisions, with the
least and the most of a division where there are several. Expected is between which shares the calibration says that
alarms are, the middle division's. A training takes some ten minutes of one core. With `--starter` nobody is trained on,
and everybody is tested.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from agegait.data import divide_persons
from agegait.gallery import Calibration

RATES = (0.1, 0.01)
PEOPLE = (10, 30, 60)
FOUND = ("false_alarms", "detected", "least", "largest")
TEST_SHARE, VALIDATION_SHARE = 0.45, 0.2


def main():
    from agegait import GaitEmbedder, datasets
    from agegait.training import EmbedderTraining

    options = parsed()
    dataset = datasets.load(options.dataset, options.data_dir, options.manual_dir)
    walks = dataset.whole_walks()
    lines = []
    if options.starter:
        embedder = GaitEmbedder.from_preset("walkers")
        found = Calibration.from_preset("walkers"), embedder.embed(walks.skeletons), walks.persons
        lines = measure(*found, options.people, options.draws)
    for seed in range(0 if options.starter else options.divisions):
        division = divide_persons(walks.persons, TEST_SHARE, VALIDATION_SHARE, seed)
        training, validation, tested = map(walks.of_persons, (division.training, division.validation, division.tested))
        embedder = EmbedderTraining("persons", batches=options.batches).fit(training)
        calibration = Calibration.measure(embedder, validation)
        lines += measure(calibration, embedder.embed(tested.skeletons), tested.persons, options.people, options.draws)
    Console(width=120).print(table(lines))
    if options.json:
        options.json.write_text(json.dumps(lines, indent=2))


def parsed(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="kgbd", help="a data set or a folder of walks (%(default)s)")
    parser.add_argument("--data-dir")
    parser.add_argument("--manual-dir")
    parser.add_argument("--starter", action="store_true", help="test what ships with agegait, and train nothing")
    parser.add_argument("--batches", type=int, default=800, help="batches of a training (%(default)s)")
    parser.add_argument("--divisions", type=int, default=5, help="divisions of the people (%(default)s)")
    parser.add_argument("--draws", type=int, default=100, help="galleries drawn in each (%(default)s)")
    parser.add_argument("--people", type=int, nargs="+", default=PEOPLE, help="enrolled (10 30 60)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results there")
    return parser.parse_args(words)


def measure(calibration, embeddings, persons, people=PEOPLE, draws=100):
    """What thresholds did among people tested: a dict for each kind and size of gallery and each rate asked for."""
    random = np.random.default_rng(0)
    cosines = embeddings @ embeddings.T
    lines = []
    for walks in ("one", "all"):
        for count in people:
            found = [rates(calibration, cosines, persons, *drawn(random, persons, count, walks)) for _ in range(draws)]
            for rate, means in zip(RATES, np.mean(found, axis=0).tolist(), strict=True):
                line = {"walks": walks, "people": count, "asked": rate}
                lines.append({**line, **dict(zip(FOUND, means, strict=True))})
    return lines


def drawn(random, persons, count, walks):
    """Places of a probe of each of some people, drawn at random, and of their other walks, or of one of these."""
    several = [person for person in np.unique(persons) if np.count_nonzero(persons == person) > 1]
    probes, gallery = [], []
    for person in random.choice(several, count, replace=False):
        probe, *others = random.permutation(np.flatnonzero(persons == person))
        probes.append(probe)
        gallery += others if walks == "all" else others[:1]
    return np.array(probes), np.array(gallery)


def rates(calibration, cosines, persons, probes, gallery):
    """For each rate asked for, what `FOUND` names: the shares of strangers taken for somebody and of probes taken for
    their person, and the range that the calibration expects of the first; 0 and 1 where it promises none."""
    strangers = np.flatnonzero(~np.isin(persons, persons[probes]))
    alarms = cosines[np.ix_(strangers, gallery)].max(axis=1)
    nearest = cosines[np.ix_(probes, gallery)]
    right = persons[gallery][nearest.argmax(axis=1)] == persons[probes]
    sizes = Counter(Counter(persons[gallery].tolist()).values())
    lines = []
    for rate in RATES:
        distance = calibration.threshold(sizes, rate).distance
        detected = right & (nearest.max(axis=1) >= 1 - distance)
        ends = calibration.false_alarm_range(distance, sizes) or (0.0, 1.0)
        lines.append((np.mean(alarms >= 1 - distance), np.mean(detected), *ends))
    return lines


def table(lines):
    """The means over divisions, of alarms also the least and the most, a row for each kind and size of gallery."""
    shown = Table(title="Strangers taken for somebody, and people recognised, in per cent")
    heads = [f"{head} {rate:.0%}" for rate in RATES for head in ("alarms at", "expected at", "detected at")]
    for head in ("walks", "people", *heads):
        shown.add_column(head, justify="right")
    for walks, people in dict.fromkeys((line["walks"], line["people"]) for line in lines):
        cells = []
        for rate in RATES:
            own = [line for line in lines if (line["walks"], line["people"], line["asked"]) == (walks, people, rate)]
            alarms, detected, least, largest = (100 * np.array([line[name] for line in own]) for name in FOUND)
            cells += [
                f"{alarms.mean():.1f} ({alarms.min():.0f}-{alarms.max():.0f})",
                f"{np.median(least):.1f}-{np.median(largest):.1f}",
                f"{detected.mean():.1f}",
            ]
        shown.add_row(walks, str(people), *cells)
    return shown


if __name__ == "__main__":
    main()
