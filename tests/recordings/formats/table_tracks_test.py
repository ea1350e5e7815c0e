"""Whose rows are whose: people, walks and bodies in one table; frames that are there twice, or missing; clocks."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.walk_writing import long_text, refused, wide_text, write

from agegait import skeletons
from agegait.data import WalkFormat
from agegait.recordings import read_recordings

J = len(skeletons.JOINTS)


@pytest.fixture
def walk():
    return np.random.default_rng(0).standard_normal((40, J, 3))


def read(path, walk, columns, text_of=wide_text, **options):
    return read_recordings(
        write(path, text_of(walk, skeletons.JOINTS, columns=columns)), walk_format=WalkFormat(**options)
    )


def said(recordings):
    return "; ".join(remark for recording in recordings for remark in recording.remarks)


class TestPeople:
    @pytest.mark.parametrize(("person", "walk_name"), [("person", "walk"), ("Subject ID", "Trial"), ("name", "seq_no")])
    @pytest.mark.parametrize("text_of", [wide_text, long_text])
    def test_a_table_for_everybody(self, tmp_path, walk, person, walk_name, text_of):
        columns = {person: ["p1"] * 20 + ["p2"] * 20, walk_name: (["w1"] * 10 + ["w2"] * 10) * 2}
        if text_of is wide_text:
            columns["frame"] = [*range(10)] * 4
        recordings = read(tmp_path / "walks.csv", walk, columns, text_of)
        assert [(found.person, found.walk) for found in recordings] == [
            *(("p1", "w1"), ("p1", "w2"), ("p2", "w1"), ("p2", "w2"))
        ]
        np.testing.assert_array_equal(np.concatenate([found.coordinates for found in recordings]), walk)
        assert said(recordings) == ""

    def test_rows_of_two_people_take_turns(self, tmp_path, walk):
        recordings = read(tmp_path / "walks.csv", walk, {"person": [7, 8] * 20, "frame": np.arange(40) // 2})
        assert [found.person for found in recordings] == ["7", "8"]
        np.testing.assert_array_equal(recordings[1].coordinates, walk[1::2])
        np.testing.assert_array_equal(recordings[1].lines, np.arange(3, 42, 2))

    def test_columns_of_walks_count_together_where_they_differ(self, tmp_path, walk):
        columns = {"session": [1] * 20 + [2] * 20, "take": ([1] * 10 + [2] * 10) * 2, "camera": ["left"] * 40}
        recordings = read(tmp_path / "walks.csv", walk, columns)
        assert [found.walk for found in recordings] == ["1-1", "1-2", "2-1", "2-2"]

    def test_numbers_of_parquet_keep_all_digits(self, tmp_path, walk):
        ids = np.repeat([72_057_594_037_927_937, 72_057_594_037_927_938], 20)
        names = [f"{name}_{axis}" for name in skeletons.JOINTS for axis in "xyz"]
        columns = dict(zip(names, walk.reshape(40, -1).T, strict=True)) | {"subject": ids, "TrackingId": ids}
        pq.write_table(pa.table(columns), tmp_path / "walks.parquet")
        recordings = read_recordings(tmp_path / "walks.parquet")
        assert [(found.person, found.body) for found in recordings] == [(str(one), str(one)) for one in ids[[0, 20]]]

    def test_a_label_is_asked_for(self, tmp_path, walk):
        columns = {"label": ["a"] * 20 + ["b"] * 20}
        with pytest.raises(
            ValueError, match=r"walks\.csv: column 'label' has 2 values \(a, b\): does it say who walks"
        ):
            read(tmp_path / "walks.csv", walk, columns)
        assert [one.person for one in read(tmp_path / "walks.csv", walk, columns, person_column="Label")] == ["a", "b"]
        (whole,) = read(tmp_path / "walks.csv", walk, columns, person_column="")
        assert (whole.person, whole.remarks) == (None, ("not read: label",))
        (whole,) = read(tmp_path / "walks.csv", walk, columns | {"frame": range(40)})  # one recording, as frames go on
        assert "not read: label (2 values" in said([whole])
        with pytest.raises(ValueError, match=r"person_column: expected one of the columns label, .*, received 'who'"):
            read(tmp_path / "walks.csv", walk, columns, person_column="who")

    def test_a_row_without_a_person(self, tmp_path, walk):
        write(tmp_path / "walks.csv", wide_text(walk, skeletons.JOINTS, columns={"person": ["a", ""] * 20}))
        refused(tmp_path / "walks.csv", "line 3, column 'person': expected who walks, found an empty field")


class TestBodies:
    @pytest.mark.parametrize("name", ["BodyID", "body", "id", "TrackingId", "track_id", "Skeleton Index"])
    @pytest.mark.parametrize("frame", [{}, {"Index": range(1, 41)}, {"frame": np.arange(40) // 2}])
    def test_bodies_that_take_turns(self, tmp_path, walk, name, frame):
        recordings = read(tmp_path / "walk.csv", walk, {name: [0, 3] * 20, **frame})
        assert [(found.body, found.breaks) for found in recordings] == [("0", ()), ("3", ())]
        np.testing.assert_array_equal(recordings[1].coordinates, walk[1::2])
        assert f"2 bodies are in the file: {name} 0, 3" in said(recordings)

    def test_a_body_that_is_gone_for_a_while(self, tmp_path, walk):
        ids = [0, 3] * 5 + [0] * 10 + [0, 3] * 10
        first, second = read(tmp_path / "walk.csv", walk, {"BodyID": ids, "Index": range(40)})
        assert (len(first.coordinates), first.breaks) == (25, ())
        assert (len(second.coordinates), second.breaks) == (15, (5,))
        assert "10 frames are missing between lines 11 and 23" in said([second])

    def test_bodies_of_a_long_table(self, tmp_path, walk):
        text = long_text(walk, skeletons.JOINTS, columns={"id": [1, 2] * 20})
        head, *rows = text.splitlines()
        rows = [",".join([row.split(",")[0], str(int(row.split(",")[1]) // 2), *row.split(",")[2:]]) for row in rows]
        recordings = read_recordings(write(tmp_path / "walk.csv", "\n".join([head, *rows])))
        assert [found.body for found in recordings] == ["1", "2"]
        np.testing.assert_array_equal(recordings[0].coordinates, walk[::2])

    @pytest.mark.parametrize("name", ["{}_{}", "Body{}.{}", "person {} {}"])
    def test_bodies_beside_each_other(self, tmp_path, walk, name):
        both = np.concatenate([walk, walk[::-1]], axis=1)
        both[5:15, J:] = 0
        names = [name.format(body, joint) for body in (1, 2) for joint in skeletons.JOINTS]
        first, second = read_recordings(write(tmp_path / "walk.csv", wide_text(both, names)))
        assert (first.body, second.body, second.breaks) == ("1", "2", (5,))
        np.testing.assert_array_equal(first.coordinates, walk)
        np.testing.assert_array_equal(second.coordinates, np.delete(walk[::-1], range(5, 15), axis=0))
        assert "10 rows without body 2 were left out" in said([second])
        assert skeletons.schema_of_names(second.names)[0].name == "kinect_v1"

    def test_a_number_that_changes_is_said(self, tmp_path, walk):
        (whole,) = read(tmp_path / "walk.csv", walk, {"BodyID": [2] * 31 + [4] * 9})
        assert (len(whole.coordinates), whole.body, whole.breaks) == (40, None, (31,))
        assert whole.remarks == ("BodyID changes from 2 to 4 in line 33: one person or two?",)
        (whole,) = read(tmp_path / "walk.csv", walk, {"id": [2] * 10 + [4] * 10 + [2] * 20})
        assert whole.breaks == (10, 20)
        assert said([whole]).endswith("It changes 2 times.")

    def test_one_body_and_none(self, tmp_path, walk):
        (whole,) = read(tmp_path / "walk.csv", walk, {"BodyID": [5] * 40})
        assert (whole.body, whole.remarks) == ("5", ())
        (whole,) = read(tmp_path / "walk.csv", walk, {"id": range(40)})
        assert whole.body is None
        assert "not read: id (another number in nearly each row" in said([whole])
        walk[1::2] = 0  # places of bodies that the sensor does not see
        (whole,) = read(tmp_path / "walk.csv", walk, {"BodyID": [5, 0] * 20})
        assert (whole.body, len(whole.coordinates)) == ("5", 20)
        assert said([whole]) == "20 rows of bodies without coordinates were left out"


class TestFrames:
    def test_repeated_frames_are_left_out_and_said(self, tmp_path, walk):
        rows = np.sort([*range(40), 3, 7, 7])
        (whole,) = read(tmp_path / "walk.csv", walk[rows], {"frame": rows + 190})
        np.testing.assert_array_equal(whole.coordinates, walk)
        assert whole.remarks == ("3 frames are there twice (line 6 is frame 193 again) and were left out",)
        (whole,) = read(tmp_path / "walk.csv", walk[rows], {"time_s": rows / 30})
        np.testing.assert_array_equal(whole.coordinates, walk)
        assert whole.frame_rate is None
        np.testing.assert_allclose(whole.seconds, np.arange(40) / 30)
        assert whole.remarks[0].startswith("3 frames are there twice (line 6 is time 0.1 again)")

    def test_repeated_rows_of_a_long_table(self, tmp_path, walk):
        head, *rows = long_text(walk, skeletons.JOINTS).splitlines()
        (whole,) = read_recordings(write(tmp_path / "walk.csv", "\n".join([head, *rows, *rows[40:50]])))
        np.testing.assert_array_equal(whole.coordinates, walk)
        assert whole.remarks == ("10 rows are there twice (line 802 is the first) and were left out",)

    def test_one_number_with_other_coordinates(self, tmp_path, walk):
        numbers = [*range(20), *range(19, 39)]
        write(tmp_path / "walk.csv", wide_text(walk, skeletons.JOINTS, columns={"frame": numbers}))
        refused(tmp_path / "walk.csv", "line 22, column 'frame': .* found 19 after 19 with other coordinates")

    @pytest.mark.parametrize("columns", [("frame", "time_s"), ("frame",), ("time_s",)])
    def test_a_hole_is_a_break(self, tmp_path, walk, columns):
        places = np.array([*range(20), *range(30, 50)])
        values = {"frame": places, "time_s": places / 30}
        (whole,) = read(tmp_path / "walk.csv", walk, {name: values[name] for name in columns})
        assert whole.breaks == (20,)
        where = "19 and 30" if "frame" in columns else "lines 21 and 22"
        assert whole.remarks == (f"10 frames are missing between {where}",)

    def test_a_few_missing_frames_are_no_break(self, tmp_path, walk):
        numbers = np.delete(np.arange(100), [3, 20, 21, 30, 31, 32, *range(40, 47)])[:40]
        (whole,) = read(tmp_path / "walk.csv", walk, {"frame": numbers})
        assert whole.breaks == (34,)
        assert whole.remarks == (
            "7 frames are missing between 39 and 47, 3 between 29 and 33, 2 between 19 and 22, 1 in 1 more places",
        )

    def test_names_of_pictures_number_frames(self, tmp_path, walk):
        names = [f"take2_{frame:05}.png" for frame in (*range(20), *range(30, 50))]
        (whole,) = read(tmp_path / "walk.csv", walk, {"frame": names})
        assert whole.breaks == (20,)

    def test_jitter_and_bursts_are_no_holes(self, tmp_path, walk):
        jitter = np.arange(40) / 30 + np.random.default_rng(0).uniform(-0.006, 0.006, 40)
        bursts = np.arange(40) // 4 * 4 / 30 + np.arange(40) % 4 * 0.001
        for times in (jitter, bursts):
            (whole,) = read(tmp_path / "walk.csv", walk, {"time_s": times})
            assert (whole.breaks, whole.remarks) == ((), ())


class TestClocks:
    @pytest.mark.parametrize(
        "write_time",
        [
            lambda s: f"2024-03-05T10:15:{30 + s:06.3f}",
            lambda s: f"2024-03-05 10:15:{30 + s:06.3f}+01:00",
            lambda s: f"3/5/2024 1:15:{30 + s:06.3f} PM",
            lambda s: f"05.03.2024 13:15:{30 + s:06.3f}",
            lambda s: f"10:15:{30 + s:06.3f}".replace(".", ":"),
            lambda s: 638_452_161_300_000_000 + round(s * 1e7),
            lambda s: 133_541_001_300_000_000 + round(s * 1e7),
            lambda s: 1_709_633_730_123 + round(s * 1e3),
            lambda s: f"{1_709_633_730 + s:.3f}",
            lambda s: 1_709_633_730_000_000_000 + round(s * 1e9),
            lambda s: round(s * 1e7),
            lambda s: f"15:{30 + s:06.3f}",
            lambda s: f'"{958_171 + round(s * 1000):,}"',
        ],
    )
    def test_times_as_loggers_write_them(self, tmp_path, walk, write_time):
        (whole,) = read(tmp_path / "walk.csv", walk, {"timestamp": [write_time(frame / 30) for frame in range(40)]})
        np.testing.assert_allclose(whole.seconds, np.arange(40) / 30, atol=2e-3)

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("3/5/2024 23:59:59.9", "3/6/2024 00:00:00.1"),
            ("2024-02-29 23:59:59.9", "2024-03-01 00:00:00.1"),
            ("23:59:59.9", "00:00:00.1"),
            ("12:59:59.9", "01:00:00.1"),
            ("59:59.9", "0:00.1"),
            ("11:59:59.9 AM", "12:00:00.1 PM"),
            ("11:59:59.9 PM", "12:00:00.1 AM"),
        ],
    )
    def test_clocks_that_go_round(self, tmp_path, walk, before, after):
        (whole,) = read(tmp_path / "walk.csv", walk[:2], {"time": [before, after]})
        np.testing.assert_allclose(whole.seconds, [0, 0.2], atol=1e-6)

    def test_a_clock_that_stands_still(self, tmp_path, walk):
        (whole,) = read(tmp_path / "walk.csv", walk, {"TimeSpan": ["1.709634E+12"] * 40})
        assert (whole.seconds, whole.frame_rate) == (None, None)
        assert whole.remarks == ("column 'TimeSpan' does not tell frames apart: all are 1.70963e+12",)

    def test_whole_seconds_tell_the_rate_if_there_are_enough(self, tmp_path, walk):
        walk = walk.repeat(6, axis=0) + np.arange(240)[:, None, None]
        times = [f"10:15:{(frame + 12) // 30:02d}" for frame in range(240)]
        (whole,) = read(tmp_path / "walk.csv", walk, {"Timestamp": times})
        assert (whole.seconds, whole.frame_rate) == (None, pytest.approx(30))
        (whole,) = read(tmp_path / "walk.csv", walk[:60], {"Timestamp": times[:60]})
        assert (whole.seconds, whole.frame_rate) == (None, None)
        assert said([whole]) == "column 'Timestamp' is too coarse to tell the frame rate"

    def test_a_unit_that_cannot_be(self, tmp_path, walk):
        (whole,) = read(tmp_path / "walk.csv", walk, {"time_ms": np.arange(40) / 30})
        assert whole.seconds is None
        assert "'time_ms' not understood: 0.0333333 from frame to frame, of 0.001 s each" in said([whole])

    def test_the_next_clock_counts_where_one_is_of_no_use(self, tmp_path, walk):
        columns = {"Timestamp": ["10:15:30"] * 40, "RelativeTime": np.arange(40) * 333_333}
        (whole,) = read(tmp_path / "walk.csv", walk, columns)
        np.testing.assert_allclose(whole.seconds, np.arange(40) / 30, atol=1e-4)

    def test_times_that_fall(self, tmp_path, walk):
        times = np.arange(40) / 30
        times[20] = 0.1
        write(tmp_path / "walk.csv", wide_text(walk, skeletons.JOINTS, columns={"time_s": times}))
        refused(tmp_path / "walk.csv", "line 22, column 'time_s': expected times in order, and one walk a file")
        (whole,) = read(tmp_path / "walk.csv", walk, {"time_s": times, "frame": range(40)})
        assert (whole.seconds, said([whole])) == (None, "column 'time_s' falls in line 22, so it is not read")
