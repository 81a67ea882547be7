"""Our reading against that of others: the standard library's `email`, and fast-mail-parser."""

from pathlib import Path

import pytest
from decided import DECIDED
from generated import mails
from hypothesis import given
from rivals import RIVALS, disagreements

GOLDEN = {path.stem: path for path in (Path(__file__).parents[1] / "golden").glob("*.eml")}


def test_every_disagreement_about_a_golden_mail_is_decided():
    """A new one: look who is right. If we are, say why in decided.py; if not, there is something to mend."""
    found = {
        name: {f"{rival}:{what}" for rival in RIVALS for what, _, _ in disagreements(path.read_bytes(), rival)}
        for name, path in GOLDEN.items()
    }
    assert {name: set(what.split()) for name, (what, _) in DECIDED.items()} == {k: v for k, v in found.items() if v}


@pytest.mark.parametrize("rival", RIVALS)
@given(mails())
def test_about_well_formed_mail_all_agree(rival, made):
    assert [] == list(disagreements(made.raw, rival))
