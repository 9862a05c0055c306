"""Every rule has a name in both languages, and every name has a rule."""

from __future__ import annotations

import ast
from importlib.resources import files

from events import catalogue
from events.domain.rulesets import Ruleset
from projections.rules.lights import RULES
from projections.rules.names import names
from projections.rules.urging import SHEETS


def cited():
    """Return what the modules of rules cite as ``cite("...")``, literally."""
    found = set()
    for entry in files("projections.rules").iterdir():
        if entry.name.endswith(".py"):
            for node in ast.walk(ast.parse(entry.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr == "cite"
                    and isinstance(node.args[0], ast.Constant)
                ):
                    found.add(node.args[0].value)
    return found


def test_the_names_are_those_of_the_code():
    """No rule without a name, no name without a rule."""
    composed = {f"light.{name}" for _, name, _ in RULES}
    composed |= {f"urging.{level}" for level, _ in (*SHEETS, ("reminder", None))}
    composed |= {f"threshold.{name}" for name in ("unrectified", "newly_found")}
    assert set(names()) == cited() | composed


def test_each_name_is_complete():
    """Both languages, and thresholds that the ruleset has."""
    for row in names().values():
        assert row.en
        assert row.zh
        assert set(row.thresholds) <= set(Ruleset.__struct_fields__)


def test_what_a_rule_reads_exists():
    """Each pattern matches an event type of the catalogue."""
    known = [kind.name for kind in catalogue.all_types()]
    for row in names().values():
        for pattern in row.reads:
            prefix = pattern.removesuffix("*")
            whole = prefix == pattern
            assert any(n == prefix if whole else n.startswith(prefix) for n in known)
