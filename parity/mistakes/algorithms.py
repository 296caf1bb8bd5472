"""Mistakes: algorithms that are faster than the definition."""

from .. import ours
from ..laws import backward
from .mistake import plant, reading


@plant("the filters are not turned round for the gradient of the images", "WinogradConv2d", backward, says="dx:")
class FiltersNotTurned(ours.WinogradConv2d):
    def backward(self, dy):
        with reading(self.weight, self.weight.data[..., ::-1, ::-1].copy()):
            return super().backward(dy)
