"""Planted bugs: the famous networks."""

import numpycnn as nc

from ..laws import forward, state
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
