"""The report of a run: one page with everything in it, whatever was trained and however it ended."""

import base64
import io
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

import numpycnn as nc

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import report
from feature_maps import stages
from report_charts import Line, Scale, chart, round_step, spelled
from report_pictures import filters, ink
from train_flags import parse_flags
from train_sides import our_model

VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """Reads a page strictly: what is opened is closed, in order; keeps what it is made of."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def a_record(sides=("numpy", "torch"), turns=6, **settings):
    """A record as train_report makes it, of two epochs, three turns of four steps each."""
    rng = np.random.default_rng(0)
    curve, rows = [], []
    for turn in range(1, turns + 1):
        point = {"epoch": turn / 3, **{side: float(rng.uniform(0.1, 2)) for side in sides}}
        if len(sides) == 2:
            point |= {"loss_differences": [0.0, *rng.uniform(1e-8, 1e-3, 3)], "largest_difference": 10.0 ** (turn - 8)}
        curve.append(point)
    for epoch in range(1, turns // 3 + 1):
        numbers = {"loss": 0.5, "train_accuracy": 0.9, "test_accuracy": 0.875, "seconds": 1.5, "images_per_second": 4e3}
        rows.append({"epoch": float(epoch), **{side: dict(numbers) for side in sides}})
    return {
        "title": "LeNet, float32, <i>; 60 training images and 80 test images of MNIST",
        "settings": {"epochs": 2, "sides": list(sides), "out": "<here>", "weight_decay": 0.0, "config": None}
        | settings,
        "data": {"source": "MNIST & co", "test_images": 80},
        "processor": "an abacus",
        "versions": {"numpy": "2"},
        "commands": ["python scripts/train_mnist.py --out '<here>'"],
        "epochs": rows,
        "curve": curve,
    }


def an_outcome(sides=("numpy", "torch"), model="lenet", names=None):
    rng = np.random.default_rng(1)
    flags = parse_flags(["--model", model], "")
    labels = np.arange(80) % 10
    scores = {side: 9 * np.eye(10, dtype=np.float32)[(labels + (np.arange(80) % 8 == 7)) % 10] for side in sides}
    images = rng.integers(0, 256, (80, 28, 28)).astype(np.uint8)
    side = 32 if model == "lenet5" else 28
    example = rng.normal(size=(1, 1, side, side)).astype(np.float32)
    return report.Outcome(
        our_model(flags).eval(), example, images, labels, scores, names or [str(n) for n in range(10)]
    )


@pytest.fixture
def written(tmp_path):
    """Write a report and read it."""

    def write(record, outcome):
        report.write(tmp_path / "report.html", record, outcome)
        assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
        text = (tmp_path / "report.html").read_text(encoding="utf-8")
        return Page(text), text

    return write


@pytest.mark.parametrize("model", ["lenet", "lenet5", "convnet"])
def test_the_page_holds_everything_and_loads_nothing(written, model):
    page, text = written(a_record(), an_outcome(model=model))
    assert page.all("script") == []
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
    assert [link["href"] for link in page.all("link")] == ["data:,"]
    assert "//" not in re.sub(r"base64,[^\"]*", "", text) and "@import" not in text and "url(" not in text
    assert "prefers-color-scheme: dark" in text and "$" not in text
    assert len(text) < 400_000

    assert len(page.all("svg")) == 4  # loss, accuracy, and twice how far they are apart
    assert page.text.count("70 right, 10 wrong") == 2
    assert len(re.findall(r"taken for \d, \d+%", page.text)) == 10
    for layer in stages(an_outcome(model=model).model, an_outcome(model=model).example):
        assert layer.name in page.text and layer.size in page.text
    for words in (
        "LeNet on MNIST",
        "87.50%",
        "python scripts/train_mnist.py --out '<here>'",
        "an abacus",
        "MNIST & co",
    ):
        assert words in page.text
    assert "None" not in page.text


def test_of_one_side_there_is_no_difference(written):
    page, _ = written(a_record(["torch"]), an_outcome(["torch"]))
    assert len(page.all("svg")) == 2
    assert "numpy says" not in page.text and "Both sides" not in page.text
    assert page.text.count("70 right, 10 wrong") == 1


def test_a_training_that_was_ended_says_so(written):
    assert "ended after 1 of 2 epochs" in written(a_record(turns=3), an_outcome())[0].text
    assert "ended after" not in written(a_record(), an_outcome())[0].text


def test_what_is_not_finite_is_left_out(written):
    record, outcome = a_record(), an_outcome()
    record["curve"][2] |= {"torch": float("nan"), "largest_difference": float("inf")}
    record["curve"][3]["numpy"] = None
    for row in record["epochs"]:
        row["torch"] |= {"loss": float("nan"), "test_accuracy": 0.1}
    outcome.scores["numpy"][:] = np.nan
    next(iter(outcome.model.parameters())).data[0, 0, 0, 0] = np.nan
    page, _ = written(record, outcome)
    assert len(page.all("svg")) == 4
    places = [line["points"] for line in page.all("polyline")] + [path["d"] for path in page.all("path")]
    assert not any("nan" in place or "inf" in place for place in places)


def test_a_run_without_mistakes_has_none(written):
    outcome = an_outcome()
    outcome.scores["numpy"][:] = 9 * np.eye(10)[outcome.labels]
    page, _ = written(a_record(), outcome)
    assert "There is none." in page.text and "80 right, 0 wrong" in page.text


def test_classes_with_names_are_named(written):
    names = ["T-shirt/top", *"abcdefgh", "Ankle <boot>"]
    page, _ = written(a_record(), an_outcome(names=names))
    assert "0 T-shirt/top, 1 a," in page.text and "9 Ankle <boot>" in page.text
    assert "2 of a taken for b" in [cell.get("title") for cell in page.all("td")]


def test_the_worst_mistakes_come_first(written):
    outcome = an_outcome()
    for chance, n in enumerate(range(7, 80, 8)):  # of the truth: the later, the greater
        outcome.scores["numpy"][n, outcome.labels[n]] = chance / 2
    page, _ = written(a_record(), outcome)
    told = re.findall(r"taken for (\d), \d+%is (\d)", page.text.replace("\n", ""))
    wrong = range(7, 80, 8)
    assert told == [(str((n + 1) % 10), str(n % 10)) for n in wrong]


# report_charts.py


def test_a_chart_puts_numbers_where_they_belong():
    text = chart("Loss", [Line("numpy", "numpy", np.array([0.0, 1, 2]), np.array([1.0, 10, 100]))], 2, log=True)
    points = re.search(r'points="([^"]*)"', text)[1]
    (x0, y0), (x1, y1), (x2, y2) = (
        [float(part) for part in place.split()] for place in re.findall(r"[\d.]+ [\d.]+", points)
    )
    assert (x0, x2) == (56, 428) and x1 == (x0 + x2) / 2
    assert y0 > y1 > y2 and abs(y1 - (y0 + y2) / 2) < 0.11


def test_a_chart_of_nothing_says_so():
    nothing = Line("apart", "difference", np.arange(3.0), np.array([np.nan, 0, -1]))
    assert "no finite number" in chart("Difference", [nothing], 2, log=True)


def test_a_chart_of_one_number_or_of_equal_ones_can_be_drawn():
    for values in ([0.5], [0.5, 0.5], [0.0, 0.0]):
        line = Line("torch", "torch", np.arange(1.0, 1 + len(values)), np.array(values))
        assert "nan" not in chart("Accuracy", [line], 2, percent=True)


@pytest.mark.parametrize(
    ("scale", "ticks"),
    [
        (Scale(0, 5, 0, 1), [0, 1, 2, 3, 4, 5]),
        (Scale(0.97, 0.995, 0, 1), [0.97, 0.975, 0.98, 0.985, 0.99, 0.995]),
        (Scale(0.04, 30, 0, 1, log=True), [0.1, 1, 10]),
        (Scale(0.2, 3, 0, 1, log=True), [0.2, 0.5, 1, 2]),
        (Scale(1.5, 2.4, 0, 1, log=True), [1.6, 1.8, 2, 2.2, 2.4]),
        (Scale(1e-9, 1, 0, 1, log=True), [1e-9, 1e-7, 1e-5, 1e-3, 1e-1]),
    ],
)
def test_ticks_are_few_and_round(scale, ticks):
    np.testing.assert_allclose(scale.ticks(), ticks, rtol=1e-9, atol=1e-12)


def test_ticks_are_spelled():
    assert spelled(1e-7, Scale(1e-9, 1, 0, 1, log=True), False) == "10⁻⁷"
    assert spelled(2e-16, Scale(1e-16, 4e-16, 0, 1, log=True), False) == "2·10⁻¹⁶"
    assert spelled(0.1, Scale(1e-9, 1, 0, 1, log=True), False) == "0.1"
    assert spelled(0.995, Scale(0.97, 0.995, 0, 1), True) == "99.5 %"
    assert [round_step(length) for length in (1, 1.1, 3, 7)] == [1, 2, 5, 10]


# report_pictures.py


def unpacked(element):
    data = re.search(r'base64,([^"]*)"', element)[1]
    return (255 * imread(io.BytesIO(base64.b64decode(data)), format="png")).round().astype(int)


def test_pictures_hold_what_they_show():
    strength = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    pixels = unpacked(ink(strength, 'a "seven"'))
    np.testing.assert_array_equal(pixels[..., 3], strength)
    assert not pixels[..., :3].any()
    assert 'alt="a &quot;seven&quot;"' in ink(strength, 'a "seven"')


def test_filters_show_signs_by_colours():
    model = nc.Sequential(nc.Conv2d(1, 1, 2, bias=False))
    model.load_state_dict({"0.weight": np.array([[[[1.0, -0.5], [0, -1]]]])})
    pixels = unpacked(filters(model))
    assert pixels[..., 3].tolist() == [[255, 128], [0, 255]]
    assert pixels[0, 0, 0] > pixels[0, 0, 2] and pixels[1, 1, 0] < pixels[1, 1, 2]
