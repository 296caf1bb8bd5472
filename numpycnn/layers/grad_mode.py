"""Whether forward remembers what backward will need: a switch for each thread, as in PyTorch."""

from ..kernels.switch import Depth, Switch


class no_grad(Switch):  # noqa: N801 - PyTorch's name
    """Forward passes inside remember nothing, in this thread only; usable as a decorator too.

    Independent of training mode: dropout still drops and batch normalisation still learns its
    statistics unless the model is in evaluation mode. Without it, a model that only predicts keeps
    what its last forward remembered.

    Examples
    --------
    >>> import numpycnn
    >>> with numpycnn.no_grad():
    ...     numpycnn.is_grad_enabled()
    False
    """

    depth = Depth()


def is_grad_enabled() -> bool:
    """Tell whether layers called by this thread remember for backward.

    Examples
    --------
    >>> is_grad_enabled()
    True
    """
    return not no_grad.is_on()
