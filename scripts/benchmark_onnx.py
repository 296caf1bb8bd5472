"""The side of onnxruntime: inference of what torch exports, where it is installed."""

import contextlib
import importlib.util
import io
import warnings
from importlib.metadata import version

import numpy as np
import torch
from benchmark_stopwatch import Results, Side
from torch import nn

INSTALLED = all(importlib.util.find_spec(name) for name in ("onnxruntime", "onnxscript"))


class OnnxForward(Side):
    """Inference in onnxruntime, with as many threads as torch has."""

    def __init__(self, module: nn.Module, x: np.ndarray):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):  # it tells of its progress
            warnings.simplefilter("ignore")
            program = torch.onnx.export(module.eval(), (torch.from_numpy(x),), dynamo=True, verbose=False)
        self.session = onnxruntime.InferenceSession(program.model_proto.SerializeToString(), options)
        self.inputs = {self.session.get_inputs()[0].name: x}

    def run(self) -> None:
        (self.y,) = self.session.run(None, self.inputs)

    def results(self) -> Results:
        return {"y": self.y}


def found() -> str:
    """Say which version is there, if any."""
    return version("onnxruntime") if INSTALLED else "not installed"
