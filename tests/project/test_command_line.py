"""What the command line says where it cannot even begin: in words, with a code."""

from __future__ import annotations

import sys

import pytest

from services import cli


@pytest.fixture
def told(monkeypatch, capsys, tmp_path):
    """Return what runs a command in an environment and gives back what it says."""

    def run(*arguments, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(f"HENJI_{name}", value)
        monkeypatch.setattr(sys, "argv", ["henji", *arguments])
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == cli.EXIT_ERROR
        return capsys.readouterr().err

    return run


def test_a_setting_with_a_wrong_value_is_named_as_it_is_set(told):
    """As the environment has it, not as the code does."""
    said = told("keys", "list", PORT="eighty")
    assert said.startswith("setting_invalid: ")
    assert "HENJI_PORT" in said


def test_a_ledger_that_is_not_in_the_file_is_told_in_the_language_of_the_settings(told):
    """Also where the settings cannot be had as a whole."""
    said = told("keys", "list", LEDGER="nowhere", LANG="zh")
    assert said.startswith("ledger_unknown: ")
    assert "账本" in said
