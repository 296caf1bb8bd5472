"""Call everything that is public with what it does not expect, and see that it answers or refuses in a sentence.

    python scripts/fuzz.py --calls 100000 --seed 0

Constructors, forward, backward, state dicts, optimizers, schedules, transforms, batches, files: right arguments with
one or two that are not; arrays read-only, strided, unaligned, of subclasses, empty, with NaN; of other dtypes, byte
orders and shapes; lists, None, numbers beyond all bounds. Every call must give an answer of the dtype of its input,
the one that a plain copy of the input gives; or an error of the right kind that is a sentence of ours, before
anything was changed (or NumPy's MemoryError, which names the shape). A finding is: another error, a warning, an
input or a state that was changed, another answer, a call of more than 20 seconds or 256 MB. The address space is
limited to 4 GB (--limit).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):  # read once, when NumPy is imported
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
from fuzz_judge import Judge  # noqa: E402
from fuzz_plays import PLAYS  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, call, print; return how many kinds of findings there were."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000, help="how many calls at least")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other calls")
    parser.add_argument("--limit", type=int, default=4, help="the largest address space, in GB; 0 for none")
    parser.add_argument("--only", default="", help="plays with one of these names, separated by commas")
    flags = parser.parse_args(arguments)
    if flags.limit:
        import resource  # not on every system

        resource.setrlimit(resource.RLIMIT_AS, (flags.limit << 30, flags.limit << 30))
    start = time.monotonic()
    judge = run(flags.calls, flags.seed, flags.only)
    told = ", ".join(f"{count:,} {how}" for how, count in sorted(judge.calls.items()))
    print(f"seed {flags.seed}: {judge.calls.total():,} calls in {time.monotonic() - start:.0f} s, {told}")
    for (kind, place), (count, example) in sorted(judge.findings.items()):
        print(f"{count:6} {kind}\n       {place}\n       {example}")
    print(f"{len(judge.findings)} kinds of findings")
    return min(len(judge.findings), 100)


def run(calls: int, seed: int, only: str = "") -> Judge:
    """Play until so many calls were made; each play has a generator of its own."""
    judge = Judge()
    plays = [play for name, play in PLAYS.items() if not only or name in only.split(",")]
    number = 0
    while judge.calls.total() < calls:
        for play, share in plays:
            rng = np.random.default_rng((seed, number))
            number += 1
            if rng.random() < share:
                play(rng, judge)
    return judge


if __name__ == "__main__":
    sys.exit(main())
