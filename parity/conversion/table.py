"""The table of what a forward may call: functions and methods of torch, and who says which layers do the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Does = Callable[..., Any]

FUNCTIONS: dict[Any, Does] = {}
"""What stands for a function, or for a method by its name.

It is called with torch's arguments, after the wiring if it asks for it, and gives a layer that reads the arrays among
the arguments, a list of layers of which the first one does, a step that says what it reads, or a value that needs none.
"""


def does(*functions: Any) -> Callable[[Does], Does]:
    """Enter a function into the table."""

    def enter(function: Does) -> Does:
        FUNCTIONS.update(dict.fromkeys(functions, function))
        return function

    return enter
