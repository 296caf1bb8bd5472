"""How fast is it? Ours and PyTorch's on the same work, in turns, in one process.

    python scripts/benchmark.py                     LeNet: training step and inference
    python scripts/benchmark.py layers ops          single layers
    python scripts/benchmark.py layers --batch 8 --only VGG16 --json vgg.json

Suites:

    lenet    training step (forward, loss, backward, SGD with momentum) and inference, batch 1 to 1024
    layers   the convolutions of LeNet, AlexNet, VGG16 and ResNet, forward and forward+backward
    ops      pooling, ReLU, batch norm, linear, cross-entropy; forward+backward

Both sides get the same weights and inputs, and the results are compared before anything is timed,
gradients included: a row on which they disagree is an error. Then they take turns. A block of
runs of one side is timed after as long a block of the same without the clock, for the threads of
the other library spin on for a while after their last work and the caches are full of its data.
A line shows the medians of both sides' blocks, and the median and range of their ratio, round by
round; below 1 ours is faster. --rounds and --seconds trade time for steadiness, and --twice
measures each side by itself: how far from 1.0 those ratios are is what a ratio is worth here.

What is timed on torch's side is its eager mode, without needless work: inference_mode, no
gradient of the images in a training step, gradients set to None. "channels_last" has weights and
inputs in that layout beforehand. In forward+backward of a single layer both sides compute the
gradient of x and of all parameters. --threads is the number on each side: of NumPy's BLAS, which
reads it once, when it is imported, and of torch.

The exit code is 0, or 1 if results disagree, 2 for a wrong flag, 130 after Ctrl-C (what was
measured by then is printed and written).

Needs torch, torchvision, tqdm and matplotlib: pip install -e ".[train]"
"""

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a fresh clone will do, nothing installed

from benchmark_flags import Flags, parse_flags
from train_flags import set_threads

if __name__ == "__main__":
    # Here already: NumPy reads its number of threads once, when it is imported.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    set_threads(parse_flags(None, __doc__).threads)

import benchmark_report
import torch
from benchmark_stopwatch import Clock, Measured, Work
from benchmark_suites import SUITES
from tqdm import tqdm
from whole_file import whole_file


def main(argv: Sequence[str] | None = None) -> int:
    """Run the page; return the exit code."""
    flags = parse_flags(argv, __doc__)
    torch.set_num_threads(flags.threads)
    where, interrupted = benchmark_report.surroundings(flags), False
    rows: list[Measured] = []
    print(benchmark_report.header(where), flush=True)
    try:
        for suite in flags.suites:
            run_suite(suite, flags, rows)
    except KeyboardInterrupt:
        interrupted = True
    for row in rows:
        if row.failure:
            print(f"{row.work}: {row.failure}", file=sys.stderr)
    if flags.json:
        means = benchmark_report.means(rows)
        record = where | {"interrupted": interrupted, "rows": [row.as_dict() for row in rows], "means": means}
        with whole_file(flags.json) as draft:
            draft.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 130 if interrupted else int(any(row.failure for row in rows))


def run_suite(suite: str, flags: Flags, rows: list[Measured]) -> None:
    """Measure the rows of a suite, print them, and add them to what was measured before."""
    works = [work for work in SUITES[suite](flags.batch) if not flags.only or flags.only in work.name]
    if not works:
        print(f"\n{suite}: no rows to measure")
        return
    table, before = benchmark_report.Table([work.name for work in works], flags.markdown), len(rows)
    print(f"\n{suite}: {SUITES[suite].__doc__}\n\n{table.head()}", flush=True)
    for work in works:
        rows.append(measure(work, flags))
        print(table.row(rows[-1]), flush=True)
    if means := benchmark_report.means(rows[before:]):
        print(f"\n{benchmark_report.means_text(means)}")


def measure(work: Work, flags: Flags) -> Measured:
    """Measure a row, with its name and a bar to look at meanwhile."""
    with tqdm(desc=work.name, unit=" blocks", leave=False, disable=None) as bar:
        return work.measure(Clock(flags.rounds, flags.seconds, flags.warm, flags.twice, bar.update))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
