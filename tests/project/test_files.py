"""What every tracked file keeps to: size, docstrings, nothing of one machine."""

from __future__ import annotations

import ast
import re

LINES = 400
BYTES = 1_000_000

#: Traces of the machine or the index that somebody worked with. Each is written so that
#: it does not match itself.
TRACES = re.compile(
    r"(?<![\w.])[/](work|root|Users|home/\w+)/"
    r"|[/]tmp/\w"
    r"|--(extra-)?index[-]url|--find[-]links|--trusted[-]host"
    r"|PIP_(INDEX|EXTRA)[_]|UV_(INDEX|DEFAULT)[_]"
    r"|-----BEGIN [A-Z ]*PRIVATE[ ]KEY"
)
BINARY = {".gz", ".png", ".ico", ".woff2"}


def test_no_file_names_a_machine(root, tracked):
    """No tracked file holds a path of somebody's machine, an index or a private key."""
    found = [
        f"{path}:{number}: {match[0]}"
        for path in tracked
        if path.suffix not in BINARY
        for number, line in enumerate((root / path).read_text().splitlines(), 1)
        if (match := TRACES.search(line))
    ]
    assert not found


def test_files_stay_small(root, tracked):
    """No tracked file is over a megabyte: the repository is cloned to be run."""
    assert not [str(p) for p in tracked if (root / p).stat().st_size > BYTES]


def test_modules_stay_short(root, modules):
    """No module of the three packages is over 400 lines."""
    lengths = {str(p): len((root / p).read_text().splitlines()) for p in modules}
    assert not {path: n for path, n in lengths.items() if n > LINES}


def test_every_test_says_what_it_shows(root, tracked):
    """Each test function has a docstring that states the behaviour."""
    silent = [
        f"{path}: {node.name}"
        for path in tracked
        if path.parts[0] == "tests" and path.suffix == ".py"
        for node in ast.walk(ast.parse((root / path).read_bytes()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert not silent
