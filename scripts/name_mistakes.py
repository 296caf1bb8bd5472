"""Are mistakes named rightly? Plant each of the catalogue's, one at a time, and ask what it is.

    python scripts/name_mistakes.py                    all rows but the networks, which take long
    python scripts/name_mistakes.py Conv2d ReLU

Each broken layer is held to dtype, forward and backward, and to the laws that its mistake is known to break, then
named, as `python -m parity check` does it. It is named rightly if its mistake is among those that explain it. Then
the mistake is struck from the catalogue and the layer named again: now any name is another mistake's, so either
false or that of an alias, a mistake that behaves in every case as this one does; aliases stand together in the list.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from tqdm import tqdm

from parity import laws
from parity.checking.check import Examination
from parity.checking.subject import ROWS
from parity.mistakes import CATALOGUE, Planted

Names = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Answer:
    """What a planted mistake is called, with it in the catalogue and without it."""

    planted: Planted
    names: Names
    others: Names

    @property
    def named(self) -> bool:
        """Whether the right name is among those given."""
        return (self.planted.bug,) in self.names

    @property
    def alone(self) -> bool:
        """Whether the right name is the only one."""
        return self.names == ((self.planted.bug,),)

    def __str__(self) -> str:
        names = [f"{self.planted.row}: {self.planted.bug}"]
        names += [] if self.alone else [f"    is named: {told(self.names)}"]
        names += [f"    were it not known: {told(self.others)}"] if self.others else []
        return "\n".join(names)


def told(names: Names) -> str:
    """Write names down."""
    return ". Or: ".join("; and ".join(mistakes) for mistakes in names) or "nothing"


@contextmanager
def unknown(planted: Planted) -> Iterator[None]:
    """Strike a mistake from the catalogue for a while."""
    index = CATALOGUE.index(planted)
    del CATALOGUE[index]
    try:
        yield
    finally:
        CATALOGUE.insert(index, planted)


def ask(planted: Planted, cases: int) -> Answer:
    """Examine a layer with a mistake in it."""
    examination = Examination(planted.kind, planted.row, cases=cases)
    for law in dict.fromkeys([laws.dtype, laws.forward, laws.backward, *planted.laws]):
        examination.hold(law)
    names = name(examination)
    with unknown(planted):
        return Answer(planted, names, name(examination))


def name(examination: Examination) -> Names:
    """Return the names that the catalogue, as it is, has for a layer."""
    examination.report.named = None
    examination.name()
    return examination.report.named.mistakes if examination.report.named else ()


def main() -> None:
    """Plant, ask, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help="rows of the registry (default: all but the networks)")
    parser.add_argument("--cases", type=int, default=60, help="how many cases a law (default: %(default)s)")
    flags = parser.parse_args()
    torch.set_num_threads(1)
    rows = flags.rows or [row for row, pair in ROWS.items() if pair.cost == 1]
    planted = [each for each in CATALOGUE if each.row in rows]
    answers = []
    for each in tqdm(planted, disable=None):
        answers.append(ask(each, flags.cases))
        if not answers[-1].alone or answers[-1].others:
            tqdm.write(str(answers[-1]))
    named, alone = sum(answer.named for answer in answers), sum(answer.alone for answer in answers)
    print(f"{len(answers)} mistakes: {named} named rightly, {alone} of them by their name alone")
    print(f"not in the catalogue: {sum(bool(answer.others) for answer in answers)} given another's name")


if __name__ == "__main__":
    main()
