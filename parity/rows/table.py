"""What the files of rows share: how a table is made, and the reasons that come more than once."""

from ..pair import Pair

SUMS = "sums in another order than torch's"
MOVES = "numbers are moved, not computed"
EXPONENTIAL = "exponentials and logarithms, each right to an ulp or two"


def table(*pairs: Pair) -> dict[str, Pair]:
    """Key pairs by their names."""
    return {pair.name: pair for pair in pairs}
