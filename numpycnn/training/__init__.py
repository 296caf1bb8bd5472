"""Training, as little machinery as it takes: batches, a loop, a judgement, checkpoints, and when to stop."""

from .archive import CheckpointError
from .batches import Batches, Stream
from .checkpoints import Checkpoints
from .diverged import DivergedError
from .early_stop import EarlyStop
from .evaluate import Evaluation, evaluate, predict
from .fit import Step, fit

__all__ = [
    "Batches",
    "CheckpointError",
    "Checkpoints",
    "DivergedError",
    "EarlyStop",
    "Evaluation",
    "Step",
    "Stream",
    "evaluate",
    "fit",
    "predict",
]
