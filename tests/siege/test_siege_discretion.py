"""The watch over the logs sees what it is there for."""

import base64

import pytest
from discretion import CANARY, leaks


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz", "\0user\0", "demo-user:"])
@pytest.mark.parametrize("behind", ["", "x", "xy", "-0123456789abcdef"])
def test_a_secret_is_seen_whatever_stands_beside_it(before, behind):
    secret = f"{before}{CANARY}{behind}"
    assert leaks(f'{{"event": "{secret}"}}')
    assert leaks(f"AUTH PLAIN {base64.b64encode(secret.encode()).decode()}")


def test_what_is_no_secret_passes():
    assert not leaks("an ordinary line\n" + base64.b64encode(b"an ordinary body, long enough to compare").decode())
