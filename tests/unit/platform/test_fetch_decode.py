"""Decompression: any cut into chunks gives the same bytes, and never more than is read."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.platform.fetch.decode import MEMBERS_MAX, PIECE_BYTES_MAX, BodyDecoder, DecodeFailed


def deflate_raw(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


def decode(encoding: str, data: bytes, chunk: int = 1000) -> bytes:
    decoder = BodyDecoder(encoding)
    out = b"".join(
        piece for start in range(0, len(data), chunk) for piece in decoder.feed(data[start : start + chunk])
    )
    return out + b"".join(decoder.finish())


ENCODERS: dict[str, list[Callable[[bytes], bytes]]] = {
    "gzip": [gzip.compress],
    "X-GZip": [gzip.compress],
    "deflate": [zlib.compress],
    " Deflate ": [deflate_raw],
    "identity": [],
    "": [],
    "deflate, gzip": [zlib.compress, gzip.compress],
    "gzip, identity,gzip": [gzip.compress, gzip.compress],
}


@given(st.sampled_from(sorted(ENCODERS)), st.binary(max_size=3000), st.integers(1, 200), st.integers(1, 60))
def test_any_cut_gives_the_same_bytes(encoding: str, data: bytes, chunk: int, repeat: int) -> None:
    encoded = data = data * repeat
    for encode in ENCODERS[encoding]:
        encoded = encode(encoded)
    assert decode(encoding, encoded, chunk) == data


@given(st.sampled_from([e for e in sorted(ENCODERS) if ENCODERS[e]]), st.binary(min_size=1), st.data())
def test_a_cut_body_is_never_complete(encoding: str, data: bytes, draw: st.DataObject) -> None:
    encoded = data
    for encode in ENCODERS[encoding]:
        encoded = encode(encoded)
    with pytest.raises(DecodeFailed):
        decode(encoding, encoded[: draw.draw(st.integers(1, len(encoded) - 1))])


@given(st.binary(max_size=400))
def test_any_bytes_decode_or_fail_cleanly(data: bytes) -> None:
    for encoding in ("gzip", "deflate", "gzip, deflate"):
        with contextlib.suppress(DecodeFailed):
            decode(encoding, data)


def test_pieces_are_small_and_made_on_demand() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    pieces = BodyDecoder("gzip").feed(bomb)
    assert [len(next(pieces)) for _ in range(3)] == [PIECE_BYTES_MAX] * 3


def test_several_members_and_padding() -> None:
    assert decode("gzip", gzip.compress(b"one ") + gzip.compress(b"two") + bytes(512), 7) == b"one two"
    assert decode("gzip", gzip.compress(b"one") + b"\x1f", 7) == b"one"


def test_a_swarm_of_members_is_refused() -> None:
    assert decode("gzip", gzip.compress(b"") * MEMBERS_MAX) == b""
    with pytest.raises(DecodeFailed, match="members"):
        decode("gzip", gzip.compress(b"") * (MEMBERS_MAX + 1))


def test_no_bytes_are_an_empty_body() -> None:
    assert decode("gzip", b"") == decode("deflate", b"") == b""


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "compress", "gzip," * 4])
def test_encodings_that_were_not_asked_for(encoding: str) -> None:
    with pytest.raises(DecodeFailed):
        BodyDecoder(encoding)
