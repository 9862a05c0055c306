"""The rows of the catalogue: names, schemas, examples and texts of every refusal."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import msgspec
import pytest

from events.domain import commitments, kinds
from events.domain.access import ROLES

ROOT = Path(commitments.__file__).parent


def test_every_event_of_the_table_is_in_the_catalogue():
    """The catalogue, the payloads and the table of transitions name the same events."""
    names = [row.name for row in commitments.EVENT_TYPES]
    assert len(names) == len(set(names)) == 26
    assert set(names) == set(commitments.TRANSITIONS)


@pytest.mark.parametrize("row", commitments.EVENT_TYPES, ids=lambda row: row.name)
def test_a_row_is_whole(row):
    """Each type has two names, a description, known roles, examples that validate."""
    assert all((row.en, row.zh, row.description))
    assert row.version == 1
    assert row.roles <= set(ROLES)
    for example in row.examples:
        msgspec.convert(example, row.data, strict=True)
    assert row.examples
    assert msgspec.json.schema(row.data)["$defs"]


@pytest.mark.parametrize("key", ["", "-1", "a" * 65, "a/b", "a b", "a\n", "编号"])
def test_a_number_is_plain(key):
    """A commitment's number is 1 to 64 plain characters, with nothing after them."""
    with pytest.raises(msgspec.ValidationError):
        _superseded(key)
    _superseded("GX-2017-0012.1")


def _superseded(key):
    row = next(r for r in commitments.EVENT_TYPES if "superseded" in r.name)
    return msgspec.convert({"by": key, "reason": "x"}, row.data)


@pytest.mark.parametrize("member", ["due", "lead_unit", "evidence", "original_due"])
def test_a_correction_cannot_touch_due_owner_evidence(member):
    """The payload of a correction has no such member."""
    row = next(r for r in commitments.EVENT_TYPES if "corrected" in r.name)
    data = {"corrects": "e1", "reason": "slip", "changes": {member: "x"}}
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert(data, row.data)


def test_every_refusal_has_its_texts():
    """Each code that the commitment files raise is in the catalogue of messages."""
    texts: dict[str, dict[str, str]] = {}
    for file in (ROOT.parent / "messages.d").glob("*.toml"):
        texts |= tomllib.loads(file.read_text(encoding="utf-8"))
    codes = {f"{m}_required" for m in ("basis", "standard", "campaign", "due")}
    for file in [*ROOT.glob("commitment*.py"), ROOT / "kinds.py"]:
        codes |= set(_codes(ast.parse(file.read_text(encoding="utf-8"))))
    assert len(codes) > 70
    for code in codes:
        assert set(texts[code]) == {"en", "zh", "fix_en", "fix_zh"}, code


def _codes(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {
            "refuse",
            "Refused",
        }:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield first.value


def test_the_built_in_kinds_are_sound():
    """Verification or publicity implies that only what is verified can be closed."""
    built_in = kinds.built_in()
    assert {"supervision", "campaign_task", "permit", "rectification", "urgent"} == set(
        built_in
    )
    for kind in built_in.values():
        later = msgspec.structs.replace(kind, version=kind.version + 1)
        assert kinds.checked(later) is later
