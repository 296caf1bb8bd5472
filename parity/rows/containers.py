"""Rows: layers made of layers."""

from functools import partial

from .. import ours, strategies, twins
from ..pair import Pair
from .table import table

CONTAINERS = table(
    *(
        Pair(
            kind,
            ours.constructor(kind),
            partial(twins.theirs, kind),
            strategies.container(kind),
            ulps=1 << 14,
            reason="up to a dozen layers after one another, batch normalisation among them",
        )
        for kind in ("Sequential", "Add", "Multiply", "Concat")
    ),
    Pair(
        "Auxiliary",
        ours.constructor("Auxiliary"),
        partial(twins.theirs, "Auxiliary"),
        strategies.auxiliary(),
        ulps=1 << 14,
        reason="up to a dozen layers after one another, batch normalisation among them",
    ),
    Pair(
        "Graph",
        ours.constructor("Graph"),
        twins.graph,
        strategies.graph(),
        ulps=1 << 14,
        reason="up to a dozen layers after one another, batch normalisation among them",
    ),
    Pair(
        "Block",
        ours.constructor("Block"),
        twins.Residual,
        strategies.residual(),
        ulps=1024,
        reason="convolutions before a batch normalisation, whose division magnifies their roundings",
    ),
)
