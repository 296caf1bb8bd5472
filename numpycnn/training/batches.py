"""Where pairs of input and target come from, batch by batch, and a mark at how far we are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..layers.arguments import flag, integer, mapping
from ..layers.arrays import Array
from ..layers.init import Seed, generator

Pair = tuple[Array, Array]
Augment = Callable[[Array, np.random.Generator], Array]


class Source:
    """Pairs of input and target, gone through once an epoch.

    Iterating yields what is left of the epoch that we are in; the mark moves before a pair is
    handed over, so that a state saved while one works on it says where to go on.

    Attributes
    ----------
    epoch : int
        How many epochs were gone through.
    position : int
        How many pairs of this one were handed over.
    steps : int
        How many pairs were handed over in all.
    """

    epoch = 0
    position = 0
    steps = 0

    def __iter__(self) -> Iterator[Pair]:
        for pair, last in self._rest():
            self.steps += 1
            self.epoch, self.position = (self.epoch + 1, 0) if last else (self.epoch, self.position + 1)
            yield pair

    def _rest(self) -> Iterator[tuple[Pair, bool]]:
        """Yield the pairs of this epoch from the mark on, and with each whether it is the last."""
        raise NotImplementedError(f"{type(self).__name__} defines no _rest")

    def state_dict(self) -> dict[str, Any]:
        """Return the mark, and what an epoch is made of."""
        return {name: getattr(self, name) for name in ("epoch", "position", "steps")}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to where a state dict was made; all or nothing.

        Raises
        ------
        ValueError
            If it is that of other data, or of other batches of them.
        """
        owner, own = f"cannot load into {type(self).__name__}", self.state_dict()
        mapping(owner, "a state", state_dict)
        if set(state_dict) != set(own):
            raise ValueError(f"{owner}: expected the keys {sorted(own)}, got {sorted(map(str, state_dict))}")
        for name in set(own) - {"epoch", "position", "steps", "seed"}:
            if state_dict[name] != own[name]:
                raise ValueError(f"{owner}: expected {name}={own[name]!r}, got {name}={state_dict[name]!r}")
        try:
            loaded = {name: integer(owner, name, state_dict[name], 0) for name in own}
        except TypeError as error:
            raise ValueError(str(error)) from error
        for name in {"epoch", "position", "steps", "seed"} & set(own):
            setattr(self, name, loaded[name])


class Batches(Source):
    """Batches of arrays, in another order every epoch.

    The order of an epoch and what ``augment`` draws for a batch depend on the seed, the epoch and
    the number of the batch alone: the same seed gives the same bits, from wherever one goes on.

    Parameters
    ----------
    x, target : ndarray
        The inputs, and what is right for each; as many of one as of the other.
    batch_size : int
        How many make a batch; the last one of an epoch may be smaller.
    shuffle : bool
        Whether the order is drawn; else it is that of the arrays.
    drop_last : bool
        Whether a smaller last batch is left out.
    augment : callable, optional
        What is made of the inputs of a batch: ``augment(x, rng) -> x``.
    rng : None, int or Generator
        Where the seed comes from: one number of it is drawn.

    Raises
    ------
    TypeError, ValueError
        If the arrays do not belong together, or there is not one batch in them.

    Examples
    --------
    >>> import numpy as np
    >>> import numpycnn as nc
    >>> batches = nc.training.Batches(np.arange(5.0), np.arange(5), 2, rng=0)
    >>> for epoch in range(2):
    ...     print([target.tolist() for x, target in batches])
    [[1, 4], [3, 0], [2]]
    [[3, 1], [4, 2], [0]]
    """

    def __init__(
        self,
        x: Array,
        target: Array,
        batch_size: int,
        *,
        shuffle: bool = True,
        drop_last: bool = False,
        augment: Augment | None = None,
        rng: Seed = None,
    ):
        for name, array in (("x", x), ("target", target)):
            if not isinstance(array, np.ndarray) or array.ndim == 0:
                raise TypeError(f"Batches: expected {name} to be an array of at least one axis, got {array!r}")
        if len(x) != len(target):
            raise ValueError(f"Batches: expected a target for each of {len(x)} inputs, got {len(target)}")
        if augment is not None and not callable(augment):
            raise TypeError(f"Batches: expected augment to be a function of (x, rng), got {augment!r}")
        self.x, self.target = x, target
        self.batch_size = integer("Batches", "batch_size", batch_size, 1)
        self.shuffle, self.drop_last = flag("Batches", "shuffle", shuffle), flag("Batches", "drop_last", drop_last)
        self.augment = augment
        self.seed = int(generator(rng).integers(2**63))
        if len(self) == 0:
            raise ValueError(f"Batches: expected at least one batch of {batch_size}, got {len(x)} inputs")

    def __len__(self) -> int:
        """Return how many batches an epoch has."""
        whole, rest = divmod(len(self.x), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def _rest(self) -> Iterator[tuple[Pair, bool]]:
        epoch, count = self.epoch, len(self)
        order = np.arange(len(self.x))
        if self.shuffle:
            self._generator(epoch, 0).shuffle(order)
        for number in range(self.position, count):
            chosen = order[number * self.batch_size : (number + 1) * self.batch_size]
            x = self.x[chosen]
            if self.augment is not None:
                x = self.augment(x, self._generator(epoch, 1 + number))
            yield (x, self.target[chosen]), number == count - 1

    def _generator(self, *key: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))

    def state_dict(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("seed", "batch_size", "shuffle", "drop_last")}
        return {**super().state_dict(), **own, "inputs": len(self.x)}


class Stream(Source):
    """Whatever yields pairs, gone through once an epoch: a list, a loader of files, PyTorch's DataLoader.

    Pairs are taken one ahead, to know which is the last. To go on in the midst of an epoch, those
    before are taken and let go: this is exact if each epoch yields the same.

    Parameters
    ----------
    pairs : iterable of (input, target)
        What can be gone through once for each epoch.

    Raises
    ------
    TypeError
        If pairs is no iterable.
    ValueError
        While iterating, if an epoch has no pair, as the second one of a generator.

    Examples
    --------
    >>> import numpycnn as nc
    >>> stream = nc.training.Stream([("a", 1), ("b", 2)])
    >>> [(pair, stream.epoch, stream.position) for pair in stream]
    [(('a', 1), 0, 1), (('b', 2), 1, 0)]
    """

    def __init__(self, pairs: Iterable[Pair]):
        if not isinstance(pairs, Iterable) or isinstance(pairs, str | bytes | np.ndarray):
            raise TypeError(f"Stream: expected an iterable of pairs, got {type(pairs).__name__}")
        self._pairs = pairs

    def _rest(self) -> Iterator[tuple[Pair, bool]]:
        pairs, count = iter(self._pairs), 0
        for count, pair in enumerate(pairs, 1):  # noqa: B007 - of what was let go
            if count > self.position:
                break
        else:
            raise ValueError(
                f"Stream: expected more than {self.position} pairs in epoch {self.epoch}, got {count}; "
                "a generator serves one epoch only"
            )
        for following in pairs:
            yield pair, False
            pair = following
        yield pair, True
