"""The suite bites: run as it stands on layers with one mistake each, every law that must notice it does."""

import textwrap
from dataclasses import replace

import numpy as np
import pytest
import test_laws
from hypothesis import Phase, given, settings
from problems_table import TABLE, Refusal

import numpycnn as nc
from parity import laws, registry
from parity.compare import agree
from parity.mistakes import CATALOGUE, constructor
from parity.mistakes.max_poolings import Maxima

EVERY_LAW = {*laws.LAWS, laws.refusals, laws.steps, laws.rates}


@pytest.fixture(scope="module", autouse=True)
def the_first_failure_is_enough():
    """Take the cases of the default profile, and shrink none of those that fail: it takes long and adds nothing."""
    before = settings.default
    settings.register_profile(
        "bites", settings.get_profile("default"), phases=[Phase.generate], report_multiple_bugs=False
    )
    settings.load_profile("bites")
    yield
    settings.register_profile("before", before)
    settings.load_profile("before")


def hold(law, pair):
    """Hold a pair to a law as ``test_laws`` does."""
    test_laws.hold(law, pair, pair.wild if law is laws.refusals else pair.cases)


def snippet(report):
    """Cut out what a report says to paste."""
    return textwrap.dedent(str(report).partition("Paste this to run the case alone:")[2])


def each_bug():
    for bug in CATALOGUE:
        for law in bug.laws:
            name = f"{bug.row}-{law.__name__}-{bug.bug}"
            yield pytest.param(bug, law, id=name)


@pytest.mark.parametrize(("planted", "law"), [*each_bug()])
def test_planted_bug_is_caught(planted, law, monkeypatch):
    with pytest.raises(AssertionError, match="breaks the law") as caught:
        hold(law, planted.pair)
    cause, report = caught.value.__cause__, str(caught.value)
    assert isinstance(cause, AssertionError if planted.crash is None else (AssertionError, planted.crash))
    assert f"{planted.row} breaks the law {law.__name__!r}" in report
    assert planted.says in str(cause)

    # what the report says to paste fails the same way
    monkeypatch.setitem(registry.ALL, planted.row, planted.pair)
    with pytest.raises(type(cause)) as again:
        exec(snippet(caught.value), {})
    assert str(again.value) == str(cause)


@pytest.mark.parametrize(
    "pair",
    registry.ALL.values(),
    ids=lambda pair: pair.name,
)
def test_every_report_can_be_pasted(pair, monkeypatch):
    printed = []

    def never(pair, case):
        """Hold for nothing."""
        printed.append(repr(case))
        raise AssertionError

    monkeypatch.setattr(laws, "never", never, raising=False)

    @given(pair.cases if pair.wild is None else pair.cases | pair.wild)
    def pasted(case):
        with pytest.raises(AssertionError) as caught:
            laws.check(never, pair, case)
        with pytest.raises(AssertionError):
            exec(snippet(caught.value), {})
        assert printed[-1] == printed[-2]

    pasted()


def test_every_law_and_every_row_has_its_bug():
    assert {law for bug in CATALOGUE for law in bug.laws} == EVERY_LAW
    assert {bug.row for bug in CATALOGUE} == set(registry.ALL)


@pytest.mark.parametrize("law", [*laws.LAWS[2:], laws.refusals], ids=lambda law: law.__name__)
def test_no_law_is_idle(law):
    """Each catches a bug of which the numbers of one pass there and back say nothing."""

    def unnoticed(bug):
        try:
            hold(laws.forward, bug.pair)
            hold(laws.backward, bug.pair)
        except AssertionError:
            return False
        return True

    assert any(unnoticed(bug) for bug in CATALOGUE if law in bug.laws)


@pytest.mark.parametrize(
    ("row", "kind"),
    [("MaxPool2d", Maxima), ("Add", nc.Add), ("CrossEntropyLoss", nc.CrossEntropyLoss), ("LeNet5", nc.models.LeNet5)],
)
@pytest.mark.parametrize("law", [laws.forward, laws.backward], ids=lambda law: law.__name__)
def test_what_bugs_are_planted_in_is_sound(row, kind, law):
    hold(law, replace(registry.ALL[row], ours=constructor(row, kind)))


@pytest.mark.parametrize("line", TABLE, ids=lambda line: line.wrong_with)
def test_problems_table(line):
    for kind, expected in ((line.broken, line.wrong), (line.ours, line.right)):
        if isinstance(expected, Refusal):
            with pytest.raises(expected.kind) as caught:
                line.answer(kind)
            assert expected.words in str(caught.value)
        else:
            np.testing.assert_array_equal(line.answer(kind), expected, str(kind))


# The judge

REFERENCE = np.array([[1.0, -4.0, 0.0], [np.nan, np.inf, -np.inf]])
BOUND = 16 * np.finfo(np.float64).eps * 4  # 16 ulps of the largest finite entry


def changed(at, value):
    y = REFERENCE.copy()
    y[at] = value
    return y


@pytest.mark.parametrize(
    ("ours", "report"),
    [
        (REFERENCE[:1], "expected shape (2, 3), got (1, 3)"),
        (REFERENCE[None], "expected shape (2, 3), got (1, 2, 3)"),
        (REFERENCE.astype(np.float32), "expected dtype float64, got float32"),
        (REFERENCE.astype(np.longdouble), "expected dtype float64"),
        (np.zeros((2, 3), int), "expected dtype float64, got int64"),
        (REFERENCE.tolist(), "expected an array, got list"),
        (changed((1, 0), 0.0), "expected nan, got 0.0"),
        (changed((0, 2), np.nan), "expected 0.0, got nan"),
        (changed((1, 1), -np.inf), "expected inf, got -inf"),
        (changed((1, 1), np.finfo(np.float64).max), "expected inf"),
        (changed((0, 0), np.inf), "expected 1.0, got inf"),
        (changed((0, 0), 1 + 2 * BOUND), "1 of 6 entries differ by more than 1.42e-14; the worst at (0, 0)"),
        (changed((0, 2), -2 * BOUND), "1 of 6 entries differ by more than 1.42e-14; the worst at (0, 2)"),
    ],
)
def test_the_judge_says_no(ours, report):
    with pytest.raises(AssertionError) as caught:
        agree("y", ours, REFERENCE, "float64", 16)
    assert str(caught.value).startswith("y: ")
    assert report in str(caught.value)


@pytest.mark.parametrize("ours", [REFERENCE, changed((0, 0), 1 + BOUND / 2), changed((0, 2), -0.0)])
def test_the_judge_says_yes(ours):
    agree("y", ours, REFERENCE, "float64", 16)


def test_the_judge_can_be_exact():
    agree("y", changed((0, 2), -0.0), REFERENCE, "float64", 16, exact=True)
    with pytest.raises(AssertionError, match="1 of 6 entries differ by more than 0;"):
        agree("y", changed((0, 0), np.nextafter(1, 2)), REFERENCE, "float64", 16, exact=True)


def test_the_judge_measures_float32_by_its_own_eps():
    theirs = np.ones(3)
    agree("y", np.float32(1 + 1e-6) * np.ones(3, np.float32), theirs, "float32", 16)
    with pytest.raises(AssertionError, match="3 of 3 entries"):
        agree("y", np.float32(1 + 4e-6) * np.ones(3, np.float32), theirs, "float32", 16)
