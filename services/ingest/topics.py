"""From which topics submissions come, and whose each topic is: a TOML file.

Rules of this file: the shape of that file and what is wrong with one; nothing is
opened here but the file itself.

    group = "henji-ingest"          # optional: consumer group, one of its own a ledger
    max_records = 1000              # optional: most records in hand at once
    max_bytes = 5242880             # optional: most bytes of one fetch from a broker

    [[topic]]
    name = "hotline.events"         # who may write to it is the broker's ACL
    key = "a1b2c3d4"                # id of an access key: whatever comes is this key's
    dead_letters = "hotline.dead"   # optional, else "<name>.dead"
    receipts = "hotline.receipts"   # optional: where receipts go that are asked for
    max_record_bytes = 262144       # optional: key, value and headers of one record
    partitions = 6                  # optional: of the topic, if it is created here

A topic stands for one submitter. No record says whose it is, and none names the topic
that its receipt goes to: nobody writes for another, nor to where another reads.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Annotated

import msgspec

from events import errors

_NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")
_GROUP = "henji-ingest"
_CODE = "ingest_topics_invalid"
_Count = Annotated[int, msgspec.Meta(ge=1)]


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One topic: the key in whose name it submits, and where answers go."""

    name: str
    key: str
    dead_letters: str = ""
    receipts: str = ""
    max_record_bytes: _Count = 262_144
    partitions: _Count = 6

    @property
    def refusals(self) -> str:
        """Return the topic of its dead letters."""
        return self.dead_letters or f"{self.name}.dead"


class Intake(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a worker takes in: its topics, its consumer group, how much at once."""

    topic: tuple[Topic, ...]
    group: str = ""
    max_records: _Count = 1_000
    max_bytes: _Count = 5 * 1024 * 1024

    def group_of(self, ledger: str) -> str:
        """Return the consumer group: that of the file, else one for each ledger."""
        return self.group or ".".join(filter(None, (_GROUP, ledger)))

    def by_name(self) -> dict[str, Topic]:
        """Return the topics by their names."""
        return {topic.name: topic for topic in self.topic}


def load(path: str) -> Intake:
    """Read the file that HENJI_INGEST_TOPICS names.

    ``Malformed``: ingest_topics_missing, ingest_topics_invalid; ``OSError``.
    """
    if not path:
        raise errors.Malformed("ingest_topics_missing")
    return parse(Path(path).read_bytes())


def parse(text: bytes) -> Intake:
    """Return what a TOML text says; ``Malformed('ingest_topics_invalid')``."""
    try:
        intake = msgspec.toml.decode(text, type=Intake)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.Malformed(_CODE, str(error)) from error
    _check(intake)
    return intake


def _check(intake: Intake) -> None:
    if not intake.topic:
        raise errors.Malformed(_CODE, "no topic")
    names = [topic.name for topic in intake.topic]
    answers = {topic.refusals for topic in intake.topic} | {
        topic.receipts for topic in intake.topic if topic.receipts
    }
    for name in (*names, *answers):
        if _NAME.fullmatch(name) is None:
            raise errors.Malformed(_CODE, f"no name of a topic: {name!r}")
    for name, count in Counter(names).items():
        if count > 1:
            raise errors.Malformed(_CODE, f"twice: {name!r}")
    # Its own answers would come back as submissions, refused, for ever.
    for name in sorted(answers.intersection(names)):
        raise errors.Malformed(_CODE, f"both read and answered to: {name!r}")
    for name in sorted(_mixed(intake)):
        raise errors.Malformed(_CODE, f"for dead letters and receipts: {name!r}")


def _mixed(intake: Intake) -> set[str]:
    refusals = {topic.refusals for topic in intake.topic}
    return refusals & {topic.receipts for topic in intake.topic}
