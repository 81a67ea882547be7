"""Content while it is gathered: the same bytes however they come, and memory by the byte."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from relay.smtp.chunks import ChunkReader
from relay.smtp.data import DataReader
from relay.smtp.pieces import Pieces

SIZES = st.lists(st.sampled_from([0, 1, 2, 100, 4095, 4096, 30_000, 70_000]), max_size=12)


@given(SIZES)
def test_small_and_large_ones_stay_in_order(sizes: list[int]):
    pieces, sent = Pieces(), [bytes([number]) * size for number, size in enumerate(sizes)]
    for piece in sent:
        pieces.put(piece)
    assert pieces.take() == b"".join(sent)
    assert pieces.take() == b""


def test_what_is_cleared_is_gone():
    pieces = Pieces()
    for piece in (b"small", b"L" * 10_000, b"small"):
        pieces.put(piece)
    pieces.clear()
    pieces.put(b"new")
    assert pieces.take() == b"new"


def test_a_message_two_bytes_at_a_time_takes_no_more_memory_than_its_bytes():
    chunks = ChunkReader()
    chunks.begin(1_000_000)
    for reader in (DataReader(1_000_000), chunks):
        tracemalloc.start()
        for number in range(200_000):
            reader.feed(b"%02d" % (number % 100))
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert reader.size == 400_000
        assert held < 2 * reader.size
