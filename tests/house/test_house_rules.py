"""The gateway's own modules keep the rules of the house."""

import warnings

import house
import manners
import pytest

RULES = (
    house.broken_arrows,
    house.broken_seclusion,
    house.broken_doors,
    manners.long_file,
    manners.long_functions,
    manners.caught_alls,
    manners.untold,
    manners.leftovers,
    manners.prints,
    manners.read_clocks,
    manners.misread_patterns,
    manners.loose_dataclasses,
    manners.global_state,
)
MODULES = tuple(house.modules())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps_the_rule(rule):
    broken = [violation for module in MODULES for violation in rule(module)]
    if broken:
        pytest.fail("\n".join(broken), pytrace=False)


def test_no_modules_import_each_other_in_a_circle():
    assert [] == list(house.circles(list(MODULES)))


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("LONG_FILES", {module.name for module in MODULES}),
        ("STARTERS", {module.name for module in MODULES}),
        ("CATCH_ALLS", {name for module in MODULES for name, _ in manners.named(module)}),
        ("LOOSE_DATACLASSES", {name for module in MODULES for name, _ in manners.named(module)}),
    ],
)
def test_no_exception_outlives_what_it_was_made_for(table, names):
    assert set() == set(getattr(manners, table)) - names


@pytest.mark.filterwarnings("default:.*worth a thought")
def test_long_files_are_thought_about():
    """Files between the two budgets are named in the report, and that is all."""
    for module in MODULES:
        lines = len(module.source.splitlines())
        if manners.FILE_LINES_TO_THINK < lines <= manners.FILE_LINES:
            warnings.warn(f"{module.name} has {lines} lines: worth a thought", stacklevel=1)
