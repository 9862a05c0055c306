"""The pages for operators and submitters name only what there is, in both languages."""

from __future__ import annotations

import re

import msgspec
import pytest
import typer.main
import yaml

from services.cli import app
from services.settings import Settings

PAGES = ["OPERATIONS", "KAFKA"]
FILES = [f"{page}{language}.md" for page in PAGES for language in ("", ".zh-CN")]
#: Read by the command line itself, or by `henji install`.
OTHER = {"KEY", "OWNER_URL", "URL"}
#: What prometheus_client adds to the name that the code gives a metric.
SUFFIX = re.compile(r"_(total|bucket|count|sum)$")
METRIC = re.compile(r"\bhenji_[a-z_]+\b")
#: Headers of records and names of roles and databases, which look like metrics.
NO_METRICS = {"owner", "writer", "projector", "reader", "restored"}


@pytest.fixture(scope="module")
def literals(root):
    """Return every name of a metric or header that the code has in quotes."""
    code = "".join(path.read_text() for path in (root / "services").rglob("*.py"))
    code += "".join(path.read_text() for path in (root / "events").rglob("*.py"))
    named = set(re.findall(r'"(henji_[a-z_]+)"', code))
    # Gauges of remote read models share a prefix.
    return named | {
        f"henji_remote_{name}" for name in re.findall(r'gauge\(\s*"([a-z_]+)"', code)
    }


@pytest.fixture(params=FILES)
def page(request, root):
    """Return the text of one page."""
    return (root / "services" / request.param).read_text("utf-8")


def known_commands(group, prefix="henji"):
    """Yield each command of a group with its options."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from known_commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", {o for p in command.params for o in p.opts}


def typed(text):
    """Return the command lines of a page: of its shell blocks, and in backticks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    inline = [re.sub(r"\s+", " ", found) for found in re.findall(r"`([^`]+)`", text)]
    return [line[line.index("henji ") :] for line in lines + inline if is_ours(line)]


def is_ours(line):
    """Tell whether a line runs our command, itself or in a container."""
    return bool(re.match(r"(docker compose exec \w+ )?henji \w", line.strip()))


def test_every_command_of_a_page_is_there(page):
    """Commands and their options are known to the command line."""
    known = dict(known_commands(typer.main.get_command(app)))
    for line in typed(page):
        name = max((one for one in known if line.startswith(one)), key=len, default="")
        assert name, line
        given = set(re.findall(r"(?<=\s)--[a-z-]+", line))
        assert given <= known[name], line


def test_every_setting_of_a_page_is_there(page):
    """Variables are settings, or such as a command reads itself."""
    known = {field.name.upper() for field in msgspec.structs.fields(Settings)} | OTHER
    given = {
        name.removesuffix("_FILE") for name in re.findall(r"HENJI_([A-Z0-9_]+)", page)
    }
    assert given <= known


def test_every_metric_and_header_of_a_page_is_there(page, literals):
    """What is watched is published; what is read stands on a record."""
    named = {SUFFIX.sub("", name) for name in METRIC.findall(page)}
    assert named - {f"henji_{one}" for one in NO_METRICS} <= literals


def test_what_a_page_points_to_is_there(page, root):
    """Links lead to files of the repository."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page)
    assert not [link for link in links if not (root / "services" / link).exists()]


@pytest.mark.parametrize("name", PAGES)
def test_both_languages_have_the_same_code(root, name):
    """Blocks to be typed or compiled are the same, but for comments."""
    english, chinese = (
        blocks((root / "services" / f"{name}{language}.md").read_text("utf-8"))
        for language in ("", ".zh-CN")
    )
    assert english == chinese


def blocks(text):
    """Return all blocks of code without the comments of shell."""
    found = re.findall(r"^```\w+\n.*?^```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(r"\s+# .*", "", block) for block in found]


@pytest.fixture(scope="module")
def alerts(root):
    """Return the rules for Prometheus."""
    rules = yaml.safe_load((root / "services/deploy/alerts.yml").read_text())
    return [rule for group in rules["groups"] for rule in group["rules"]]


def test_every_alert_watches_what_is_published(alerts, literals):
    """No rule waits for a metric that nobody publishes."""
    for rule in alerts:
        named = {SUFFIX.sub("", name) for name in METRIC.findall(rule["expr"])}
        assert named <= literals, rule["alert"]


@pytest.mark.parametrize("language", ["", ".zh-CN"])
def test_every_alert_is_explained(alerts, root, language):
    """The page has a row for each rule, and no other."""
    text = (root / "services" / f"OPERATIONS{language}.md").read_text("utf-8")
    rows = re.findall(r"^\| (Henji\w+) \|", text, re.MULTILINE)
    assert rows == [rule["alert"] for rule in alerts]
