"""Any layer can be examined: foreign ones, right and wrong; what they do is told, and bad use refused in a sentence."""

import contextlib
import io
import subprocess
import sys
import textwrap
from pathlib import Path

import foreign_layers as foreign
import numpy as np
import pytest
from hypothesis import settings

import numpycnn as nc
from parity import Adapter, check, law_tests, laws
from parity.checking.check import Examination
from parity.checking.subject import ROWS
from parity.mistakes import CATALOGUE

HELD_AGAINST = {
    foreign.LoopConv: ("Conv2d", foreign.LOOP_CONV),
    foreign.MaskedMax: ("MaxPool2d", foreign.MASKED_MAX),
    foreign.ChannelsLastAverage: ("AvgPool2d", foreign.CHANNELS_LAST_AVERAGE),
    foreign.BatchNorm: ("BatchNorm2d", foreign.BATCH_NORM),
    foreign.SoftmaxWithLoss: ("CrossEntropyLoss", foreign.SOFTMAX_WITH_LOSS),
}
ROOT = Path(__file__).parents[1]
THOROUGH = settings.default.max_examples > 100


def held_against(kind):
    return next(HELD_AGAINST[base] for base in kind.__mro__ if base in HELD_AGAINST)


def failing(report):
    return [outcome.law.__name__ for outcome in report.failures]


# Layers of others, right


@pytest.mark.parametrize("kind", [foreign.LoopConv, foreign.MaskedMax, foreign.ChannelsLastAverage, foreign.BatchNorm])
def test_a_right_layer_passes(kind):
    report = check(kind, *held_against(kind), cases=12)
    assert report.passed, str(report)
    assert "holds   12 cases" in str(report)
    assert "FAILS" not in str(report)


def test_a_right_loss_passes_but_for_infinite_gradients():
    # PyTorch multiplies the gradient with the softmax before it subtracts, and makes NaN of infinity there
    like = held_against(foreign.SoftmaxWithLoss)
    assert set(failing(check(foreign.SoftmaxWithLoss, *like, cases=10))) <= {"backward", "memory_order"}
    examination = Examination(foreign.SoftmaxWithLoss, *like)
    assert examination.hold(laws.backward).case.values == "corners"
    assert "of NaN or infinities" in str(examination.report)


def test_ours_pass_with_all_laws():
    report = check(nc.Linear, "Linear", cases=10)
    assert report.passed
    assert {outcome.law for outcome in report.outcomes} == {*laws.LAWS, laws.refusals}


# ... and wrong

WRONG = [
    (foreign.ConvFlipped, "forward", "the filter is flipped: a true convolution"),
    (foreign.ConvAveraged, "backward", "the gradient of the weight is a mean over the batch"),
    (foreign.ConvAssigns, "backward", "in dx the gradients of overlapping windows are assigned instead of added"),
    (foreign.ConvPaddingIgnored, "forward", "the padding is left out, so that the output is smaller"),
    (foreign.ConvUnpaddedKept, "backward", "the unpadded images are kept for backward"),
    (foreign.MaxEveryTie, "backward", "every tie gets the gradient"),
    (foreign.MaxLastTie, "backward", "a tie goes to the last"),
    (foreign.MaxAssigns, "backward", "every window overwrites what others sent to what it sees"),
    (foreign.MaxSwapped, "forward", "the kernel and the stride are taken as (width, height)"),
    (foreign.AverageCountsBorder, "forward", "padding is always counted"),
    (foreign.AverageUndividedBack, "backward", "the gradient is not divided by the count"),
    (foreign.UpstreamForgotten, "backward", "the upstream gradient is ignored"),
]


@pytest.mark.parametrize(("kind", "law", "mistake"), WRONG, ids=lambda value: getattr(value, "__name__", None))
def test_a_wrong_layer_is_caught_and_its_mistake_named(kind, law, mistake):
    examination = Examination(kind, *held_against(kind), cases=40)
    examination.hold(getattr(laws, law))
    examination.name()
    assert failing(examination.report) == [law]
    assert examination.report.named.mistakes == ((mistake,),)
    assert f"behaves exactly like {examination.subject.pair.name} with this mistake: {mistake}" in " ".join(
        str(examination.report).split()
    )


def test_two_mistakes_are_named_together():
    class Both(foreign.ConvFlipped, foreign.ConvAveraged):
        pass

    examination = Examination(Both, "Conv2d", foreign.LOOP_CONV)
    examination.hold(laws.forward)
    examination.hold(laws.backward)
    examination.name()
    assert set(map(frozenset, examination.report.named.mistakes)) == {
        frozenset({"the filter is flipped: a true convolution", "the gradient of the weight is a mean over the batch"})
    }


