"""The benchmark: rows are compared before they are timed, sides take turns, and the numbers hang together."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import numpycnn as nc

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import benchmark
import benchmark_machine
import benchmark_memory
import benchmark_ours
import benchmark_report
import benchmark_scaling
import benchmark_stopwatch
import benchmark_suites
from benchmark_flags import SUITES, parse_flags
from benchmark_stopwatch import Clock, DisagreementError, Measured, Side, Work, compare, difference

QUICK = ["--threads", "1", "--rounds", "3", "--seconds", "0", "--warm", "0", "--json", "out.json"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Let nothing be written but below a temporary folder."""
    monkeypatch.chdir(tmp_path)


def run(*flags):
    """Run the script in small; return its exit code and its record."""
    code = benchmark.main([*flags, *QUICK])
    return code, json.loads(Path("out.json").read_text(), parse_constant=pytest.fail)


class Fake(Side):
    """A side that writes down what is done with it."""

    def __init__(self, name, log, y=1.0):
        self.name, self.log, self.y = name, log, y

    def run(self):
        self.log.append(self.name)

    def results(self):
        self.log.append(f"{self.name}'s results")
        return {"y": np.array([self.y, 4.0])}

    def settle(self):
        self.log.append(f"{self.name} settles")


# The stopwatch


def test_sides_are_compared_then_settle_then_take_turns_each_warmed_up():
    log, ticks = [], []
    work = Work("work", lambda: [("a", Fake("a", log)), ("b", Fake("b", log))], compared_runs=2)
    row = work.measure(Clock(2, 0, 0, tick=lambda: ticks.append(len(log))))
    comparison = ["a", "a", "a's results", "b", "b", "b's results"]
    assert log == [*comparison, "a settles", "b settles", "a", "a", "b", "b", "b", "b", "a", "a"]
    assert ticks == [10, 12, 14, 16]
    assert {name: len(blocks) for name, blocks in row.blocks.items()} == {"a": 2, "b": 2}
    assert row.differences == {"b": 0}


def test_a_block_is_the_mean_of_its_runs(monkeypatch):
    readings = iter([0.0, 0.1, 0.2, 0.3])
    monkeypatch.setattr(benchmark_stopwatch.time, "perf_counter", lambda: next(readings))
    log = []
    assert benchmark_stopwatch.run_for(0.25, Fake("a", log)) == pytest.approx(0.1)
    assert log == ["a"] * 3


def test_sides_that_disagree_are_not_timed():
    log = []
    work = Work("work", lambda: [("a", Fake("a", log)), ("b", Fake("b", log, y=1.1))], tolerance=1e-2)
    row = work.measure(Clock(2, 0, 0))
    assert row.failure == (
        "y of a and b differ by 0.025 of the largest entry, more than the 0.01 that rounding may explain"
    )
    assert (row.blocks, "a settles" in log) == ({}, False)


def test_what_is_compared_in_place_of_the_sides_is_not_timed():
    log = []
    work = Work(
        "work",
        lambda: [("a", Fake("a", log)), ("b", Fake("b", log, y=1.1))],
        proof=lambda: ((name, Fake(f"{name} in float64", log)) for name in "ab"),
    )
    row = work.measure(Clock(1, 0, 0))
    assert log[:4] == ["a in float64", "a in float64's results", "b in float64", "b in float64's results"]
    assert log[4:] == ["a settles", "b settles", "a", "a", "b", "b"]
    assert (row.differences, list(row.blocks)) == ({"b": 0}, ["a", "b"])


def test_sides_that_return_different_things_disagree():
    less = Fake("b", [])
    less.results = dict
    with pytest.raises(DisagreementError, match="a returns y, and b "):
        compare([("a", Fake("a", [])), ("b", less)], 1, 1.0)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([1.0, 2.0], [1.0, 4.0], 0.5),
        ([0.0], [0.0], 0),
        ([1e-3], [0.0], 1e-3),
        ([], [], 0),
        ([1.0], [1.0, 1.0], math.inf),
        ([math.nan], [1.0], math.inf),
        ([math.inf], [math.inf], math.inf),
    ],
)
def test_differences_are_relative_to_the_largest_entry(ours, theirs, expected):
    assert difference(np.array(ours), np.array(theirs)) == expected


# The suites


def test_the_flags_know_the_suites():
    assert tuple(benchmark.SUITES) == SUITES


