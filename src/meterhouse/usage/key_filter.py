"""A Bloom filter over event keys: says "certainly new" or "perhaps seen", for whole blocks at once.

It keeps nearly all look-ups away from the store. It only ever errs towards "perhaps", so it needs no
care to stay correct: keys may be added that were never stored, and never need to be removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]  # shape (n, 2): the two halves of each 128-bit key
Flags = npt.NDArray[np.bool_]

BITS_PER_KEY = 24  # one false "perhaps" in fifteen thousand when full
BITS_SET = 3  # in each word
# Odd, so that nothing of a key is lost; each chooses another word.
MULTIPLIERS = tuple(np.uint64(odd) for odd in (1, 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F))
FIRST_CAPACITY = 1 << 20
GROWTH = 2


def keys_from_bytes(keys: Sequence[bytes]) -> Keys:
    """View 16-byte keys as an array."""
    return np.frombuffer(b"".join(keys), dtype="<u8").reshape(-1, 2)


class _Layer:
    """A filter of fixed size. The bits of a key lie in a few 64-bit words: as few accesses to memory.

    Keys are uniform hashes already: the first half chooses the words, the second half the bits.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.size = 0
        self._words = np.zeros(max(1, capacity * BITS_PER_KEY // 64), dtype=np.uint64)

    @property
    def size_bytes(self) -> int:
        return int(self._words.nbytes)

    def add(self, keys: Keys) -> None:
        for places, masks in self._parts(keys):
            np.bitwise_or.at(self._words, places, masks)
        self.size += len(keys)

    def contains(self, keys: Keys) -> Flags:
        found: Flags = np.ones(len(keys), dtype=np.bool_)
        for places, masks in self._parts(keys):
            found &= (self._words[places] & masks) == masks
        return found

    def _parts(self, keys: Keys) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]]:
        """The words of each key, and its bits in them."""
        for turn, multiplier in enumerate(MULTIPLIERS):
            places = ((keys[:, 0] * multiplier) % np.uint64(len(self._words))).astype(np.int64)
            yield places, _masks(keys, turn * BITS_SET)


def _masks(keys: Keys, first: int) -> npt.NDArray[np.uint64]:
    masks = np.zeros(len(keys), dtype=np.uint64)
    for turn in range(first, first + BITS_SET):
        masks |= np.uint64(1) << ((keys[:, 1] >> np.uint64(6 * turn)) & np.uint64(63))
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
