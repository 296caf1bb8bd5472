"""The page of the famous networks says what the code gives, and its links and pictures are there."""

import contextlib
import io
import re
import sys
from pathlib import Path

import pytest

import numpycnn as nc
from parity import slim

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import survey
import survey_fields
import survey_networks
import survey_pictures

PAGE = survey.PAGE.read_text(encoding="utf-8")


def test_the_page_is_what_the_code_gives():
    assert survey.filled(PAGE) == PAGE, "run python scripts/survey.py, and read what it changed"


def test_a_page_that_is_wrong_is_noticed():
    wrong = PAGE
    for figure in ("60,965,224", "7x7 | 1,769,472", "| 89.4% |", "norm(), Pool()", "| `vgg16` |"):
        assert figure in PAGE
        wrong = wrong.replace(figure, "1")
    assert survey.filled(wrong) == PAGE


def test_every_block_has_its_place():
    assert re.findall(r"<!-- survey: (.+) -->", PAGE) == [*dict.fromkeys(re.findall(r"<!-- survey: (.+) -->", PAGE))]
    assert set(re.findall(r"<!-- survey: (.+) -->", PAGE)) == set(survey.BLOCKS)
    assert PAGE.count("<!-- end -->") == len(survey.BLOCKS)


def test_the_links_lead_somewhere():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", PAGE) if not link.startswith("http")]
    assert [link for link in links if not (survey.PAGE.parent / link).exists()] == []


def test_the_code_does_what_its_comments_say():
    code, *_ = re.findall(r"```python\n(import.*?)```", PAGE, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})  # our own page
    assert printed.getvalue().split() == re.findall(r"# (\w+)", code)


@pytest.mark.parametrize(
    ("name", "size", "jump"),
    [("AlexNet", 195, 32), ("VGG16", 212, 32), ("ResNet-50", 483, 32), ("ResNet-152", 1507, 32)],
)
def test_the_fields_are_those_of_araujo_and_others(name, size, jump):
    fields = [row.receptive_field for row in survey.counted(name).layers]
    last = [field for field in fields if field.jump == (jump, jump)][-1]
    assert last.size == (size, size)
    assert re.search(rf"\b{size}\b", PAGE)


def test_what_the_text_says_of_the_counts():
    alexnet, googlenet = survey.counted("AlexNet"), survey.counted("GoogLeNet")
    assert round(alexnet.parameters / googlenet.parameters) == round(60.97 / 6.8) == 9
    assert (
        round(nc.models.alexnet(rng=slim.Zeros()).num_parameters() / nc.models.squeezenet1_0().num_parameters()) == 49
    )
    assert nc.conv2d_num_parameters(3, 64, 7, bias=False) == 9_408
    convolutions = [row for row in survey.counted("VGG16").layers if row.kind == "Conv2d"]
    assert f"{sum(row.multiply_adds for row in convolutions) / 1e9:.1f}" == "15.3"
    assert len(convolutions) == 13
    outputs = [row for row in alexnet.layers if row.kind in ("Conv2d", "Linear")]
    neurons = sum(row.memory for row in outputs) // 4
    assert round(neurons, -4) == 660_000  # "650,000 neurons", says the abstract
    for stacked, single in ((18, 25), (27, 49)):
        assert f"{stacked} C^2" in PAGE
        assert f"{single} C^2" in PAGE


# Pictures


def words(figure):
    return {text.get_text().replace(survey_pictures.TIMES, "x") for axes in figure.axes for text in axes.texts}


def test_every_picture_is_drawn_and_shown():
    files = {path.name for path in survey.PICTURES.iterdir()}
    assert files == {f"{name}.png" for name in survey.pictures()}
    assert files == {link.removeprefix("pictures/") for link in re.findall(r"\]\((pictures/[^)]+)\)", PAGE)}


def test_a_networks_picture_says_what_it_costs():
    drawn = words(survey_pictures.network(survey_networks.alexnet(), (3, 224, 224), "AlexNet"))
    assert {
        "AlexNet",
        "11x11 /4",
        "2 x 384",
        "13x13",
        "163x163",
        "1.99 M",
        "336 M",
        "4096",
        "37.8 M",
        "vector",
    } <= drawn


def test_the_pictures_of_fields_say_what_is_seen():
    networks = {"VGG16": survey_networks.vgg16(), "ResNet-50": survey_networks.resnet((3, 4, 6, 3))}
    assert {"stage 5: 212x212", "VGG16: 212", "ResNet-50: 483"} <= words(survey_fields.growth(networks))
    assert {"input: 7", "layer 1: 5", "27 C$^2$ weights, 3 ReLUs", "49 C$^2$ weights, 1 ReLU"} <= words(
        survey_fields.filters()
    )


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (1_000, "1 k"), (2_359_808, "2.36 M"), (15_470_264_320, "15.5 G")]
)
def test_numbers_in_short(number, text):
    assert survey_pictures.short(number) == text
