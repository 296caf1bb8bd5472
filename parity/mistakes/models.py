"""Planted bugs: the famous networks."""

import numpycnn as nc

from ..laws import backward, forward, state
from .mistake import plant


@plant("a rectifier is forgotten", "LeNet", forward, says="y:")
class RectifierForgotten(nc.models.LeNet):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._route[8] = nc.Identity()


@plant("maxima are pooled instead of averages", "LeNet5", forward, says="y:")
class MaximaPooled(nc.models.LeNet5):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._route[2] = nc.MaxPool2d(2)


@plant("poolings do not overlap", "AlexNet", forward, says="y:")
class PoolingsDoNotOverlap(nc.models.AlexNet):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.features[2] = nc.MaxPool2d(2)


@plant("dropout comes after the matrices, as in VGG", "AlexNet", state, crash=RuntimeError)
class DropsAfterTheMatrices(nc.models.AlexNet):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        drop1, fc1, relu1, drop2, fc2, relu2, fc3 = self.classifier
        self.classifier = nc.Sequential(fc1, relu1, drop1, fc2, relu2, drop2, fc3)


@plant("maxima are brought to 7x7 instead of averages", "VGG", forward, says="y:")
class MaximaBeforeTheMatrices(nc.models.VGG):
    def __init__(self, *layers, **kwargs):
        super().__init__(*layers, **kwargs)
        self.avgpool = nc.AdaptiveMaxPool2d((7, 7))


@plant("the sum is not rectified", "BasicBlock", forward, says="y:")
class SumNotRectified(nc.models.BasicBlock):
    def __init__(self, *arguments, **kwargs):
        super().__init__(*arguments, **kwargs)
        self._route[-1] = nc.Identity()


@plant("both convolutions stride", "BasicBlock", forward, crash=ValueError)
class BothStride(nc.models.BasicBlock):
    def __init__(self, inplanes, planes, stride, **kwargs):
        super().__init__(inplanes, planes, stride, **kwargs)
        self.conv2 = nc.Conv2d(planes, planes, 3, stride, 1, bias=False)


@plant("the stride is at the first convolution, as in the paper", "Bottleneck", forward, says="y:")
class StrideAtTheFirst(nc.models.Bottleneck):
    def __init__(self, inplanes, planes, stride, groups, dilation, **kwargs):
        super().__init__(inplanes, planes, stride, groups=groups, dilation=dilation, **kwargs)
        width = self.conv1.out_channels
        self.conv1 = nc.Conv2d(inplanes, width, 1, stride, bias=False)
        self.conv2 = nc.Conv2d(width, width, 3, 1, dilation, dilation, groups, bias=False)


@plant("what comes back through the short cut is lost", "Bottleneck", backward, says="dx:")
class NothingComesBack(nc.models.Bottleneck):
    def __init__(self, *arguments, **kwargs):
        super().__init__(*arguments, **kwargs)
        self._route[0].backward = self._route[0][0].backward


@plant("the first pooling pads nothing", "ResNet", forward, says="y:")
class PoolsWithoutPadding(nc.models.ResNet):
    def __init__(self, *arguments, **kwargs):
        super().__init__(*arguments, **kwargs)
        self.maxpool = nc.MaxPool2d(3, 2)


@plant("the state dict has the short cut first", "ResNet", state, says="expected the keys")
class ShortCutFirst(nc.models.ResNet):
    def __init__(self, *arguments, **kwargs):
        super().__init__(*arguments, **kwargs)
        block = self.layer2[0]
        for name in ("conv1", "bn1", "conv2", "bn2", "conv3", "bn3"):
            if name in vars(block):
                vars(block)[name] = vars(block).pop(name)


@plant("the halves stand in the other order", "Fire", forward, says="y:")
class HalvesInTheOtherOrder(nc.models.Fire):
    def __init__(self, *arguments, **kwargs):
        super().__init__(*arguments, **kwargs)
        self.route(self.squeeze, nc.ReLU(), nc.Concat(self.expand3x3, self.expand1x1), nc.ReLU())


@plant("what is squeezed is not rectified", "Fire", forward, says="y:")
class SqueezedNotRectified(nc.models.Fire):
    def __init__(self, *arguments, **kwargs):
        super().__init__(*arguments, **kwargs)
        self._route[1] = nc.Identity()


@plant("poolings round their sizes down", "SqueezeNet", forward, crash=ValueError)
class SizesRoundedDown(nc.models.SqueezeNet):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        for index, layer in enumerate(self.features):
            if isinstance(layer, nc.MaxPool2d):
                self.features[index] = nc.MaxPool2d(3, 2)


@plant("the bias stays beside the normalisation", "BasicConv2d", state, crash=RuntimeError)
class BiasStays(nc.models.BasicConv2d):
    def __init__(self, in_channels, out_channels, **kwargs):
        super().__init__(in_channels, out_channels, **kwargs)
        self.conv = nc.Conv2d(in_channels, out_channels, **kwargs)


@plant("the normalisation has the usual eps", "BasicConv2d", forward, says="y:")
class UsualEps(nc.models.BasicConv2d):
    def __init__(self, *arguments, **kwargs):
        super().__init__(*arguments, **kwargs)
        self.bn.eps = 1e-5


@plant("the maxima stand before the third branch", "Inception", forward, says="y:")
class BranchesInTheWrongOrder(nc.models.Inception):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.route(nc.Concat(self.branch1, self.branch2, self.branch4, self.branch3))


@plant("the third branch is as in the paper", "Inception", state, says="branch3.1.conv.weight", crash=RuntimeError)
class AsInThePaper(nc.models.Inception):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.branch3[1] = nc.models.BasicConv2d(kwargs["ch5x5red"], kwargs["ch5x5"], kernel_size=5, padding=2)


@plant("the matrices have no rectifier between them", "InceptionAux", forward, says="y:")
class NoRectifierBetween(nc.models.InceptionAux):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._route[4] = nc.Identity()


@plant("poolings round their sizes down", "GoogLeNet", forward, says="y:")
class GoogLeNetRoundsDown(nc.models.GoogLeNet):
    def __init__(self, *arguments, **kwargs):
        super().__init__(*arguments, **kwargs)
        for name in ("maxpool1", "maxpool2", "maxpool3"):
            setattr(self, name, nc.MaxPool2d(3, 2))


@plant("the auxiliary answers come in the order of the network", "GoogLeNet", forward, says="y/1:")
class FirstClassifierFirst(nc.models.GoogLeNet):
    def __call__(self, x):
        outputs = self.forward(x)
        return (outputs[0], *outputs[:0:-1]) if isinstance(outputs, tuple) else outputs


@plant("channels change their groups", "AlexNet2012", forward, says="y:")
class GroupsShuffled(nc.models.AlexNet2012):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.route(self.features[:4], nc.ChannelShuffle(2), self.features[4:], nc.Flatten(), self.classifier)


@plant("alpha is the paper's, though it is divided by the size", "AlexNet2012", forward, says="y:")
class AlphaOfThePaper(nc.models.AlexNet2012):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        for index in (2, 6):
            self.features[index] = nc.LocalResponseNorm(5, alpha=1e-4, k=2.0)
