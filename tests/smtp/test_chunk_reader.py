"""The reader of chunks: as many octets as were announced, whatever they are and however they come."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from relay.smtp.chunks import ChunkReader

#: What would mean something anywhere else.
RISKY = st.binary() | st.lists(
    st.sampled_from([b"\r\n.\r\n", b"\n.\n", b"\r", b"\n", b".", b"\0", b"QUIT\r\n", b"BDAT 3 LAST\r\n"])
).map(b"".join)


@given(st.lists(RISKY, min_size=1), RISKY, st.lists(st.integers(0, 10_000), max_size=8))
def test_a_message_is_the_sum_of_its_chunks(chunks: list[bytes], behind: bytes, places: list[int]):
    """Each ends where it ends, and nothing in it is looked at."""
    reader = ChunkReader()
    for chunk in chunks:
        reader.begin(len(chunk))
        wire = chunk + behind
        edges = [0, *sorted(place % (len(wire) + 1) for place in places), len(wire)]
        pieces = [wire[start:stop] for start, stop in itertools.pairwise(edges)]
        for number, piece in enumerate(pieces):
            rest = reader.feed(piece)
            if rest is not None:
                assert rest + b"".join(pieces[number + 1 :]) == behind
                break
        else:
            raise AssertionError("no end was found")
    assert reader.size == sum(map(len, chunks))
    assert reader.content() == b"".join(chunks)


def test_discarded_chunks_are_read_to_their_end():
    reader = ChunkReader()
    reader.begin(10)
    assert reader.feed(b"12345") is None
    reader.discard()
    assert reader.feed(b"67890QUIT") == b"QUIT"
    assert (reader.size, reader.content()) == (10, b"")
