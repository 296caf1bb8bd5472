"""The commands of parity: the first word says which; without one the promise is measured.

Each command is a module with a ``main(argv)`` that returns the exit status, and is imported only when it is asked for:
some of them do without torch and hypothesis.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "check": "checking.command",
    "measure": "measure_command",
    "export": "export_command",
    "replay": "replay_command",
}
"""The module of each command."""


def main(argv: Sequence[str]) -> int:
    """Run the command that the first word names."""
    command, rest = (argv[0], argv[1:]) if argv and argv[0] in COMMANDS else ("measure", argv)
    return importlib.import_module(f".{COMMANDS[command]}", __package__).main(rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