def test_what_nobody_thought_of_gets_no_name():
    examination = Examination(foreign.ConvSurprising, "Conv2d", foreign.LOOP_CONV)
    examination.hold(laws.forward)
    examination.name()
    assert examination.report.named.mistakes == ()
    assert "The mistake has no name" in str(examination.report)


NAMEABLE = [planted for planted in CATALOGUE if planted.row in ROWS and planted.pair.cost == 1]


@pytest.mark.parametrize(
    "planted", NAMEABLE[:: 1 if THOROUGH else 96], ids=lambda planted: f"{planted.row}-{planted.bug}"
)
def test_a_mistake_of_the_catalogue_is_named(planted):
    examination = Examination(planted.kind, planted.row)
    for law in dict.fromkeys([laws.dtype, laws.forward, laws.backward, *planted.laws]):
        examination.hold(law)
    examination.name()
    assert (planted.bug,) in examination.report.named.mistakes


# The report


def part(report, heading):
    """Cut the indented block below a heading out of a report."""
    lines = report.partition(f"{heading}\n\n")[2].splitlines()
    end = next((i for i, line in enumerate(lines) if line[:1].strip()), len(lines))
    return textwrap.dedent("\n".join(lines[:end]))


@pytest.mark.parametrize("kind", [foreign.ConvFlipped, foreign.ConvAssigns, foreign.AverageCountsBorder])
def test_the_report_can_be_pasted(kind):
    examination = Examination(kind, *held_against(kind), cases=60)
    for law in (laws.forward, laws.backward):
        examination.hold(law)
    report = str(examination.report)
    mine = part(report, "The smallest case found:")
    setting = "\n".join(line for line in mine.splitlines() if " = " in line)
    mine = {kind.__name__: kind, "np": np}
    exec(setting, mine)
    y = mine["layer"](mine["x"]) if callable(mine["layer"]) else mine["layer"].forward(mine["x"])
    theirs = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(part(report, "In PyTorch alone:"), theirs)
    assert "tensor(" in printed.getvalue()
    expected = theirs["y"].detach().numpy()
    if held_against(kind)[1].images == "NHWC":
        y = y.transpose(0, 3, 1, 2)
    wrong_forward = not np.allclose(y, expected)
    if wrong_forward:
        assert "y[" in report
    else:
        dx = mine["layer"].backward(mine["dy"])
        assert not np.allclose(dx, theirs["x"].grad.numpy())
    assert "*" in report


def test_the_smallest_case_is_small():
    examination = Examination(foreign.ConvFlipped, "Conv2d", foreign.LOOP_CONV)
    outcome = examination.hold(laws.forward)
    assert outcome.case.shape in [(1, 1, 1, 2), (1, 1, 2, 1), (1, 1, 2, 2)]
    assert {number for array in outcome.case.arrays for number in np.ravel(array)} <= {0.0, 1.0}


# From pytest


def test_laws_become_tests():
    tests = law_tests(foreign.ConvFlipped, "Conv2d", foreign.LOOP_CONV, cases=20)
    assert tests.__name__ == "TestConvFlipped"
    names = {name for name in vars(tests) if name.startswith("test_")}
    assert names == {
        f"test_{law}"
        for law in ["dtype", "forward", "backward", "untouched", "memory_order", "empty_batch", "refusals"]
    }
    tests().test_backward()
    with pytest.raises(AssertionError, match="the filter is flipped"):
        tests().test_forward()


USERS_TESTS = """
import numpy as np
from parity import Adapter, law_tests

class Doubled:
    def forward(self, x):
        return np.maximum(x, 0)

    def backward(self, dy):
        return 2 * dy

TestDoubled = law_tests(Doubled, "ReLU", cases=4)
"""


