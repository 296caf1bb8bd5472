"""The house: who may import whom, where speed may live, and nothing public without a twin, a word or an example."""

import ast
import doctest
import graphlib
import importlib
import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import numpycnn as nc
from numpycnn.optim import lr_scheduler
from parity import registry

ROOT = Path(__file__).parents[1]
FILES = sorted(path for room in ("numpycnn", "parity", "tests", "scripts") for path in (ROOT / room).rglob("*.py"))

# What each room may import of the others; it may always import of itself.
ROOMS = {
    "numpycnn.kernels": set(),
    "numpycnn.layers": {"numpycnn.kernels"},
    "numpycnn.models": {"numpycnn.layers"},
    "numpycnn.anatomy": {"numpycnn.layers"},
    "numpycnn.optim": {"numpycnn.kernels", "numpycnn.layers"},
    "numpycnn.training": {"numpycnn.layers", "numpycnn.optim"},
    "numpycnn.transforms": {"numpycnn.kernels", "numpycnn.layers"},
    "numpycnn": {
        "numpycnn.anatomy",
        "numpycnn.kernels",
        "numpycnn.layers",
        "numpycnn.models",
        "numpycnn.optim",
        "numpycnn.training",
        "numpycnn.transforms",
    },
    "parity": {"numpycnn", "numpycnn.kernels", "numpycnn.layers", "numpycnn.optim"},
    "scripts": {"numpycnn", "numpycnn.anatomy", "numpycnn.training", "numpycnn.transforms", "parity"},
    "tests": {
        "numpycnn",
        "numpycnn.anatomy",
        "numpycnn.kernels",
        "numpycnn.layers",
        "numpycnn.models",
        "numpycnn.optim",
        "numpycnn.training",
        "numpycnn.transforms",
        "parity",
        "scripts",
    },
}
SEEN_BY_OPTIM = {f"numpycnn.layers.{name}" for name in ("arguments", "arrays", "module", "parameter")}
KINDS = nc.Module | nc.optim.Optimizer | lr_scheduler.LRScheduler | nc.transforms.Transform
BASES = {nc.Layer, nc.Loss, nc.Module, nc.optim.Optimizer, lr_scheduler.LRScheduler}

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
library_files = pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.is_relative_to(ROOT / "numpycnn")],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)


def module_name(path):
    """Spell a file's path as Python imports it."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path) for path in FILES}


def imports(source, package):
    """List the modules that a source imports, anywhere in it, by their full names."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            inner = {f"{base}.{alias.name}" for alias in node.names}
            found.update(inner & MODULES or {base})
    return found


def imports_of(path):
    name = module_name(path)
    return imports(path.read_text(encoding="utf-8"), name if path.stem == "__init__" else name.rpartition(".")[0])


def room(module):
    """Say in which room of ours a module lives; None for everybody else's."""
    if f"scripts.{module}" in MODULES:  # scripts find each other by their bare names
        return "scripts"
    return next((name for name in ROOMS if module == name or module.startswith(f"{name}.")), None)


# Who may import whom


def test_the_import_reader_sees_every_way_to_import():
    source = """
import os.path, torch as t
def late():
    from . import window
    from ..layers.layer import Array, Layer
    from .. import optim
"""
    assert imports(source, "numpycnn.kernels") == {
        "os.path",
        "torch",
        "numpycnn.kernels.window",
        "numpycnn.layers.layer",
        "numpycnn.optim",
    }


@library_files
def test_the_library_imports_numpy_and_the_standard_library_alone(path):
    others = {module.partition(".")[0] for module in imports_of(path)} - {"numpycnn"}
    assert others <= {"numpy"} | sys.stdlib_module_names


