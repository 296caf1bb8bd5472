"""Pictures of digits: how they are brought to MNIST's look, read with the shipped weights, and refused."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import predict
from mnist_look import as_mnist, resampling
from trained_lenet import WEIGHTS, network_input, probabilities, trained_lenet

ROOT = Path(__file__).resolve().parents[1]
RAW = ROOT / "scripts/mnist_sample/MNIST/raw"


def unpacked(name, header):
    return np.frombuffer(gzip.decompress((RAW / name).read_bytes()), np.uint8, offset=header)


DIGITS = unpacked("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)[:100]
LABELS = unpacked("t10k-labels-idx1-ubyte.gz", 8)[:100]


def picture(digit, size=(160, 120), side=90, at=(60, 5), ink="black", paper="white"):
    """Show a digit of MNIST large, off the middle, in other colours."""
    mask = Image.new("L", size)
    mask.paste(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC), at)
    return Image.composite(Image.new("RGB", size, ink), Image.new("RGB", size, paper), mask)


def test_the_shipped_weights_read_digits_and_are_small():
    model = trained_lenet()
    correct = [probabilities(model, digit / 255).argmax() == label for digit, label in zip(DIGITS, LABELS, strict=True)]
    assert np.mean(correct) >= 0.98
    assert WEIGHTS.stat().st_size < 200_000
    assert network_input(DIGITS[0] / 255).dtype == np.float32


# mnist_look.py


def test_what_looks_like_mnist_already_stays_as_it_is():
    looks = np.stack([as_mnist(digit) for digit in DIGITS])
    assert looks.dtype == np.float32 and looks.shape == DIGITS.shape
    apart = np.abs(looks - DIGITS / np.float32(255)).max((1, 2))
    assert np.mean(apart < 0.01) > 0.7  # where the outermost pixels are faint they count as paper, and the rest grows
    assert np.abs(looks - DIGITS / np.float32(255)).mean() < 0.02


@pytest.mark.parametrize("invert", [False, True])
def test_size_place_and_contrast_do_not_matter(invert):
    """A block of 30x15 becomes 20x10, its mass in the middle of pixel 14, as in MNIST."""
    grey = np.full((90, 70), 40.0)
    grey[50:80, 5:20] = 90
    look = as_mnist(255 - grey if invert else grey)
    rows, columns = (np.flatnonzero(look.any(axis)) for axis in (1, 0))
    assert (len(rows), len(columns)) == (20, 10)
    np.testing.assert_allclose(look[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1, rtol=1e-6)
    assert abs(rows.mean() - 14) <= 0.5 and abs(columns.mean() - 14) <= 0.5


def test_grain_and_shadow_are_no_ink():
    rng = np.random.default_rng(0)
    paper = np.linspace(230, 180, 200) + rng.normal(0, 4, (150, 200))
    paper[40:110, 90:100] -= 120
    look = as_mnist(paper)
    assert (look > 0.5).any(1).sum() == 20
    assert 2 <= (look > 0.5).any(0).sum() <= 4


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (28, 28), (300, 200)])
def test_a_picture_of_nothing_is_refused(shape):
    with pytest.raises(ValueError, match="expected a digit on a plain background, got shades of 200 to 200"):
        as_mnist(np.full(shape, 200.0))


def test_an_outline_however_thin_fits():
    line = np.zeros((3000, 3))
    line[:, 1] = 255
    line[0] = 0
    assert (as_mnist(line) > 0).any(1).sum() == 20
    assert (as_mnist(line.T) > 0).any(0).sum() == 20


@pytest.mark.parametrize(("old", "new"), [(20, 20), (100, 20), (7, 20), (1, 20), (20, 1), (33, 10)])
def test_resampling_keeps_what_is_even_and_what_is_symmetric(old, new):
    matrix = resampling(old, new)
    assert matrix.shape == (new, old)
    np.testing.assert_allclose(matrix.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-6)
    if old == new:
        np.testing.assert_array_equal(matrix, np.eye(old))


# predict.py


def run(capsys, *arguments):
    code = predict.main([str(argument) for argument in arguments])
    return code, *(text.splitlines() for text in capsys.readouterr())


def test_a_folder_of_all_kinds_of_pictures_is_read(tmp_path, capsys):
    looks = [
        {},
        {"ink": "white", "paper": "black"},
        {"ink": "navy", "paper": "khaki"},
        {"size": (400, 90), "at": (0, 0)},
    ]
    for index, digit in enumerate(DIGITS):
        image = picture(digit, **looks[index % 4])
        image.save(tmp_path / f"{index:03}.{('png', 'jpg', 'JPEG')[index % 3]}")
    (tmp_path / "notes.txt").write_text("no image")
    code, out, err = run(capsys, tmp_path, "--json")
    rows = [json.loads(line) for line in out]
    assert (code, err) == (0, [])
    assert [Path(row["image"]).name[:3] for row in rows] == [f"{index:03}" for index in range(100)]
    assert np.mean([row["digit"] == label for row, label in zip(rows, LABELS, strict=True)]) >= 0.98
    for row in rows:
        assert row["confidence"] == max(row["probabilities"]) == row["probabilities"][row["digit"]]
        assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-5)


def saved(path, image, **options):
    image.save(path, **options)
    return path


def on_nothing(digit, ink):
    """A digit on a transparent background."""
    image = picture(digit, ink=ink).convert("RGBA")
    image.putalpha(picture(digit, ink="white", paper="black").convert("L"))
    return image


def deep(digit):
    """A digit in 16 bits, of which the upper half is not used."""
    return Image.fromarray(np.asarray(picture(digit).convert("L")).astype(np.uint16) * 120)


def tight(digit):
    """A digit that touches all sides."""
    image = picture(digit, ink="white", paper="black")
    return image.crop(image.getbbox())


KINDS = {
    "black on nothing": lambda digit: on_nothing(digit, "black"),
    "white on nothing": lambda digit: on_nothing(digit, "white"),
    "16 bits": deep,
    "a palette": lambda digit: picture(digit).quantize(8),
    "two colours": lambda digit: picture(digit).convert("1"),
    "large": lambda digit: picture(digit, (5000, 3000), 2000, (2500, 500)),
    "tight": tight,
    "blurred": lambda digit: picture(digit).filter(ImageFilter.GaussianBlur(3)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_png_is_read(tmp_path, kind):
    model = trained_lenet()
    for digit, label in zip(DIGITS[:3], LABELS[:3], strict=True):
        path = saved(tmp_path / "digit.png", KINDS[kind](digit))
        assert probabilities(model, as_mnist(predict.read(path))).argmax() == label


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_kind_of_jpeg_is_read_the_way_the_camera_was_held(tmp_path, mode):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    turned = picture(DIGITS[0]).convert(mode).transpose(Image.Transpose.ROTATE_90)
    path = saved(tmp_path / "digit.jpg", turned, exif=exif, quality=30)
    assert predict.read(path).shape == (120, 160)
    assert probabilities(trained_lenet(), as_mnist(predict.read(path))).argmax() == LABELS[0]


def test_a_bad_file_is_named_and_the_others_are_read(tmp_path, capsys):
    good = saved(tmp_path / "good.png", picture(DIGITS[0]))
    cut = tmp_path / "cut.png"
    cut.write_bytes(good.read_bytes()[:-40])
    text = tmp_path / "text.png"
    text.write_text("a seven")
    bad = {
        cut: "cannot be read: ",
        text: "expected a PNG or JPEG image, got something else",
        saved(tmp_path / "moving.gif", picture(DIGITS[0])): "expected a PNG or JPEG image, got something else",
        saved(tmp_path / "empty.jpg", Image.new("RGB", (90, 90), "grey")): "expected a digit on a plain background",
        saved(tmp_path / "bomb.png", Image.new("1", (20_000, 20_000))): "cannot be read: ",
        tmp_path / "none.png": "there is no such file",
    }
    (tmp_path / "folder").mkdir()
    bad[tmp_path / "folder"] = "expected images in this folder, got none that ends in .png, .jpg or .jpeg"
    code, out, err = run(capsys, *bad, good)
    assert code == 1
    assert [line.split()[:2] for line in out] == [[str(good), "7"]]
    for line, (path, words) in zip(err, bad.items(), strict=True):
        assert line.startswith(f"predict.py: {path}: {words}")
    code, out, err = run(capsys, *bad, good, "--json")
    rows = [json.loads(line) for line in out]
    assert code == 1 and len(err) == len(bad)
    assert [row["image"] for row in rows] == [str(path) for path in [*bad, good]]
    assert all(row["error"].startswith(words) for row, words in zip(rows, bad.values(), strict=False))
    assert rows[-1]["digit"] == 7


def test_weights_that_are_none_are_told_in_a_sentence(tmp_path, capsys):
    other, text = tmp_path / "other.npz", tmp_path / "text.npz"
    np.savez(other, **{"fc.weight": np.zeros((2, 2))})
    text.write_text("weights")
    for path, words in (
        (other, "missing 'conv1.weight'"),
        (text, "allow_pickle"),
        (tmp_path / "none.npz", "No such file"),
    ):
        with pytest.raises(SystemExit) as end:
            predict.main(["seven.png", "--weights", str(path)])
        assert end.value.code == 2
        last = capsys.readouterr().err.splitlines()[-1]
        assert f"{path}: expected LeNet's weights, as train_mnist.py writes them; " in last and words in last


def test_predicting_needs_numpy_and_pillow_alone(tmp_path):
    path = saved(tmp_path / "seven.png", picture(DIGITS[0]))
    hidden = ("torch", "torchvision", "parity", "safetensors", "matplotlib", "tqdm")
    code = f"import runpy, sys; sys.modules.update(dict.fromkeys({hidden})); sys.argv[1:] = [{str(path)!r}]"
    script = str(ROOT / "scripts/predict.py")
    code += f"; sys.path.insert(0, {str(ROOT / 'scripts')!r}); runpy.run_path({script!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[:2] == [str(path), "7"]
