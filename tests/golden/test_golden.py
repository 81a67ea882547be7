"""Every mail of this folder becomes exactly the calls that stand beside it."""

import pytest
from golden_cases import FOLDER, GoldenCase, cases, made


@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_mail_becomes_the_calls_that_were_found_right(case: GoldenCase):
    assert case.expected.exists(), "not there: run tests/golden/regenerate.py and read what it writes"
    assert case.expected.read_text("utf-8") == made(case)


def test_no_expectation_is_without_its_mail():
    expectations = {path.name for kind in ("mensatek", "dmds") for path in FOLDER.glob(f"*.{kind}.json")}
    assert {case.expected.name for case in cases()} == expectations
