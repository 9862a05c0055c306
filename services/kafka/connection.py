"""To which brokers, and as whom: the settings, read into options of the client.

Rules of this file: it reads one TOML file and the secrets that it names; it connects
to nothing. Names outside of the list are refused: whoever may write that file must not
be able to turn off what the workers rely on (acknowledgements, idempotence, commits).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from events.errors import Malformed, Unavailable
from services.settings import Settings

#: What may be set, as kafka-python names it, and of which type.
ALLOWED: Final[Mapping[str, type]] = {
    "security_protocol": str,
    "ssl_cafile": str,
    "ssl_certfile": str,
    "ssl_check_hostname": bool,
    "ssl_ciphers": str,
    "ssl_crlfile": str,
    "ssl_keyfile": str,
    "sasl_kerberos_domain_name": str,
    "sasl_kerberos_service_name": str,
    "sasl_mechanism": str,
    "sasl_plain_username": str,
    "client_dns_lookup": str,
}
#: Secrets are never in the file itself: these name files that hold them.
SECRETS: Final[Mapping[str, str]] = {
    "sasl_plain_password_file": "sasl_plain_password",
    "ssl_password_file": "ssl_password",
}


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the brokers are, and the options of every client of them."""

    servers: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)


def connection_of(settings: Settings) -> Connection:
    """Return the connection that the settings name.

    ``Unavailable('kafka_not_configured')`` without brokers;
    ``Malformed('kafka_config_invalid')`` for a file that says what it must not.
    """
    servers = tuple(one.strip() for one in settings.kafka.split(",") if one.strip())
    if not servers:
        raise Unavailable("kafka_not_configured")
    path = settings.kafka_config
    return Connection(servers, options_of(Path(path)) if path else {})


def options_of(path: Path) -> Mapping[str, Any]:
    """Return the options of a TOML file; relative names in it are beside it."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Malformed("kafka_config_invalid", f"{path}: {error}") from error
    return dict(_option(name, value, path.parent) for name, value in given.items())


def _option(name: str, value: object, folder: Path) -> tuple[str, Any]:
    if name in SECRETS and isinstance(value, str):
        return SECRETS[name], _secret(folder / value)
    if name not in ALLOWED or type(value) is not ALLOWED[name]:
        known = ", ".join((*ALLOWED, *SECRETS))
        raise Malformed("kafka_config_invalid", f"{name}; allowed: {known}")
    if name.endswith("file"):
        return name, str(folder / str(value))
    return name, value


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise Malformed("kafka_config_invalid", f"{path}: unreadable") from error
