"""The table of converted networks: all of torchvision's are in it, and agree."""

import math
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from torch import nn

import numpycnn as nc
from parity.bridge import convert
from parity.conversion import agreement

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import convert_networks


def table():
    text = convert_networks.TABLE.read_text(encoding="utf-8")
    return text.split(convert_networks.BEGIN)[1].split(convert_networks.END)[0].strip().splitlines()[2:]


def cells(lines):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_network_of_torchvision_is_in_the_table_and_agrees():
    lines = cells(table())
    assert [line[0] for line in lines] == sorted(convert_networks.networks())
    assert len(lines) >= 68
    for _, parameters, *errors, verdict in lines:
        assert int(parameters.replace(",", "")) > 1e6
        assert len(errors) == 7
        assert max(map(float, errors)) <= convert_networks.NEAR
        assert verdict == "agrees"


@pytest.mark.parametrize("name", ["squeezenet1_1", "googlenet"])
def test_a_line_of_the_table_is_true(name):
    (measured,) = cells([convert_networks.measure(name)])
    (written,) = (line for line in cells(table()) if line[0] == name)
    assert measured[:2] == written[:2]
    assert max(map(float, measured[2:-1])) <= convert_networks.NEAR
    assert measured[-1] == "agrees"


@pytest.mark.parametrize("field", ["forward", "backward", "parameters", "state"])
@pytest.mark.parametrize("wrong", [1.001, math.nan])
def test_what_differs_is_seen(field, wrong, monkeypatch):
    class Wrong(nc.Sequential):
        def forward(self, x):
            y = super().forward(x)
            self[1].running_mean.data *= wrong if field == "state" else 1
            return y * wrong if field == "forward" else y

        def backward(self, dy):
            dx = super().backward(dy)
            self[0].weight.grad *= wrong if field == "parameters" else 1
            return dx * wrong if field == "backward" else dx

    monkeypatch.setattr(sys.modules[agreement.__module__], "convert", lambda module: Wrong(*convert(module).layers))
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3))
    errors = asdict(agreement(module, (2, 3, 8, 8), training=True))
    assert {name for name, error in errors.items() if error > convert_networks.NEAR} == {field}


def test_a_line_is_entered_in_its_place(tmp_path):
    page = tmp_path / "NETWORKS.md"
    before = ["text", convert_networks.BEGIN, "| network |", "|---|", "| b | old |", convert_networks.END, "more"]
    page.write_text("\n".join(before))
    convert_networks.enter("| b | new |", page)
    convert_networks.enter("| a | 1 |", page)
    after = [*before[:4], "| a | 1 |", "| b | new |", *before[5:]]
    assert page.read_text().splitlines() == after


def test_a_line_says_whether_a_network_agrees():
    near, far = [1e-15, 2e-10, 0.0], [1e-15, 2e-9, 0.0]
    assert convert_networks.line("net", 1234, near) == "| net | 1,234 | 1e-15 | 2e-10 | 0e+00 | agrees |"
    assert convert_networks.line("net", 1234, far) == "| net | 1,234 | 1e-15 | 2e-09 | 0e+00 | DIFFERS |"


def test_only_networks_of_torchvision_are_measured(capsys):
    with pytest.raises(SystemExit):
        convert_networks.main(["resnet18", "vit_b_16"])
    assert "got vit_b_16" in capsys.readouterr().err
    assert not any(name.startswith(convert_networks.NO_CONVOLUTIONS) for name in convert_networks.networks())
