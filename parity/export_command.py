"""Golden vectors, written: cases of the rows with all that goes in and all that PyTorch makes of it.

    python -m parity export FOLDER                     every layer, loss and model but the large ones
    python -m parity export FOLDER Conv2d MaxPool2d -n 100
    python -m parity replay FOLDER                     hold numpycnn to them; needs neither torch nor hypothesis

Each row's named corner cases and some drawn ones, each in float32 and in float64; the values to be met are PyTorch's in
float64. parity/GOLDEN.md describes the folder, for readers in any language. The same seed and the same versions of all
libraries write the same bytes.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

import numpycnn as nc

from . import bridge, golden
from .compare import named, scale
from .corners import CORNERS, TELLING
from .measure import draw_cases
from .ours import random_layers
from .pair import LARGE, Case, Pair
from .registry import ROWS

SMALL = {name: pair for name, pair in ROWS.items() if pair.cost == 1}
"""What is exported: the vectors of large networks would be so too, and in float32 kinks would part their gradients."""


def main(argv: Sequence[str]) -> int:
    """Write the rows that are asked for; return the exit status."""
    words, _, manual = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        "python -m parity export",
        description=words,
        epilog=manual,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where to; must not be there yet")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"all by default: {', '.join(SMALL)}")
    parser.add_argument(
        "-n", "--cases", type=int, default=4, help="how many to draw for each row (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed draws the same cases")
    flags = parser.parse_intermixed_args(argv)  # so that rows may come after flags
    if unknown := [row for row in flags.rows if row not in SMALL]:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(SMALL)}")
    if flags.cases < 0 or flags.seed < 0:
        parser.error(f"expected no negative numbers, got --cases {flags.cases} --seed {flags.seed}")

    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "Using padding='same' with even kernel lengths")  # torch's, of its own speed
    rows = list(dict.fromkeys(flags.rows)) or list(SMALL)
    header = {
        "made_with": {"numpycnn": nc.__version__} | {name: version(name) for name in ("torch", "numpy", "hypothesis")},
        "seed": flags.seed,
        "rows": {name: {"ulps": SMALL[name].ulps, "reason": SMALL[name].reason} for name in rows},
    }
    try:
        vectors = (vector for name in tqdm(rows, leave=False, disable=None) for vector in of_row(SMALL[name], flags))
        count = golden.write(flags.folder, header, vectors)
    except golden.GoldenError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{count} cases of {len(rows)} rows in {flags.folder}")
    return 0


def of_row(pair: Pair, flags: argparse.Namespace) -> Iterator[tuple[golden.Entry, dict[str, np.ndarray]]]:
    """Yield the named cases of a row, then the drawn ones, each in both dtypes."""
    cases = {name: replace(case, seed=flags.seed) for name, case in CORNERS.get(pair.name, {}).items()}
    if flags.cases:
        drawn = draw_cases(pair, flags.cases, flags.seed)
        cases |= {f"drawn-{index}": case for index, case in enumerate(drawn)}
    for name, case in cases.items():
        for dtype in golden.DTYPES:
            yield telling(pair, name, replace(case, dtype=dtype))


def telling(pair: Pair, name: str, case: Case) -> tuple[golden.Entry, dict[str, np.ndarray]]:
    """Return the vector of a case, of the first seed for which it deserves its name."""
    deserved = TELLING.get(name, lambda x, dy: True)
    while True:
        entry, arrays = vector(pair, name, case)
        if deserved(arrays["x"], arrays["dy"]):
            return entry, arrays
        case = replace(case, seed=case.seed + 1)


def vector(pair: Pair, name: str, case: Case) -> tuple[golden.Entry, dict[str, np.ndarray]]:
    """Run the judge forward and back on a case; return all that went in, all that came out and what is allowed."""
    ours, theirs, draw = bridge.twins(pair, case)
    given = {f"state/{key}": value for key, value in ours.state_dict().items()}
    torch.manual_seed(case.seed)
    given["x"] = draw.array(case.shape)
    x = bridge.tensor(given["x"], requires_grad=True)
    if case.target:
        given["target"] = draw.target(case.shape)
    outputs = named(theirs(x, *(bridge.tensor(given[name]) for name in ("target",) if name in given)))
    for index, layer in enumerate(random_layers(ours)):
        given |= {f"kept/{index}": kept for kept in layer._rng.kept}
    ys = {name: y for name, y in outputs.items() if name != "indices"}
    upstream = {f"d{name}": draw.array(y.shape, large=False) for name, y in ys.items()}
    torch.autograd.backward(list(ys.values()), list(map(bridge.tensor, upstream.values())))
    given |= upstream

    gradients = {key: parameter.grad for key, parameter in theirs.named_parameters()}
    judged = outputs | {"dx": x.grad}
    judged |= {f"grad/{key}": gradient for key, gradient in gradients.items() if gradient is not None}
    judged |= {f"after/{key}": buffer for key, buffer in theirs.named_buffers(remove_duplicate=False)}
    arrays = {key: bridge.array(value) for key, value in judged.items()}
    tolerance = {key: _allowed(pair, case, array) for key, array in arrays.items()}
    return golden.Entry(pair.name, name, case.dtype, case.training, dict(case.kwargs), tolerance), given | arrays


def _allowed(pair: Pair, case: Case, judge: np.ndarray) -> float:
    """Return how far ours may be, as ``compare.agree`` has it."""
    if judge.dtype.kind != "f" or (pair.exact is not None and case.values == "integers"):
        return 0.0
    order = LARGE if case.values == "large" else 1.0
    return pair.ulps * float(np.finfo(case.dtype).eps) * scale(judge, order)
