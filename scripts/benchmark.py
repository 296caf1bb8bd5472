"""How fast is it? Ours and PyTorch's on the same work, in turns, in one process.

    python scripts/benchmark.py
    python scripts/benchmark.py layers ops --threads 1
    python scripts/benchmark.py layers --batch 8 --only "VGG16 3x3 64->64" --json vgg.json

Suites:

    lenet    LeNet's training step (forward, loss, backward, SGD with momentum) and its inference,
             batch 1 to 1024; this is the default
    layers   the convolutions of LeNet, AlexNet, VGG16 and ResNet, forward and forward+backward, with
             geometric means; at the end plain loops, to show where all of this begins
    ops      pooling, ReLU, batch norm, linear and cross-entropy, forward+backward
    nets     inference and training step of AlexNet, VGG16 and ResNet18
    memory   peak resident size, each side in a process of its own (Linux alone)
    scaling  time and memory against batch and image size, as a picture too

All sides get the same weights and inputs, and their results are compared before anything is timed,
gradients included (those of training steps in float64, where rounding moves no rectifier over its
kink): a row on which they disagree is an error. Then they take turns. A block of runs
is timed after a while of the same without the clock, for the threads of the side before spin on for
some 50 ms in the hope of more work, and the caches are full of its data. A line shows the medians
of both sides' blocks, and the median and range of their ratio, round by round: below 1, ours is
faster. --rounds and --seconds buy steadiness with time. --twice measures each side by itself: how
far from 1.0 that comes out is what a ratio is worth on this machine. It should have nothing else to
do: a single busy process beside it can make two threads that wait for each other a hundred times
slower. Where the system tells of that (Linux), a line below the table does too.

On torch's side it is eager mode that is timed, with no needless work: inference_mode, gradients set
to None and not to zero, no gradient of the images in a training step. For "channels_last" weights
and inputs are in that layout beforehand. In forward+backward of a single layer all sides compute
the gradients of x and of all parameters. Inference has a line for onnxruntime too, where it and
onnxscript are installed. --threads is the number on each side: of ``numpycnn.set_num_threads``, above
a BLAS with one, and of torch; memory is measured with one. Rows named Winograd allow ours that
algorithm, which rounds more.

The process keeps the memory that it frees. Left to itself, with --malloc plain, the C library hands it
back to the system after a pass and begs for it anew, or does not, as the heap happens to lie: that may
cost either side half of its time in one process, and nothing in the next.

Memory is how far the resident size of the process grows at most during one pass, "the pass"; or
its peak with Python and the library in it, "the process". Weights and inputs are there before.

The exit code is 0, or 1 if results disagree, 2 for a wrong flag or a file that cannot be written,
130 after Ctrl-C: what was measured by then is written.

Needs torch, torchvision, tqdm and matplotlib: pip install -e ".[train]"
"""

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that a fresh clone will do, nothing installed

from benchmark_flags import Flags, parse_flags
from benchmark_machine import Watch, keep_memory
from train_flags import set_threads

if __name__ == "__main__":
    # Here already: NumPy reads its number of threads once, when it is imported.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    flags_now = parse_flags(None, __doc__)
    set_threads(1)  # of BLAS; ours are above it
    if flags_now.malloc == "keep" and not keep_memory():
        print("Freed memory cannot be kept on this system: as with --malloc plain.", file=sys.stderr)

import benchmark_memory
import benchmark_report
import benchmark_scaling
import benchmark_suites
import torch
from benchmark_stopwatch import Clock, Measured, Work
from tqdm import tqdm
from whole_file import whole_file

import numpycnn as nc

SUITES = {
    "lenet": benchmark_suites.lenet,
    "layers": benchmark_suites.layers,
    "ops": benchmark_suites.ops,
    "nets": benchmark_suites.nets,
    "memory": benchmark_memory.memory,
    "scaling": benchmark_scaling.scaling,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the page; return the exit code."""
    flags = parse_flags(argv, __doc__)
    torch.set_num_threads(flags.threads)
    nc.set_num_threads(flags.threads)
    record, interrupted = benchmark_report.surroundings(flags), False
    rows: list[Measured] = []
    print(benchmark_report.header(record), flush=True)
    try:
        for suite in flags.suites:
            run(suite, flags, rows)
    except KeyboardInterrupt:
        interrupted = True
    failures = [row for row in rows if row.failure]
    for row in failures:
        print(f"{row.work}: {row.failure}", file=sys.stderr)
    try:
        write(flags, rows, record | {"interrupted": interrupted})
    except OSError as error:
        print(f"benchmark.py: cannot write: {error}", file=sys.stderr)
        return 2
    return 130 if interrupted else int(bool(failures))


def run(suite: str, flags: Flags, rows: list[Measured]) -> None:
    """Measure the rows of a suite, print them, and add them to those before."""
    works = [work for work in SUITES[suite](flags.batch) if not flags.only or flags.only in work.name]
    print(f"\n{suite}: {SUITES[suite].__doc__}\n")
    if not works:
        print("There is no such row yet, or not on this system.")
        return
    unit = {"memory": "MB", "scaling": ""}.get(suite, "ms")
    table = benchmark_report.results_table([work.name for work in works], unit, flags)
    print(table.head(), flush=True)
    before = len(rows)
    for work in works:
        rows.append(measure(work, flags))
        print(benchmark_report.lines(table, rows[-1]), flush=True)
    if means := benchmark_report.means(rows[before:]):
        print(f"\n{benchmark_report.means_table(means, flags)}")
    if flags.twice:
        print(f"\n{benchmark_report.steadiness(rows[before:])}")
    if warning := benchmark_report.disturbances(rows[before:]):
        print(f"\n{warning}")


def measure(work: Work | benchmark_memory.MemoryWork, flags: Flags) -> Measured:
    """Measure a row, with its name to look at meanwhile."""
    with tqdm(desc=work.name, unit=" blocks", leave=False, disable=None) as bar:
        watch = Watch()
        row = work.measure(Clock(flags.rounds, flags.seconds, flags.warm, flags.twice, bar.update))
        row.others = watch.cores()
        return row


def write(flags: Flags, rows: list[Measured], record: benchmark_report.Record) -> None:
    """Write the files that are wanted."""
    if flags.json:
        record |= {"rows": [row.as_dict() for row in rows], "means": benchmark_report.means(rows)}
        with whole_file(flags.json) as draft:
            draft.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    if any(row.point and row.blocks for row in rows):
        title = "\n".join(benchmark_report.header(record).splitlines()[:2])
        benchmark_scaling.write(flags.picture, rows, title)
        print(f"\nPicture in {flags.picture}")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
