"""Peak memory: one pass in a process of its own, which holds one library alone.

    python scripts/benchmark_memory.py SIDE PASS BATCH SIZE

is such a process, which the benchmark starts: it prints what it needed, as JSON.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from benchmark_stopwatch import Clock, Measured, Side, difference

SIDES = ("ours", "torch", "torch channels_last")
CHANNELS = 64
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
POSSIBLE = RESET.exists()  # on Linux alone


@dataclass(frozen=True)
class MemoryWork:
    """A row of the table to come: how much memory a pass takes.

    Attributes
    ----------
    name : str
        What is done.
    task : str
        "conv", the forward pass of a 3x3 convolution of 64 channels; "vgg16", that of the network; or
        "step", of training LeNet.
    batch, size : int
        Images, and their rows and columns.
    what : str
        "growth", how far the resident size grows at most during the pass, one with a small image
        having come before; or "peak", its largest value, Python and the library among it.
    tags, point
        As in ``Work``.
    """

    name: str
    task: str
    batch: int
    size: int
    what: str = "growth"
    tags: tuple[str, ...] = ()
    point: tuple[str, int] | None = None

    def measure(self, clock: Clock) -> Measured:
        """Start a process for each side; one round will do, for the numbers hardly move."""
        row = Measured(self.name, "MB", self.tags, self.point)
        samples = {}
        for again in ("", " again") if clock.twice else ("",):
            for side in SIDES:
                answer = self._start(side)
                row.blocks[side + again] = [answer[self.what] / 1e6]
                samples[side + again] = np.array(answer["sample"])
                clock.tick()
        ours = samples.pop("ours")
        row.differences = {name: difference(ours, theirs) for name, theirs in samples.items()}
        if max(row.differences.values()) > 1e-3:
            row.failure, row.blocks = f"the results differ, relative to the largest entry, by {row.differences}", {}
        return row

    def _start(self, side: str) -> dict[str, Any]:
        command = [sys.executable, __file__, side, self.task, str(self.batch), str(self.size)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


def memory(batches: Sequence[int] | None) -> Iterator[MemoryWork]:
    """Peak resident size in a process of its own, and how much of it is the pass: inputs and weights were there."""
    layer = f"Conv2d({CHANNELS}, {CHANNELS}, 3, padding=1) on {{}}x{CHANNELS}x224x224, forward"
    for task, name, usual in (("conv", layer, 8), ("vgg16", "vgg16 inference, batch {}", 1)):
        for batch in (batches or (usual,)) if POSSIBLE else ():
            yield MemoryWork(f"{name.format(batch)}: the pass", task, batch, 224)
            yield MemoryWork(f"{name.format(batch)}: the process", task, batch, 224, "peak")


# What the processes do


def main() -> None:
    """Do a pass, watched."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches the parent too, which has the last word
    side, task, batch, size = sys.argv[1:]
    small, full = passes(side, task, int(batch), int(size))
    small.run()
    before = reset_peak()
    full.run()
    peak = resident("VmHWM")
    page = os.sysconf("SC_PAGE_SIZE")
    sample = next(iter(full.results().values())).reshape(-1)[::997]
    print(json.dumps({"growth": max(peak - before, page), "peak": peak, "sample": sample.tolist()}))


def passes(side: str, task: str, batch: int, size: int) -> tuple[Side, Side]:
    """Prepare a pass on one small image, and the one to be watched, with the same weights on all sides."""
    import numpycnn as nc

    rng = np.random.default_rng(0)
    channels, smaller = {"conv": (CHANNELS, 8), "vgg16": (3, 32), "step": (1, size)}[task]
    x = rng.standard_normal((batch, channels, size, size), np.float32)
    small = x[:1, :, :smaller, :smaller]
    target = rng.integers(0, 10, batch)
    ours: nc.Layer
    if task == "conv":
        ours = nc.Conv2d(CHANNELS, CHANNELS, 3, padding=1, rng=rng)
    else:
        ours = nc.models.vgg16(rng=rng).eval() if task == "vgg16" else nc.models.LeNet(rng=rng)
    if side == "ours":
        from benchmark_ours import OurForward, OurStep

        if task == "step":
            return OurStep(ours, small, target[:1]), OurStep(ours, x, target)
        return OurForward(ours, small), OurForward(ours, x)

    import torch
    import torchvision
    from benchmark_torch import LAYOUTS, TorchForward, TorchStep

    from parity import twins

    # The number of threads is set by the environment, which this process has from its parent.
    if task == "conv":
        theirs = torch.nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
    else:
        theirs = torchvision.models.vgg16(init_weights=False).eval() if task == "vgg16" else twins.LeNet()
    theirs.load_state_dict({name: torch.from_numpy(value) for name, value in ours.state_dict().items()})
    del ours  # the process is to hold one library's weights alone
    layout = LAYOUTS[side]
    if task == "step":
        return TorchStep(theirs, small, target[:1], layout), TorchStep(theirs, x, target, layout)
    return TorchForward(theirs, small, layout), TorchForward(theirs, x, layout)


def reset_peak() -> int:
    """Forget the peak of the resident size so far; return the size of now, in bytes."""
    RESET.write_text("5", encoding="ascii")
    return resident("VmRSS")


def resident(name: str) -> int:
    """Read a line of the process's status, in bytes."""
    lines = dict(line.split(":", 1) for line in STATUS.read_text(encoding="ascii").splitlines() if ":" in line)
    return 1024 * int(lines[name].split()[0])


if __name__ == "__main__":
    main()
