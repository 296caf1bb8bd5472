"""Rows: layers made of layers."""

from functools import partial

from .. import strategies, twins
from ..pair import Pair
from .table import table

CONTAINERS = table(
    *(
        Pair(
            kind,
            partial(twins.ours, kind),
            partial(twins.theirs, kind),
            strategies.container(kind),
            ulps=1 << 14,
            reason="up to a dozen layers after one another, batch normalisation among them",
        )
        for kind in ("Sequential", "Add", "Concat")
    ),
    Pair(
        "Block",
        twins.OurResidual,
        twins.Residual,
        strategies.residual(),
        ulps=1024,
        reason="convolutions before a batch normalisation, whose division magnifies their roundings",
    ),
)
