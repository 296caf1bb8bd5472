"""Training, as little machinery as it takes: batches, a loop, a judgement, and when to stop."""

from .batches import Batches, Stream
from .diverged import DivergedError
from .early_stop import EarlyStop
from .evaluate import Evaluation, evaluate, predict
from .fit import Step, fit

__all__ = ["Batches", "DivergedError", "EarlyStop", "Evaluation", "Step", "Stream", "evaluate", "fit", "predict"]
