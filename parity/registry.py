"""The whole promise as a table: every public layer, loss, model and optimizer beside its PyTorch twin."""

from .rows.activations import ACTIVATIONS
from .rows.algorithms import ALGORITHMS
from .rows.containers import CONTAINERS
from .rows.layers import LAYERS as OTHERS
from .rows.losses import LOSSES
from .rows.models import MODELS
from .rows.moves import MOVING
from .rows.optimizers import OPTIMIZERS, SCHEDULES

LAYERS = OTHERS | MOVING | ACTIVATIONS | CONTAINERS

ROWS = LAYERS | ALGORITHMS | LOSSES | MODELS
"""Every row that ``laws.LAWS`` hold for; optimizers and schedules have laws of their own."""

ALL = ROWS | OPTIMIZERS | SCHEDULES
"""The whole promise."""
