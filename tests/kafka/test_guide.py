"""The Python of KAFKA.md runs as it stands there: submitted, answered, read back."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import uuid

import pytest

from services.relay.opening import Wanted
from services.relay.opening import opened as relaying
from tests.support import intake, scenario

GUIDES = ["services/KAFKA.md", "services/KAFKA.zh-CN.md"]
KEY = scenario.ADAPTER
TYPE, SOURCE = "org.example.call.v1", "urn:example:hotline"


@pytest.fixture(params=GUIDES)
def examples(request, pytestconfig):
    """Return the two Python examples of a guide: the submitter and the reader."""
    text = (pytestconfig.rootpath / request.param).read_text("utf-8")
    found = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(found) == 2
    return found


@pytest.fixture
def place(kafka, tmp_path):
    """Return a ledger with a topic for one key, which knows the type of the guide."""
    topic = f"log-{uuid.uuid4().hex[:8]}"
    made = intake.prepared(kafka, tmp_path / "ledger", kafka_topic=topic)
    made.operate(scenario.type_registered(TYPE))
    return made


def test_the_guide_submits_and_is_answered(kafka, place, examples):
    """The submitter's record is in the log, and its receipt proves it."""
    with place.working():
        type_in(examples[0], kafka, {"henji.in.hotline": place.topics[KEY]})
        (answer,) = place.receipted(1)
        place.await_done()
    (row,) = place.rows(SOURCE)
    told = json.loads(answer.value)
    assert (told["position"], row.stream) == (row.position, "external/call-4711")
    assert place.proves(told["receipt"], row.entry) >= row.position
    assert answer.key == b"call-4711"


def test_the_guide_reads_the_whole_log(kafka, place, examples):
    """The reader prints every entry once, in order, and stops at nothing."""
    size = place.rows()[-1].position
    stop = threading.Event()
    with relaying(place.settings, Wanted(partitions=1, replication=-1)) as relay:
        thread = threading.Thread(target=relay.run, args=(stop,))
        thread.start()
        try:
            printed = first_lines(examples[1], kafka, place.settings.kafka_topic, size)
        finally:
            stop.set()
            thread.join()
    assert [int(line.split()[0]) for line in printed] == list(range(1, size + 1))


def localised(example, kafka, names):
    """Return an example with the broker and the topics of this test."""
    for name, ours in {"localhost:9092": kafka.bootstrap, **names}.items():
        assert name in example
        example = example.replace(name, ours)
    return [sys.executable, "-u", "-c", example]


def type_in(example, kafka, names):
    """Run an example to its end."""
    done = subprocess.run(
        localised(example, kafka, names),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def first_lines(example, kafka, topic, count):
    """Run an example that has no end until it has printed so many lines."""
    command = localised(example, kafka, {"henji.events": topic})
    with subprocess.Popen(command, stdout=subprocess.PIPE) as reader:
        try:
            return [reader.stdout.readline().decode() for _ in range(count)]
        finally:
            reader.kill()
