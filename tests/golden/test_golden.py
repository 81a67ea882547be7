"""Every mail of this folder becomes exactly the calls that stand beside it."""

import json

import pytest
from golden_cases import FOLDER, GoldenCase, cases, made


@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_mail_becomes_the_calls_that_were_found_right(case: GoldenCase):
    assert case.expected.exists(), "not there: run tests/golden/regenerate.py and read what it writes"
    assert case.expected.read_text("utf-8") == made(case)


def test_a_strict_account_refuses_what_loses_something_with_the_note_and_nothing_else():
    wrong = []
    for case in cases():
        expected = case.expected.read_text("utf-8")
        lost = [line.split(": ", 2)[2] for line in json.loads(expected).get("notes", []) if line.startswith("lost: ")]
        refused = json.loads(made(case, strict=True)).get("refused", "") if lost else made(case, strict=True)
        is_right = refused.startswith("554 5.6.3 ") and lost[0] in refused if lost else refused == expected
        if not is_right:
            wrong.append((str(case), refused[:300]))

    assert [] == wrong


def test_no_expectation_is_without_its_mail():
    expectations = {path.name for kind in ("mensatek", "dmds") for path in FOLDER.glob(f"*.{kind}.json")}
    assert {case.expected.name for case in cases()} == expectations