def test_lenet_prints_a_table_that_says_what_the_file_says(capsys):
    code, record = run("--batch", "2")
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    names = ["LeNet training step, batch 2", "LeNet inference, batch 2"]
    assert [row["work"] for row in record["rows"]] == names
    assert (record["threads"], record["interrupted"], record["means"]) == (1, False, [])
    for row in record["rows"]:
        assert list(row["blocks"])[:3] == ["ours", "torch", "torch channels_last"]
        assert all(len(blocks) == 3 and min(blocks) > 0 for blocks in row["blocks"].values())
        assert row["medians"] == {side: np.median(blocks) for side, blocks in row["blocks"].items()}
        assert max(row["differences"].values()) < 1e-4
        for ratio in row["ratios"]:
            each = np.divide(row["blocks"][ratio["of"]], row["blocks"][ratio["to"]])
            assert [ratio[key] for key in ("least", "median", "most")] == pytest.approx(np.quantile(each, [0, 0.5, 1]))

    lines = out.splitlines()
    assert "1 thread on each side" in lines[0]
    assert f"NumPy {np.__version__}" in lines[1] and f"PyTorch {torch.__version__}" in lines[1]
    show = benchmark_report.number
    for row in record["rows"]:
        (line,) = (line for line in lines if line.startswith(row["work"]))
        ratio, medians = row["ratios"][0], row["medians"]
        cells = ["torch", medians["ours"], medians["torch"], ratio["median"], ratio["least"], "-", ratio["most"]]
        assert line.removeprefix(row["work"]).split() == [c if isinstance(c, str) else show(c) for c in cells]


def test_layers_have_means_and_begin_with_plain_loops(capsys):
    _, record = run("layers", "--only", "ResNet 3x3 64->64", "--markdown")
    forward, _, backward, _ = record["rows"]  # the others with Winograd
    assert forward["work"] == "ResNet 3x3 64->64 @56, batch 1, forward"
    assert set(backward["differences"]) == {"torch", "torch channels_last"}
    means = {(mean["tag"], mean["against"]): mean for mean in record["means"]}
    for tag in ("all shapes", "3x3 stride 1"):
        mean = means[f"{tag}, batch 1, forward+backward", "torch"]
        assert (mean["ratio"], mean["rows"]) == (pytest.approx(backward["ratios"][0]["median"]), 1)
    tables = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert {line.count("|") for line in tables} == {7, 5}  # the rows, and the means

    code, record = run("layers", "--only", "plain loops")
    (row,) = record["rows"]
    assert code == 0 and row["differences"]["plain loops"] < 1e-6
    assert row["medians"]["plain loops"] > row["medians"]["ours"]


def test_ops_agree_backward_too():
    for only, names in (
        ("8x6x24x24", ["MaxPool2d(2) on 8x6x24x24", "AvgPool2d(2) on 8x6x24x24"]),
        ("BatchNorm2d", ["BatchNorm2d(64) on 1x64x112x112"]),
        ("CrossEntropyLoss", ["CrossEntropyLoss on 1x10", "CrossEntropyLoss on 1x1000"]),
    ):
        code, record = run("ops", "--batch", "1", "--only", only)
        assert (code, [row["work"] for row in record["rows"]]) == (0, names)


def test_every_row_has_a_name_of_its_own():
    for suite in benchmark.SUITES.values():
        names = [work.name for work in suite(None)]
        assert len(names) == len(set(names))


def test_the_networks_and_small_filters_are_measured_with_winograd_too():
    names = [work.name for work in benchmark_suites.nets([2])]
    assert names[:3] == [
        "alexnet inference, batch 2",
        "alexnet inference, Winograd, batch 2",
        "alexnet training step, batch 2",
    ]
    layers = list(benchmark_suites.layers([2]))
    (work,) = [work for work in layers if work.name == "VGG16 3x3 128->128 @112, Winograd, batch 2, forward"]
    sides = dict(work.sides())
    sides["ours"].run()
    sides["torch"].run()
    close, apart = sides["ours"].results()["y"], sides["torch"].results()["y"]
    np.testing.assert_allclose(close, apart, rtol=0, atol=1e-5)
    with nc.no_grad():
        exact = sides["ours"].side.layer(sides["ours"].side.x)
    assert (exact != close).any(), "it was not allowed"


def test_a_suite_without_rows_says_so(capsys):
    code, record = run("ops", "--only", "no such thing")
    assert (code, record["rows"]) == (0, [])
    assert "There is no such row" in capsys.readouterr().out


@pytest.mark.skipif(not benchmark_memory.POSSIBLE, reason="needs Linux's /proc")
def test_memory_is_that_of_a_process_with_one_library(monkeypatch):
    monkeypatch.setattr(benchmark_memory, "SIDES", ("ours", "torch"))
    code, record = run("memory", "--batch", "1", "--only", "forward: the process")
    (row,) = record["rows"]
    assert (code, row["unit"]) == (0, "MB")
    assert row["differences"]["torch"] < 1e-4
    assert 64 * 224 * 224 * 4 / 1e6 < row["medians"]["ours"] < row["medians"]["torch"] - 100  # torch itself is large
    growth = benchmark_memory.MemoryWork("", "step", 256, 28)._start("ours")["growth"]
    assert 256 * 6 * 24 * 24 * 4 < growth < 100e6  # more than the first activations


def test_scaling_is_drawn(capsys):
    code, record = run("scaling", "--batch", "2", "--only", "2x56x56, time by batch", "--picture", "curves.png")
    assert code == 0 and record["rows"][0]["point"] == ["batch", 2]
    image = Path("curves.png").read_bytes()
    assert image.startswith(b"\x89PNG") and image.endswith(b"IEND\xaeB`\x82")
    assert capsys.readouterr().out.endswith("\nPicture in curves.png\n")


