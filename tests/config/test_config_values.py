"""Durations, sizes, addresses and sender patterns as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.config import SenderPattern
from relay.config.units import HostPort, duration_text, seconds


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("2d", 172800),
        ("1.5h", 5400),
        (" 5 M ", 300),
        (7, 7),
        (0.5, 0.5),
        ("45", 45),
    ],
)
def test_duration_is_read(written, expected):
    assert expected == seconds(written)


@pytest.mark.parametrize(
    "written", ["", "5 weeks", "-1s", -1, True, None, float("inf"), float("nan"), "\u0665s", "1e5s", [5]]
)
def test_what_is_no_duration_is_refused(written):
    with pytest.raises(ValueError, match="a duration is a number with s, m, h or d"):
        seconds(written)


@given(st.integers(0, 10**9).map(float) | st.decimals(0, 10**6, places=3).map(float))
def test_duration_is_written_as_it_is_read(value):
    assert value == pytest.approx(seconds(duration_text(value)))


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [("127.0.0.1:25", "127.0.0.1", 25), ("[::1]:0", "::1", 0), ("localhost:65535", "localhost", 65535)],
)
def test_address_is_read_and_written_back(written, host, port):
    assert HostPort(host, port) == HostPort.parse(written) == HostPort.parse(HostPort(host, port))
    assert written == str(HostPort(host, port))


@pytest.mark.parametrize(
    "written", ["", "25", ":25", "a:", "a:65536", "a:-1", "::1:25", "[::1:25", "[]:25", "a:²", 25, None]
)
def test_what_is_no_address_is_refused(written):
    with pytest.raises(ValueError, match='an address is "host:port"'):
        HostPort.parse(written)


@pytest.mark.parametrize(
    ("pattern", "address", "expected"),
    [
        ("a@b.org", "a@b.org", True),
        ("a@B.org", "a@b.ORG.", True),
        ("a@b.org", "A@b.org", False),
        ("a@b.org", "x@b.org", False),
        ("*@b.org", "anybody@b.org", True),
        ("*@b.org", "a@sub.b.org", False),
        ("*@b.org", "@b.org", False),
        ("*@b.org", "b.org", False),
        ("*@*.b.org", "a@sub.b.org", True),
        ("*@*.b.org", "a@deep.sub.b.org", True),
        ("*@*.b.org", "a@b.org", False),
        ("*@*.b.org", "a@evilb.org", False),
        ("*@b.org", "a@b.org.evil.example", False),
        ("*@ñandú.example", "a@xn--and-6ma2c.example", True),
        ("*@xn--and-6ma2c.example", "a@ÑANDÚ.example", True),
        ("*@b.org", '"a@x.org"@b.org', True),
    ],
)
def test_pattern_matches_senders(pattern, address, expected):
    assert expected == SenderPattern.parse(pattern).matches(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "b.org",
        "@b.org",
        "a@",
        "*@*",
        "*@*.",
        "*@.",
        "a*@b.org",
        "a@*b.org",
        "a b@c.org",
        "<a@b.org>",
        "a@b@c",
        "a@b..c",
    ],
)
def test_what_is_no_pattern_is_refused(text):
    with pytest.raises(ValueError, match="a sender is"):
        SenderPattern.parse(text)
