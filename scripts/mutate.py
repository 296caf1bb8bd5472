"""Do the tests bite? Change the library in one place at a time, thousands of times, and see a test fail.

    pip install -e ".[test]" mutmut==3.8.1
    python scripts/mutate.py
    python scripts/mutate.py numpycnn/kernels/max_pool.py --sample 40

Each change is a mutant: another operator, another number, an argument left out, None assigned. What changes are made
is mutmut's catalogue. Its own runner is not used, since it leaves out whatever stands under a decorator: the index
arithmetic, which is cached, and the chain rule of the containers. Left out here are annotations, decorators, the
wording of messages (strings of several words), and zip's strict, which is an assertion.

A mutant meets tests that reach the function that it is in: those first that killed its neighbours, then those that
reach little else, for 30 seconds of the processor's time at most. They run in a process forked from one that has
imported torch, but nothing of ours: so the library is imported anew each time, and no cache remembers the right
answer. A mutant is killed by the first test that fails, by a crash, or by running ten times as long as it should.

What was found is kept in runs/mutation: a mutant that was killed is not tried again, one that survived is, so
that a new test shows what it is worth. The table at the end counts mutants file by file; above it stand the
survivors. A survivor is a test that is missing, code that is not needed, or a change that changes nothing.

Needs fork, hence Linux or macOS. It takes hours for all of the library: nice -n 19 is a kindness.
"""

import argparse
import functools
import gc
import hashlib
import importlib
import json
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from itertools import accumulate, chain
from pathlib import Path
from typing import Any

import coverage
import matplotlib.pyplot as plt  # noqa: F401 - what takes long to import is imported here, once
import pytest
import torch.fx.experimental.symbolic_shapes  # noqa: F401 - by the first backward
from hypothesis import Phase, settings
from hypothesis import strategies as st  # noqa: F401
from mutate_changes import Mutant, mutants
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "runs" / "mutation"
ROOMS = ["numpycnn/kernels", "numpycnn/layers", "numpycnn/optim"]
TESTS = ["kernels", "problems", "gradients", "laws", "refusals", "slabs", "algorithms", "graph", "auxiliary"]
TESTS += ["forward_backward", "errors", "state", "wiring", "repr", "randomness", "threads"]
TESTS += ["optim", "param_groups", "optimizer_state", "lr_scheduler", "clip_grad", "lockstep"]
TESTS += ["saving", "loading_refusals", "transforms"]
SELECTION = [*(f"tests/test_{name}.py" for name in TESTS), *ROOMS]  # of the rooms the examples in docstrings
SECONDS, MEMORY = 30, 16 << 30  # that a mutant may take
PYTEST = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:unraisableexception"]  # the last one collects garbage
PYTEST += ["--assert=plain"]  # pytest would rewrite a file whose examples it runs, and read past the mutant


def forked(work: Callable[[], str], seconds: float) -> str:
    """Run a function in a process of its own; return what it returns, or how the process ended instead."""
    read, write = os.pipe()
    process = os.fork()
    if process == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.alarm(20 * int(seconds))  # for those that wait for ever
        sys.dont_write_bytecode = True
        try:
            os.write(write, work().encode())
        except BaseException:
            traceback.print_exc()
            os.write(write, b"no verdict")
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read().decode()
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM):
        return "timed out"
    return answer or "crashed"