def test_what_only_an_extra_brings_is_imported_by_name_where_it_is_needed():
    """``import_module`` hides from the reader of imports: it may bring our own package late, and safetensors."""
    late = {path: re.findall(r"import_module\((.*?)\)", path.read_text(encoding="utf-8")) for path in FILES}
    brought = {argument for path, found in late.items() if path.is_relative_to(ROOT / "numpycnn") for argument in found}
    assert brought == {'"numpycnn"', 'f"safetensors.{part}" if part else "safetensors"'}


@every_file
def test_rooms_import_only_what_stands_before_them(path):
    own = room(module_name(path))
    rooms = {room(module) for module in imports_of(path)} - {own, None}
    assert rooms <= ROOMS[own]


def test_the_table_of_rooms_has_no_circle():
    assert set(graphlib.TopologicalSorter(ROOMS).static_order()) == set(ROOMS)


@pytest.mark.parametrize("path", sorted((ROOT / "numpycnn/optim").glob("*.py")), ids=lambda path: path.name)
def test_optimizers_know_parameters_and_nothing_else_of_layers(path):
    of_layers = {module for module in imports_of(path) if room(module) == "numpycnn.layers"}
    assert of_layers <= SEEN_BY_OPTIM


IMPORT_ALONE = """
import json, os, sys, threading
import numpy.random, numpy.typing  # NumPy's own parts that come late
for name in ("torch", "torchvision", "parity", "hypothesis", "pytest", "safetensors", "PIL"):
    sys.modules[name] = None  # whoever imports it now gets an ImportError
modules, environment = set(sys.modules), dict(os.environ)
import numpycnn
print(json.dumps({
    "modules": sorted(set(sys.modules) - modules),
    "environment": dict(os.environ) == environment,
    "threads": threading.active_count(),
}))
"""


def test_importing_the_library_needs_no_torch_and_changes_nothing():
    bare = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}  # nothing set already
    command = [sys.executable, "-W", "error", "-c", IMPORT_ALONE]
    done = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["environment"], "an environment variable was changed"
    assert seen["threads"] == 1
    pools = ("concurrent", "multiprocessing", "asyncio")
    assert [name for name in seen["modules"] if name.startswith(pools)] == []
    strangers = {name.partition(".")[0] for name in seen["modules"]} - sys.stdlib_module_names
    assert strangers <= {"numpycnn", "numpy"}


# Where speed may live

TRICKS = {"as_strided", "sliding_window_view", "Thread", "ThreadPool", "ThreadPoolExecutor"}
TRICKS_OF_NUMPY = {"empty", "empty_like", "ascontiguousarray", "asfortranarray"}  # elsewhere these are innocent names


def tricks(source):
    """List what a source does for speed's sake."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name):
                found |= {name} & (TRICKS | TRICKS_OF_NUMPY)
            case ast.ImportFrom(module="numpy", names=aliases):
                found |= {alias.name for alias in aliases} & TRICKS_OF_NUMPY
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                found |= {name} & TRICKS
            case ast.keyword(arg="out" | "order" | "strides" as name):
                found.add(f"{name}=")
    return found


def test_the_search_for_tricks_finds_them():
    assert tricks("y = np.empty(3)\nnp.add(a, b, out=y)") == {"empty", "out="}
    assert tricks("from numpy import empty_like") == {"empty_like"}
    assert tricks("from numpy.lib.stride_tricks import as_strided as view") == {"as_strided"}
    assert tricks("from multiprocessing import pool\npool.ThreadPool(2)") == {"ThreadPool"}
    assert tricks("y.copy(order='F')") == {"order="}
    assert tricks("np.ndarray((2, 2), x.dtype, x, strides=(8, 8))") == {"strides="}
    assert tricks("y = np.zeros(3)\nout = inspect.Parameter.empty, threading.local()") == set()


@library_files
def test_tricks_for_speed_live_in_the_kernels_alone(path):
    if room(module_name(path)) != "numpycnn.kernels":
        assert tricks(path.read_text(encoding="utf-8")) == set()


# The promise has a row for everything


def public(module, base):
    """List the public names of a module's subclasses of a base, the bases themselves left out."""
    return {
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, base) and value not in BASES and not name.startswith("_")
    }


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("LAYERS", public(nc, nc.Layer)),
        ("LOSSES", public(nc, nc.Loss)),
        ("MODELS", public(nc.models, nc.Layer)),
        ("OPTIMIZERS", public(nc.optim, nc.optim.Optimizer)),
        ("SCHEDULES", public(lr_scheduler, lr_scheduler.LRScheduler)),
    ],
    ids=["LAYERS", "LOSSES", "MODELS", "OPTIMIZERS", "SCHEDULES"],
)
def test_every_public_name_has_a_row_and_every_row_a_public_name(table, names):
    rows = set(getattr(registry, table))
    assert sorted(names - rows) == [], f"a row is missing in parity.registry.{table}"
    assert sorted(rows - names) == [], f"rows of parity.registry.{table} without a public name"


