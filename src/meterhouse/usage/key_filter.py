"""A Bloom filter over event keys: says "certainly new" or "perhaps seen", for whole blocks at once.

It keeps nearly all look-ups away from the store. It only ever errs towards "perhaps", so it needs no
care to stay correct: keys may be added that were never stored, and never need to be removed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]  # shape (n, 2): the two halves of each 128-bit key
Flags = npt.NDArray[np.bool_]

BITS_PER_KEY = 24  # one false "perhaps" in a thousand when full
BITS_SET = 6
FIRST_CAPACITY = 1 << 20
GROWTH = 2


def keys_from_bytes(keys: Sequence[bytes]) -> Keys:
    """View 16-byte keys as an array."""
    return np.frombuffer(b"".join(keys), dtype="<u8").reshape(-1, 2)


class _Layer:
    """A filter of fixed size. All bits of a key lie in one 64-bit word: one memory access per key.

    Keys are uniform hashes already: the first half chooses the word, the second half the bits.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.size = 0
        self._words = np.zeros(max(1, capacity * BITS_PER_KEY // 64), dtype=np.uint64)

    @property
    def size_bytes(self) -> int:
        return int(self._words.nbytes)

    def add(self, keys: Keys) -> None:
        np.bitwise_or.at(self._words, self._places(keys), _masks(keys))
        self.size += len(keys)

    def contains(self, keys: Keys) -> Flags:
        masks = _masks(keys)
        found: Flags = (self._words[self._places(keys)] & masks) == masks
        return found

    def _places(self, keys: Keys) -> npt.NDArray[np.int64]:
        return (keys[:, 0] % np.uint64(len(self._words))).astype(np.int64)


def _masks(keys: Keys) -> Keys:
    bits = keys[:, 1]
    masks = np.zeros(len(keys), dtype=np.uint64)
    for turn in range(BITS_SET):
        masks |= np.uint64(1) << ((bits >> np.uint64(6 * turn)) & np.uint64(63))
    return masks


class KeyFilter:
    """Grows by adding layers, each twice as large as the last, so it never has to be rebuilt."""

    def __init__(self, expected: int = 0) -> None:
        self._layers = [_Layer(max(FIRST_CAPACITY, expected + expected // 2))]

    @property
    def size_bytes(self) -> int:
        return sum(layer.size_bytes for layer in self._layers)

    def add(self, keys: Keys) -> None:
        """Remember keys as perhaps seen."""
        newest = self._layers[-1]
        if newest.size + len(keys) > newest.capacity and newest.size:
            newest = _Layer(max(newest.capacity * GROWTH, len(keys)))
            self._layers.append(newest)
        newest.add(keys)

    def contains(self, keys: Keys) -> Flags:
        """For each key: `False` when it was certainly never added."""
        found = self._layers[0].contains(keys)
        for layer in self._layers[1:]:
            found |= layer.contains(keys)
        return found
