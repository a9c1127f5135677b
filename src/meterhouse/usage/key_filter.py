"""A Bloom filter over event keys: says "certainly new" or "perhaps seen", for whole blocks at once.

It keeps nearly all look-ups away from the store. It only ever errs towards "perhaps", so it needs no
care to stay correct: keys may be added that were never stored, and never need to be removed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]  # shape (n, 2): the two halves of each 128-bit key
Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

BITS_PER_KEY = 28  # one false "perhaps" in two hundred thousand when full
BITS_SET = 3  # in each word
# Odd, so that nothing of a key is lost; each chooses another word, and other bits in it.
MULTIPLIERS = np.array(
    [
        0x9E3779B97F4A7C15,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0xD6E8FEB86659FD93,
        0xA0761D6478BD642F,
    ],
    dtype=np.uint64,
)
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
        places, masks = self._places(keys, MULTIPLIERS), _masks(keys, MULTIPLIERS)
        self._words[places] |= masks
        # Of several keys in one word, the last one has won: the others are added one after another.
        lost = (self._words[places] & masks) != masks
        if lost.any():
            np.bitwise_or.at(self._words, places[lost], masks[lost])
        self.size += len(keys)

    def contains(self, keys: Keys) -> Flags:
        """Look at one word, and at the others only for the few keys that it does not rule out."""
        found: Flags = np.zeros(len(keys), dtype=np.bool_)
        left = np.arange(len(keys))
        for multipliers in (MULTIPLIERS[:1], MULTIPLIERS[1:]):
            masks = _masks(keys, multipliers)
            has_all = ((self._words[self._places(keys, multipliers)] & masks) == masks).all(axis=1)
            left, keys = left[has_all], keys[has_all]
            if not left.size:
                break
        found[left] = True
        return found

    def _places(self, keys: Keys, multipliers: Words) -> npt.NDArray[np.int64]:
        """The words of each key, one for each multiplier: shape (n, multipliers)."""
        places: Words = (keys[:, :1] * multipliers) % np.uint64(len(self._words))
        return places.astype(np.int64)


def _masks(keys: Keys, multipliers: Words) -> Words:
    """The bits of each key in its words, each chosen by six bits of a product: the upper ones, mixed best."""
    mixed = keys[:, 1:] * multipliers
    masks = np.zeros_like(mixed)
    for turn in range(1, BITS_SET + 1):
        masks |= np.uint64(1) << ((mixed >> np.uint64(64 - 6 * turn)) & np.uint64(63))
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