# What is public

PUBLIC_MODULES = [nc, nc.models, nc.optim, nc.training, nc.transforms]


def library_modules():
    return [importlib.import_module(name) for name in sorted(MODULES) if name.partition(".")[0] == "numpycnn"]


def everything_public():
    """List what a user meets: every class and function behind a public name, with the name."""
    found = {f"{module.__name__}.{name}": getattr(module, name) for module in PUBLIC_MODULES for name in module.__all__}
    found |= {f"numpycnn.optim.lr_scheduler.{name}": getattr(lr_scheduler, name) for name in schedule_names()}
    return {name: value for name, value in found.items() if not inspect.ismodule(value)}


def schedule_names():
    return sorted({"LRScheduler"} | public(lr_scheduler, lr_scheduler.LRScheduler))


def shelf(name):
    """Order names as the house does: constants, classes, functions, and numbers in names as numbers."""
    digits = [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
    return not name.isupper(), not name[0].isupper(), digits


@pytest.mark.parametrize("module", PUBLIC_MODULES, ids=lambda module: module.__name__)
def test_the_lists_of_public_names_are_sorted_and_complete(module):
    assert module.__all__ == sorted(module.__all__, key=shelf)
    ours = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("numpycnn")
    }
    assert ours - set(module.__all__) == set()
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_nothing_is_written_and_then_forgotten():
    # A class that no other builds on is there for the user.
    kinds = {
        value
        for module in library_modules()
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, KINDS)
    }
    bases = {base for kind in kinds for base in kind.__mro__[1:]}
    forgotten = kinds - bases - set(everything_public().values())
    assert sorted(kind.__name__ for kind in forgotten) == []


@pytest.mark.parametrize("name", everything_public())
def test_everything_public_is_documented(name):
    assert everything_public()[name].__doc__


# Bases, errors and containers of an array are met by way of the others, whose examples show them; so are the
# functions that build a model, a line each: tests/test_models.py calls them all.
SHOWN_BY_OTHERS = (
    *(*BASES, nc.Parameter, nc.Buffer, nc.LayerError, nc.ShapeError, nc.DtypeError, nc.StateError),
    *(getattr(nc.models, name) for name in nc.models.__all__ if inspect.isfunction(getattr(nc.models, name))),
)


@pytest.mark.parametrize("name", [name for name, value in everything_public().items() if value not in SHOWN_BY_OTHERS])
def test_everything_that_is_called_has_an_example(name):
    doc = inspect.cleandoc(everything_public()[name].__doc__ or "")
    head, heading, examples = doc.partition("\nExamples\n--------\n")
    assert heading, f"the docstring of {name} has no section Examples"
    assert doctest.DocTestParser().get_examples(examples), f"the examples of {name} hold no code"
    assert ">>>" not in head, f"{name} shows code before its section Examples"


@every_file
def test_every_file_begins_by_saying_why_it_exists(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the file has no docstring"
    assert tree.body[0].lineno == 1, "something stands before the docstring"