class Select:
    """A plugin for pytest: run these tests in this order, show none of their failures in its smallest form."""

    def __init__(self, tests: list[str] | None = None):
        self.rank = None if tests is None else {test: index for index, test in enumerate(tests)}
        self.verdict = "survived"

    def pytest_configure(self) -> None:
        phases = [Phase.explicit, Phase.generate]
        settings.register_profile("first failure", settings.default, phases=phases, report_multiple_bugs=False)
        settings.load_profile("first failure")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.rank is None:  # the large networks take long, and are made of what is tested by itself
            rows = [getattr(vars(item).get("callspec"), "params", {}).get("pair") for item in items]
            items[:] = [item for item, row in zip(items, rows, strict=True) if getattr(row, "cost", 1) == 1]
        else:
            items[:] = sorted((i for i in items if i.nodeid in self.rank), key=lambda i: self.rank[i.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.verdict = report.nodeid

    def run(self, files: list[str]) -> str:
        """Run pytest; return the test that failed, if any, or else that nothing could be imported."""
        code = pytest.main([*PYTEST, *files], plugins=[self])
        fine = code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        return "import" if self.verdict == "survived" and not fine else self.verdict


class Trace(Select):
    """The same, which sees what lines each test reaches."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[str, float] = {}
        self.coverage = coverage.Coverage(data_file=None, include=[f"{ROOT}/numpycnn/*"])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        start = time.process_time()
        done = yield
        self.seconds[item.nodeid] = time.process_time() - start
        return done

    def reached(self) -> dict[str, dict[int, list[str]]]:
        """Return the tests that reach each line of each file."""
        data = self.coverage.get_data()
        return {
            str(Path(file).relative_to(ROOT)): {
                line: [test for test in tests if test] for line, tests in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }


def trace() -> str:
    """Run all tests on the library as it is, its caches taken away, which would hide who calls what."""
    tracer = Trace()
    tracer.coverage.start()
    cache, functools.lru_cache = functools.lru_cache, uncached
    for room in ROOMS:
        for file in sorted((ROOT / room).glob("*.py")):
            importlib.import_module(f"{room.replace('/', '.')}.{file.stem}".removesuffix(".__init__"))
    functools.lru_cache = cache
    verdict = tracer.run(SELECTION)
    tracer.coverage.stop()
    return json.dumps({"verdict": verdict, "reached": tracer.reached(), "seconds": tracer.seconds})


def uncached(maxsize: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Stand in for ``lru_cache``, without a cache."""

    def as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
        vars(function)["cache_clear"] = lambda: None
        return function

    return as_it_is


def attack(mutant: Mutant, tests: list[str]) -> str:
    """Run tests on a mutant; the first few alone, since to collect them all takes longer than most of them run."""
    original = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, name: str):
        if Path(loader.path) == ROOT / mutant.path:
            return compile(mutant.text, loader.path, "exec", dont_inherit=True)
        return original(loader, name)

    SourceFileLoader.get_code = get_code
    for some in filter(None, (tests[:2], tests[2:])):
        verdict = Select(some).run(sorted({test.partition("::")[0] for test in some}))
        if verdict != "survived":
            return verdict
    return "survived"


def tests_as_they_are() -> Any:
    """Return what tests reach what, and their time; from the last run if nothing has changed since."""
    sources = [path.read_bytes() for room in ("numpycnn", "parity", "tests") for path in (ROOT / room).rglob("*.py")]
    sources.append(Path(__file__).read_bytes())
    store = RESULTS / f"{hashlib.sha256(b''.join(sorted(sources))).hexdigest()[:16]}.trace"
    if not store.exists():
        print("running the tests on the library as it is", flush=True)
        store.write_text(forked(trace, 3600), "utf-8")
    traced = json.loads(store.read_text("utf-8"))
    if traced["verdict"] != "survived":
        sys.exit(f"a test fails without any mutant: {traced['verdict']}")
    return traced


def nearest(mutant: Mutant, traced: Any, killers: list[str]) -> list[str]:
    """List the tests that reach a mutant, from the one most likely to kill it on, as many as there is time for."""
    breadth = Counter(test for lines in traced["reached"].values() for test in set(chain(*lines.values())))
    first, last = mutant.lines or (1, sys.maxsize)
    lines = traced["reached"].get(mutant.path, {})
    inside = set(chain(*(tests for line, tests in lines.items() if first <= int(line) <= last)))
    inside_out = sorted(inside, key=lambda test: (breadth[test], traced["seconds"][test]))
    order = dict.fromkeys([killer for killer in killers if killer in inside] + inside_out)
    spent = accumulate(traced["seconds"][test] for test in order)
    return [test for test, seconds in zip(order, spent, strict=True) if seconds < SECONDS]


def main() -> None:
    """Mutate, count, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", default=ROOMS, help="files or folders (default: %(default)s)")
    parser.add_argument("--sample", type=int, metavar="N", help="at most N mutants of each file, at random")
    flags = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    RESULTS.mkdir(parents=True, exist_ok=True)
    files = [str(file) for path in map(Path, flags.paths) for file in sorted(path.glob("*.py")) or [path]]

    traced = tests_as_they_are()

    gc.freeze()  # what is there now is no garbage of a mutant
    table, survivors = [], []
    for file in files:
        store = RESULTS / f"{file.replace('/', '.')}.json"
        known = json.loads(store.read_text("utf-8")) if store.exists() else {}
        found = list(mutants(file))
        if flags.sample is not None and flags.sample < len(found):
            found = random.Random(0).sample(found, flags.sample)
        killers: list[str] = []
        for mutant in tqdm(found, file, disable=None):
            if known.get(mutant.diff, "survived") == "survived":
                tests = nearest(mutant, traced, killers)
                seconds = 30 + 10 * sum(traced["seconds"][test] for test in tests)
                known[mutant.diff] = verdict = forked(functools.partial(attack, mutant, tests), seconds)
                store.write_text(json.dumps(known, indent=1), "utf-8")
                killers = [verdict, *(killer for killer in killers if killer != verdict)]
        verdicts = [known[mutant.diff] for mutant in found]
        survivors += [f"{file}\n{mutant.diff}\n" for mutant in found if known[mutant.diff] == "survived"]
        if found:
            table.append((file, len(found), verdicts.count("survived"), verdicts.count("timed out")))
    print("\n".join(survivors))
    table.append(("all", *(sum(column) for column in list(zip(*table, strict=True))[1:])))
    print(f"{'':36} mutants  killed  timed out  survived")
    for file, count, survived, slow in table:
        print(f"{file:36} {count:7} {count - survived:7} {slow:10} {survived:9}  {1 - survived / count:6.1%}")


if __name__ == "__main__":
    main()
