"""README says what is there: its code runs, its table has the rows of the registry, its links lead somewhere."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from parity import __main__, measure_command
from parity.registry import ALL

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


TOUR, TRAINING, OWN_LAYER = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_tour_learns(capsys):
    exec(TOUR, {})  # our own README
    loss, accuracy = capsys.readouterr().out.split()
    assert float(loss) < 0.01
    assert float(accuracy) == 1


def test_the_summary_is_that_of_the_tours_model(capsys):
    names = {}
    exec(TOUR, names)  # our own README
    call = re.search(r"`nc\.(summary\(model, .*\))` tells", README)[1]
    assert textwrap.indent(str(eval(f"nc.{call}", names)), " " * 4) in README


def test_the_training_learns_and_goes_on(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for epochs in ("2", "5"):
        exec(TRAINING.replace("epochs=5", f"epochs={epochs}"), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"epoch {n}" for n in range(1, 6)]
    assert int(lines[-1].rpartition(" ")[2].removesuffix("%")) > 80


def test_the_tests_of_the_layer_shown_fail_and_name_the_mistake():
    names = {}
    exec(OWN_LAYER, names)
    tests = names["TestMine"]()
    with pytest.raises(AssertionError) as caught:
        tests.test_forward()
    report = " ".join(str(caught.value).split())
    assert "with this mistake: the padding is left out, so that the output is smaller." in report


def test_the_parity_table_has_every_row_and_column():
    table = README.split("<!-- python -m parity --markdown -->")[1].split("<!-- end of the table -->")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]
    assert tuple(cells[0]) == measure_command.HEADINGS
    assert [line[0] for line in cells[2:]] == list(ALL)
    assert all(line[-1] in ("agrees", "equal") for line in cells[2:])


def test_the_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    missing = [link for link in links if not link.startswith("http") and not (ROOT / link).exists()]
    assert missing == []


def test_the_measuring_command_prints_that_table(capsys, tmp_path):
    assert __main__.main(["ReLU", "StepLR", "--cases", "5", "--markdown", "--json", str(tmp_path / "table.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines] == ["row", "-" * 6, "ReLU", "StepLR"]
    assert (tmp_path / "table.json").read_text(encoding="utf-8").startswith("[\n")


def test_the_measuring_command_refuses_what_it_does_not_know(capsys):
    with pytest.raises(SystemExit):
        __main__.main(["Conv4d"])
    assert "no such row: Conv4d" in capsys.readouterr().err


def test_training_needs_no_more_than_its_extra():
    blocked = "import sys; sys.modules.update(hypothesis=None, pytest=None); sys.path.insert(0, 'scripts')"
    subprocess.run([sys.executable, "-c", f"{blocked}; import train_mnist"], cwd=ROOT, check=True)
