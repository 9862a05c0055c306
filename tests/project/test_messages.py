"""Every error code is worded, once, in both languages, and every wording is used."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from collections import Counter

from events import messages

#: Calls whose first argument is a code: our error classes and functions named for them.
RAISERS = {
    "conflict",
    "corrupt",
    "denied",
    "deny",
    "fault",
    "henjierror",
    "malformed",
    "notfound",
    "refuse",
    "refused",
    "unavailable",
}
CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def callee(call: ast.Call) -> str:
    """Return the bare name that is called, in lower case without underscores."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    return name.replace("_", "").lower()


def codes_in(expression: ast.expr) -> set[str]:
    """Return the codes that an argument may be: a literal, or a choice of literals."""
    if isinstance(expression, ast.IfExp):
        return codes_in(expression.body) | codes_in(expression.orelse)
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        return {expression.value} if CODE.fullmatch(expression.value) else set()
    return set()


def codes_raised(tree: ast.Module) -> set[str]:
    """Return the codes that a module names where it raises or reports."""
    found: set[str] = set()
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or callee(call) not in RAISERS:
            continue
        keyword = [k.value for k in call.keywords if k.arg == "code"]
        for argument in [*call.args[:1], *keyword]:
            found |= codes_in(argument)
    return found


def fields_of(template: str) -> list[tuple[str, str | None, str | None]]:
    """Return (name, format, conversion) of each replacement field of a text."""
    return [
        (name, spec, conversion)
        for _, name, spec, conversion in string.Formatter().parse(template)
        if name is not None
    ]


def test_every_raised_code_is_worded(modules):
    """A code that the code can raise has its texts in messages.d."""
    worded = messages.catalogue()
    missing = {
        f"{path}: {code}"
        for path, tree in modules.items()
        for code in codes_raised(tree) - worded.keys()
    }
    assert not missing


def test_every_worded_code_is_used(modules):
    """A text whose code occurs nowhere in the code is dead."""
    literals = {
        node.value
        for tree in modules.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not messages.catalogue().keys() - literals


def test_a_code_is_worded_once():
    """No two files of messages.d word the same code."""
    count = Counter(
        code for part in messages.parts().values() for code in tomllib.loads(part)
    )
    assert not [code for code, times in count.items() if times > 1]


def test_every_wording_is_complete():
    """Each code has a title and a remedy in English and in Chinese, and only these."""
    for code, entry in messages.catalogue().items():
        assert CODE.fullmatch(code), code
        assert set(entry) == set(messages.FIELDS), code
        assert all(entry.values()), code
        for field in ("zh", "fix_zh"):
            assert re.search(r"[\u4e00-\u9fff]", entry[field]), f"{code}.{field}"


def test_texts_take_plain_parameters():
    """A text refers to parameters by name only: no attribute, format or conversion."""
    for code, entry in messages.catalogue().items():
        for template in entry.values():
            for name, spec, conversion in fields_of(template):
                assert name.isidentifier(), f"{code}: {name!r}"
                assert not spec, f"{code}: {spec}"
                assert conversion is None, f"{code}: {conversion}"


def test_parameters_are_filled(monkeypatch):
    """Given parameters are shown, ungiven ones stay visible."""
    entry = {"en": "{a} {b}", "zh": "{a}", "fix_en": "{a}", "fix_zh": "{b}"}
    monkeypatch.setattr(messages, "catalogue", lambda: {"x": entry})
    assert messages.text("x", "en", {"a": 1}) == messages.Message("1 {b}", "1")
    assert messages.text("x", "zh", {"a": "{b}"}) == messages.Message("{b}", "{b}")


def test_an_unknown_code_is_its_own_title():
    """Reporting an error never raises another one."""
    assert messages.text("no_such_code", "zh").title == "no such code"
