"""What cannot be converted is named, with its place."""

import pytest
import torch
from conversions import Conv, forward
from torch import nn
from torch.nn import functional

from parity.bridge import ConversionError, convert


def decides(self, x):
    return self.conv(x) if x.sum() > 0 else x


def loops_over_a_shape(self, x):
    size = 1
    for side in x.size()[1:]:
        size *= side
    return x.view(-1, size)


def standardised(self, x):
    weight = self.conv.weight - self.conv.weight.mean()
    return functional.conv2d(x, weight)


def two_outputs(self, x):
    return self.conv(x), x


def always_drops(self, x):
    return functional.dropout(x)


def reads_what_was_written(self, x):
    return self.body(x) + x


INSIDE = nn.Sequential(nn.Sequential(Conv()), nn.Sequential(Conv(), forward(lambda self, x: torch.fft.fft(x).real)))
REFUSED = {
    "a layer": (nn.Sequential(Conv(), nn.LSTM(2, 3)), "1", r"numpycnn has no layer torch\.nn\.modules\.rnn\.LSTM"),
    "a function": (
        INSIDE,
        "1.1",
        r"nothing that does this \(node 'fft_fft': .*fft_fft, .*test_convert_refusals.py.*torch.fft.fft",
    ),
    "a method": (forward(lambda self, x: x.cumsum(1)), "", r"node 'cumsum': call_method cumsum, .*x\.cumsum\(1\)"),
    "an argument": (nn.Sequential(nn.MaxPool2d((2,))), "0", r"expected kernel_size to be .*got \(2,\)"),
    "an argument of a function": (forward(lambda self, x: functional.softmax(x)), "", r"missing .* 'dim'"),
    "an index": (forward(lambda self, x: x[..., 0]), "", r"as indices, got Ellipsis"),
    "a type of number": (nn.Sequential(Conv().half()), "0.weight", r"float32 or float64, got torch\.float16"),
    "control flow": (nn.Sequential(forward(decides, conv=Conv())), "0", r"control flow.*if x\.sum\(\) > 0 else x"),
    "a loop": (forward(loops_over_a_shape), "", r"test_convert_refusals.py:\d+: for side in x\.size"),
    "a computed weight": (
        forward(standardised, conv=Conv()),
        "",
        r"weights as they are, .*self\.conv\.weight\.mean",
    ),
    "a computed constant": (
        forward(lambda self, x: x + torch.ones(4, requires_grad=True).exp().sum()),
        "",
        r"a tensor is computed that does not depend on the input",
    ),
    "two outputs": (forward(two_outputs, conv=Conv()), "", r"one array, got tuple; try module\.eval"),
    "two inputs": (forward(lambda self, x, y: x + y), "", r"missing 1 required positional argument: 'y'"),
    "another mode": (forward(always_drops).eval(), "", r"expected training=False, the mode of its module, got True"),
    "written in place": (
        forward(reads_what_was_written, body=nn.Sequential(nn.Identity(), nn.ReLU(inplace=True), Conv())),
        "",
        r"body has written into what it read",
    ),
    "a hidden name": (forward(lambda self, x: self._conv(x), _conv=Conv()), "_conv", r"a name that is free .*'_conv'"),
    "a taken name": (forward(lambda self, x: self.route(x), route=Conv()), "route", r"a name that is free .*'route'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_converted_is_named(case):
    module, path, message = REFUSED[case]
    with pytest.raises(ConversionError, match=f"(?s)^cannot convert {path or 'the module'}: .*{message}") as caught:
        convert(module)
    assert caught.value.path == path


def test_hooks_are_not_lost_in_silence():
    module = nn.Sequential(Conv())
    module[0].register_forward_hook(lambda module, inputs, output: output * 2)
    with pytest.raises(ConversionError, match=r"cannot convert 0: expected a module without hooks, got forward_hooks"):
        convert(module)


def test_no_module_is_refused():
    with pytest.raises(TypeError, match=r"expected a torch\.nn\.Module, got function"):
        convert(functional.relu)
