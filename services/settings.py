"""What an operator may set, read once from the environment (``HENJI_…``).

Rules of this file: it is the only one that reads the environment and the file of
further ledgers; it opens nothing else and decides nothing. Each setting is a field; its
docstring line is what the README shows.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from events.errors import Malformed, NotFound

_PREFIX = "HENJI_"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")
#: What a further ledger may have of its own; everything else is the deployment's.
_OF_A_LEDGER: Final = frozenset(
    {
        "bytes_per_minute",
        "data_dir",
        "database_schema",
        "database_url",
        "events_per_minute",
        "evidence_dir",
        "evidence_s3_url",
        "ingest_topics",
        "kafka_topic",
        "max_body",
        "max_events",
        "origin",
        "public_log",
        "views_url",
    }
)
#: Where the default ledger has one, a further ledger must name its own: two ledgers in
#: one place would answer for each other's content.
_NEVER_SHARED: Final = ("evidence_dir", "evidence_s3_url", "ingest_topics", "views_url")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a process. Every field is ``HENJI_<NAME>`` in the environment."""

    #: Folder of the embedded ledger, the keys and the security log.
    data_dir: Path = Path("henji-data")
    #: TOML file: further ledgers of this deployment, beside the default one.
    ledgers: str = ""
    #: Which of those ledgers a command works on. Empty: the default one.
    ledger: str = ""
    #: ``postgresql://…``; empty: one SQLite file in ``data_dir``.
    database_url: str = ""
    #: Schema of this ledger in PostgreSQL.
    database_schema: str = "henji"
    #: Most connections that a process reads the log with; as many for read models.
    database_pool: int = 4
    #: Seconds after which the database ends a read.
    database_read_seconds: float = 60.0
    #: Seconds after which it ends a statement of an append.
    database_append_seconds: float = 60.0
    #: Seconds that an append waits for the lock of the ledger.
    database_lock_seconds: float = 15.0
    #: Allow a database role that could change the log (a laptop, never production).
    allow_overprivileged: bool = False
    #: Name of the log: the public URL prefix of its tiles without scheme. Empty: the
    #: one the ledger was opened with, ``localhost/log`` for a new one.
    origin: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    #: Serve checkpoint, tiles and entry bundles without a key.
    public_log: bool = True
    #: Largest request body, bytes.
    max_body: int = 5 * 1024 * 1024
    #: Most events in one batch or NDJSON body.
    max_events: int = 1_000
    #: Most events that a ledger takes over HTTP in a minute, a process (0: no limit).
    events_per_minute: int = 0
    #: Most bytes of submissions that it takes in a minute, a process (0: no limit).
    bytes_per_minute: int = 0
    #: Folder of uploaded evidence. Empty: ``evidence`` in ``data_dir``.
    evidence_dir: str = ""
    #: ``s3://bucket/prefix?endpoint=…&region=…``: keep evidence there instead (needs
    #: the extra ``henji[s3]``; credentials are found as boto3 finds them).
    evidence_s3_url: str = ""
    #: Largest piece of evidence, bytes.
    max_evidence: int = 50 * 1024 * 1024
    #: Media types that are taken as evidence.
    evidence_media_types: str = (
        "image/jpeg image/png image/webp image/heic image/tiff"
        " application/pdf text/plain text/csv video/mp4 audio/mpeg audio/mp4"
        " application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        " application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    #: Where read models are kept up to date: ``thread``, ``process`` or ``off`` (by
    #: ``henji work project`` elsewhere). Empty: a process under ``henji serve``.
    projection: Literal["", "thread", "process", "off"] = ""
    #: Append what time makes due in a thread of ``henji serve``: ``thread`` or ``off``.
    scheduler: Literal["off", "thread"] = "off"
    #: Brokers of Kafka, ``host:port,host:port``. Empty: no worker may use Kafka.
    kafka: str = ""
    #: TOML file of client settings for these brokers (TLS, SASL), as kafka-python
    #: names them. Empty: plain text.
    kafka_config: str = ""
    #: Topic to which the relay publishes the log.
    kafka_topic: str = "henji.events"
    #: How the relay writes an event: CloudEvents binding, ``binary`` or ``structured``.
    kafka_mode: Literal["binary", "structured"] = "binary"
    #: ``exactly_once``: the relay publishes in Kafka transactions.
    kafka_delivery: Literal["at_least_once", "exactly_once"] = "at_least_once"
    #: What relay and ingest publish with; ``confluent`` needs ``henji[confluent]``.
    kafka_client: Literal["kafka-python", "confluent"] = "kafka-python"
    #: TOML file: from which topics submissions come, and whose each topic is.
    ingest_topics: str = ""
    #: ``postgresql://…`` of read models that are not beside the log.
    views_url: str = ""
    #: Port for the metrics of a worker (0: none).
    metrics_port: int = 0
    #: Seconds between comments on an idle event stream.
    heartbeat_seconds: float = 15.0
    #: Language of the command line: en or zh.
    lang: str = "en"
    #: Seconds for which a key's state is trusted before the log is asked again.
    key_cache_seconds: float = 5.0


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in force. ``Malformed('setting_invalid')`` names a bad one.

    ``HENJI_<NAME>_FILE`` names a file whose content is the setting: a secret that stays
    out of the environment. OSError: it cannot be read. Where ``HENJI_LEDGER`` names a
    ledger, the settings are that ledger's: ``NotFound('ledger_unknown')``.
    """
    source = os.environ if environment is None else environment
    given = {
        field.name: value
        for field in msgspec.structs.fields(Settings)
        if (value := variable(_PREFIX + field.name.upper(), source)) is not None
    }
    try:
        settings = msgspec.convert(given, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        what, _, name = str(error).rstrip("`").partition(" - at `$.")
        detail = f"{_PREFIX}{name.upper()}: {what}"
        raise Malformed("setting_invalid", detail) from error
    return chosen(settings) if settings.ledger else settings


def variable(name: str, environment: Mapping[str, str] | None = None) -> str | None:
    """Return a variable, or the content of the file that ``<name>_FILE`` names."""
    source = os.environ if environment is None else environment
    if (value := source.get(name)) is not None:
        return value
    path = source.get(f"{name}_FILE")
    return None if path is None else Path(path).read_text("utf-8").strip()


def further_ledgers(settings: Settings) -> dict[str, Settings]:
    """Return the settings of each ledger that ``settings.ledgers`` names, by its name.

    A table ``[<name>]`` of the TOML file has what is that ledger's own. Without it, the
    folder is ``ledgers/<name>``, the schema ``henji_<name>``, the topic of the relay
    ``<topic>.<name>``. ``Malformed('ledgers_invalid')``: the file says something else,
    or would put two ledgers in one place.
    """
    if not settings.ledgers:
        return {}
    tables = _tables(Path(settings.ledgers))
    found = {name: _of_ledger(settings, name, table) for name, table in tables.items()}
    _check_apart((settings, *found.values()))
    return found


def chosen(settings: Settings) -> Settings:
    """Return the settings of the ledger that ``settings.ledger`` names."""
    found = further_ledgers(settings).get(settings.ledger)
    if found is None:
        raise NotFound("ledger_unknown", ledger=settings.ledger)
    return found


def _tables(path: Path) -> dict[str, Any]:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise Malformed("ledgers_invalid", str(error)) from error
    for name, table in tables.items():
        if not _NAME.fullmatch(name) or not isinstance(table, dict):
            raise Malformed("ledgers_invalid", f"[{name}]: {_NAME.pattern}")
        if strange := sorted(set(table) - _OF_A_LEDGER):
            raise Malformed("ledgers_invalid", f"[{name}]: {', '.join(strange)}")
        if not table.get("origin"):
            raise Malformed("ledgers_invalid", f"[{name}]: origin")
    return tables


def _of_ledger(settings: Settings, name: str, table: Mapping[str, Any]) -> Settings:
    for place in _NEVER_SHARED:
        if getattr(settings, place) and place not in table:
            raise Malformed("ledgers_invalid", f"[{name}]: {place}")
    given = {
        "ledger": name,
        "ledgers": "",
        "data_dir": str(settings.data_dir / "ledgers" / name),
        "database_schema": f"henji_{name}",
        "kafka_topic": f"{settings.kafka_topic}.{name}",
        **table,
    }
    own = msgspec.structs.asdict(settings) | given
    try:
        return msgspec.convert(own, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise Malformed("ledgers_invalid", f"[{name}]: {error}") from error


def _check_apart(ledgers: Iterable[Settings]) -> None:
    """Refuse two ledgers in one place, whichever of their settings led both there."""
    owners: dict[tuple[str, str], Settings] = {}
    for one in ledgers:
        for setting, where, what in _places(one):
            used = where and what
            if used and owners.setdefault((where, what), one) is not one:
                detail = f"[{one.ledger}]: {setting}: another ledger has {what}"
                raise Malformed("ledgers_invalid", detail)


def _places(one: Settings) -> tuple[tuple[str, str, str], ...]:
    """Return what a ledger must have to itself: by which setting, among what, its name.

    A schema is followed by that of its read models, a topic by that of its positions.
    """
    schema, topic = one.database_schema, one.kafka_topic
    return (
        ("data_dir", "files", str(one.data_dir)),
        ("origin", "logs", one.origin),
        ("database_schema", one.database_url, schema),
        ("database_schema", one.views_url or one.database_url, f"{schema}_views"),
        ("kafka_topic", one.kafka, topic),
        ("kafka_topic", one.kafka, f"{topic}.position"),
        ("ingest_topics", "files", one.ingest_topics),
        ("evidence_dir", "files", one.evidence_dir),
        ("evidence_s3_url", "buckets", one.evidence_s3_url),
    )


def as_environment(settings: Settings) -> dict[str, str]:
    """Return this process's environment with exactly these settings in it.

    They are one ledger's already: whoever reads them chooses no other.
    """
    own = {name: v for name, v in os.environ.items() if not name.startswith(_PREFIX)}
    one = msgspec.structs.replace(settings, ledger="", ledgers="")
    for name, value in msgspec.structs.asdict(one).items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        own[_PREFIX + name.upper()] = text
    return own


def _path(kind: type, value: object) -> object:
    return kind(value)
