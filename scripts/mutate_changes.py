"""The changes that mutate.py makes: every mutant of a file, by mutmut's catalogue."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

DULL = {"len", "isinstance", "zip"}  # calls whose mutants do nothing but crash


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, the text of the file with it, and what is different."""

    path: str
    lines: tuple[int, int] | None  # of the function that it is in, or None for the module's own code
    text: str
    diff: str


class Changes(cst.CSTVisitor):
    """Walks over a file and lists every change as (function, node, what takes its place)."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[cst.FunctionDef | None, cst.CSTNode, cst.CSTNode]] = []
        self.function: cst.FunctionDef | None = None

    def on_visit(self, node: cst.CSTNode) -> bool:
        strict = isinstance(node, cst.Arg) and node.keyword is not None and node.keyword.value == "strict"
        if strict or isinstance(node, cst.Annotation | cst.Decorator):
            return False
        if isinstance(node, cst.FunctionDef) and self.function is None:
            self.function = node
        wording = isinstance(node, cst.SimpleString) and " " in node.value
        dull = isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in DULL
        if not (wording or dull):
            for kind, operator in mutation_operators:
                if isinstance(node, kind):
                    self.found += [(self.function, node, changed) for changed in operator(node)]
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if original_node is self.function:
            self.function = None


def mutants(path: str) -> Iterator[Mutant]:
    """Make every mutant of a file; no two are the same."""
    wrapper = MetadataWrapper(cst.parse_module(Path(path).read_text("utf-8")))
    places, before = wrapper.resolve(PositionProvider), wrapper.module.code.splitlines()
    changes, seen = Changes(), {wrapper.module.code}
    wrapper.module.visit(changes)
    for function, node, changed in changes.found:
        text = wrapper.module.deep_replace(node, changed).code
        if text not in seen:
            seen.add(text)
            lines = (places[function.body].start.line, places[function.body].end.line) if function else None
            diff = "\n".join(list(difflib.unified_diff(before, text.splitlines(), n=0, lineterm=""))[2:])
            yield Mutant(path, lines, text, diff)