def test_the_picture_has_a_line_for_each_side_and_unit():
    sides = {"ours": [1.0, 9.0, 2.0], "torch": [2.0, 3.0, 4.0], "torch channels_last": [1.0, 1.0, 1.0]}
    rows = [Measured("", unit, point=("lenet", batch), blocks=sides) for unit in ("ms", "MB") for batch in (1, 8)]
    figure = benchmark_scaling.picture([*rows, Measured("", "ms", point=("lenet", 2), failure="wrong")], "title")
    for panel in (figure.axes[2], figure.axes[5]):
        assert [line.get_label() for line in panel.lines] == list(sides)
        assert [list(line.get_xdata()) for line in panel.lines] == [[1, 8]] * 3
        assert [list(line.get_ydata()) for line in panel.lines] == [[2, 2], [3, 3], [1, 1]]


def test_each_side_by_itself(capsys):
    code, record = run("lenet", "--batch", "1", "--only", "inference", "--twice")
    (row,) = record["rows"]
    assert code == 0
    assert [(ratio["of"], ratio["to"]) for ratio in row["ratios"]][:2] == [
        ("ours", "ours again"),
        ("torch", "torch again"),
    ]
    assert "\neach side by itself: half of the " in capsys.readouterr().out


def test_others_that_take_the_machine_are_told_of(monkeypatch):
    readings = iter([(0.0, 5.0, 1.0), (2.0, 8.0, 2.0), (3.0, 9.0, 9.0)])
    monkeypatch.setattr(benchmark_machine.Watch, "_now", lambda self: next(readings))
    watch = benchmark_machine.Watch()
    assert [watch.cores(), watch.cores()] == [1.0, 0.0]  # in 2 seconds 3 of all cores, 1 of them ours
    rows = [Measured("", "ms", others=cores) for cores in (None, 0.01, 0.25, 1.1)]
    assert benchmark_report.disturbances(rows[:2]) == ""
    assert benchmark_report.disturbances(rows).startswith(
        "Beware: during 2 of 4 rows others kept 0.25 to 1.1 cores busy"
    )


@pytest.mark.skipif(not benchmark_memory.POSSIBLE, reason="needs Linux's /proc")
def test_own_work_is_not_that_of_others():
    watch = benchmark_machine.Watch()
    (clock, busy, own), end = watch.start, benchmark_machine.time.perf_counter() + 0.1
    while benchmark_machine.time.perf_counter() < end:
        pass
    later = watch._now()
    assert later[0] - clock >= 0.1 and later[1] >= busy and later[2] > own
    assert watch.cores() >= 0


# How it ends


def test_a_row_whose_results_disagree_is_an_error(monkeypatch, capsys):
    forward = benchmark_ours.OurForward.results
    monkeypatch.setattr(benchmark_ours.OurForward, "results", lambda self: {"y": 1.01 * forward(self)["y"]})
    code, record = run("lenet", "--batch", "2")
    out, err = capsys.readouterr()
    step, inference = record["rows"]
    assert code == 1
    assert step["failure"] == "" and len(step["ratios"]) == 2
    assert inference["failure"].startswith("y of ours and torch differ by 0.01")
    assert (inference["blocks"], inference["ratios"]) == ({}, [])
    assert err == f"{inference['work']}: {inference['failure']}\n"
    assert any(
        line.split() == ["LeNet", "inference,", "batch", "2", "RESULTS", "DISAGREE"] for line in out.splitlines()
    )


def test_ctrl_c_keeps_what_was_measured(monkeypatch):
    def interrupt(self, clock):
        raise KeyboardInterrupt

    works = benchmark.SUITES["lenet"]
    second = type("Second", (Work,), {"measure": interrupt})
    monkeypatch.setitem(benchmark.SUITES, "lenet", lambda batches: [next(works(batches)), second("second", dict)])
    code, record = run("lenet", "--batch", "1")
    assert (code, record["interrupted"]) == (130, True)
    assert [row["work"] for row in record["rows"]] == ["LeNet training step, batch 1"]


def test_a_file_that_cannot_be_written_is_said(capsys):
    assert benchmark.main(["ops", "--only", "nothing", "--json", "no/such/folder.json"]) == 2
    assert capsys.readouterr().err.startswith("benchmark.py: cannot write: ")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["resnets"], "expected one of lenet, layers, ops, nets, memory, scaling, got 'resnets'"),
        (["--threads", "0"], "expected a whole number of at least 1, got '0'"),
        (["--rounds", "some"], "expected a whole number of at least 1, got 'some'"),
        (["--seconds", "-1"], "expected a number of at least 0, got '-1'"),
        (["--batch", "8", "0"], "expected a whole number of at least 1, got '0'"),
        (["--colour"], "unrecognized arguments: --colour"),
    ],
)
def test_wrong_flags_are_refused(flags, message, capsys):
    with pytest.raises(SystemExit) as end:
        parse_flags(flags, "")
    assert end.value.code == 2
    assert message in capsys.readouterr().err