def test_pytest_collects_them(tmp_path):
    (tmp_path / "test_doubled.py").write_text(USERS_TESTS)
    command_line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path), "-c", "/dev/null"]
    done = subprocess.run(
        [*command_line, "--rootdir", str(tmp_path)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert "TestDoubled::test_backward" in done.stdout
    assert "dx: " in done.stdout
    assert "passed" in done.stdout.splitlines()[-1]


# Bad use


class Takes:
    def __init__(self, k):
        pass

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


CONV = {"arguments": {"kernel_size": "k"}, "gradients": {"weight": "dW"}}


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((Takes, "Conv3d"), ValueError, "expected one of Conv2d, "),
        ((Takes, "Sequential"), ValueError, "expected one of Conv2d, "),
        ((Takes(1), "Conv2d"), TypeError, "expected a class, got <"),
        ((Takes, "Conv2d"), ValueError, "got 'k'; say what PyTorch calls it"),
        ((Takes, "Conv2d", Adapter(arguments={"kernel": "k"})), ValueError, "got kernel"),
        ((Takes, "Conv2d", Adapter(arguments={"kernel_size": "size"})), ValueError, "(k), got 'size'"),
        ((Takes, "Conv2d", Adapter(arguments={"kernel_size": "k"})), ValueError, "gradient of weight"),
        ((Takes, "Conv2d", Adapter(**CONV, parameters={"filters": "W"})), ValueError, "got filters"),
        ((Takes, "Conv2d", Adapter(**CONV, forward="fwd")), ValueError, "a method 'fwd'"),
        ((Takes, "Conv2d", Adapter(**CONV, parameters={"weight": "W:OI"})), ValueError, "the letters OIHW"),
        ((Takes, "Conv2d", Adapter(**CONV, always={"depth": 1})), ValueError, "got depth"),
        ((nc.ReLU, "ReLU", Adapter()), ValueError, "expected no adapter"),
        ((Takes, "Dropout"), ValueError, "expected a subclass of numpycnn.Dropout"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_examined_is_refused(arguments, error, words):
    with pytest.raises(error) as caught:
        check(*arguments)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"images": "HWCN"}, "'NCHW' or 'NHWC', got 'HWCN'"),
        ({"parameters": {"weight": "W:OIHX"}}, "got 'W:OIHX'"),
        ({"parameters": {"weight": "W:OOHW"}}, "got 'OOHW'"),
        ({"parameters": {"weight": 3}}, "got 3"),
        ({"parameters": ["weight"]}, "a mapping, got ['weight']"),
        ({"returns": "x"}, "got 'x'"),
        ({"returns": ("weight", "bias")}, "x once, got ('weight', 'bias')"),
        ({"kernel": 3}, "got kernel"),
    ],
    ids=str,
)
def test_adapters_are_checked(fields, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        Adapter.from_dict(fields)
    assert words in str(caught.value)


def test_numbers_of_cases_and_limits_are_checked():
    with pytest.raises(ValueError, match="at least one case, got 0"):
        check(nc.ReLU, "ReLU", cases=0)
    with pytest.raises(ValueError, match="more than 0 seconds, got 0"):
        check(nc.ReLU, "ReLU", limit=0)


class Odd:
    """A rectifier that does what the test puts in its place."""

    def forward(self, x):
        return np.maximum(x, 0)

    def backward(self, dy):
        return dy


@pytest.mark.parametrize(
    ("forward", "words"),
    [
        (lambda self, x: [1.0], "y: expected an array, got a list of 1"),
        (lambda self, x: None, "y: expected an array, got NoneType"),
        (lambda self, x: x.sum(0), "y: expected shape"),
        (lambda self, x: 1 / 0, "forward raised ZeroDivisionError: division by zero (test_check.py, line "),
        (lambda self, x: np.maximum(x, 0, out=x), "read-only"),
        (lambda self, x: np.maximum(x, 0).astype(np.float64), "dtype FAILS"),
    ],
    ids=["list", "nothing", "shape", "raises", "writes", "dtype"],
)
def test_odd_answers_are_told_in_a_sentence(forward, words):
    examination = Examination(type("Mine", (Odd,), {"forward": forward}), "ReLU", cases=30)
    for law in (laws.dtype, laws.untouched):
        examination.hold(law)
    examination.name()
    assert words in " ".join(str(examination.report).split())


def test_forward_alone_can_be_examined():
    mine = type("Mine", (), {"forward": lambda self, x: np.maximum(x, 0)})
    report = check(mine, "ReLU", Adapter(backward=""), cases=30)
    assert report.passed
    assert laws.backward not in {outcome.law for outcome in report.outcomes}


def test_a_layer_with_fewer_arguments_than_ours_is_asked_for_those_that_it_has():
    class Mine(nc.Conv2d):
        def __init__(self, in_channels, out_channels, kernel_size, padding=0):
            super().__init__(in_channels, out_channels, kernel_size)

    examination = Examination(Mine, "Conv2d")
    assert set(examination.subject.untried) == {"stride", "dilation", "groups", "bias", "padding_mode"}
    outcome = examination.hold(laws.forward)
    assert set(outcome.case.kwargs) == {"in_channels", "out_channels", "kernel_size", "padding"}
    examination.name()
    assert examination.report.named.mistakes == (("the padding is left out, so that the output is smaller",),)
