"""Settings, read once from the environment by the entry points and handed down."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.errors import Invalid
from app.infra.loopback import is_loopback

LARGEST_EVIDENCE: Final = 10 << 20


class Environment(StrEnum):
    """Where the service runs; production refuses everything that is made up on the spot."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Every setting, with its environment variable `TIERING_<NAME>` (DATA_DIR has no prefix)."""

    model_config = SettingsConfigDict(env_prefix="TIERING_", extra="ignore", frozen=True)

    environment: Environment = Environment.DEVELOPMENT
    database_url: SecretStr | None = None
    direct_url: SecretStr | None = None
    data_dir: Annotated[
        Path, Field(validation_alias=AliasChoices("DATA_DIR", "TIERING_DATA_DIR", "data_dir"))
    ] = Path(".data")
    pgbouncer: bool = False
    pool_size: Annotated[int, Field(ge=1, le=200)] = 10
    statement_timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 15
    business_zone: str = "Asia/Shanghai"
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "CNY"
    stale_after_days: Annotated[int, Field(ge=1, le=3660)] = 100
    list_max_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 100_000
    #: Customers of a book up to which a check counts whom its findings are about.
    check_count_max_customers: Annotated[int, Field(ge=0, le=100_000_000)] = 200_000
    import_max_bytes: Annotated[int, Field(ge=1, le=64 << 30)] = 1 << 30
    import_keep_days: Annotated[int, Field(ge=1, le=365)] = 7
    #: The database refuses what is larger than the ceiling.
    evidence_max_bytes: Annotated[int, Field(ge=1, le=LARGEST_EVIDENCE)] = LARGEST_EVIDENCE
    #: From the day an override ends; an extension counts, a shortening does not.
    evidence_keep_days: Annotated[int, Field(ge=365, le=36_525)] = 3_650
    #: A command that reads a file from its standard input: 0 it is clean, 1 it is not.
    evidence_scanner: str | None = None
    #: Of what decided after it was rehearsed, the counts are kept for good, and who moves so long.
    simulation_keep_days: Annotated[int, Field(ge=1, le=3650)] = 90
    job_keep_days: Annotated[int, Field(ge=1, le=3650)] = 90
    housekeeping_seconds: Annotated[int, Field(ge=1, le=86_400)] = 3_600
    override_clock_seconds: Annotated[int, Field(ge=1, le=3_600)] = 60
    job_lease_seconds: Annotated[float, Field(ge=0.3, le=3600)] = 60
    job_poll_seconds: Annotated[float, Field(ge=0.02, le=60)] = 2
    job_retry_seconds: Annotated[float, Field(ge=0.01, le=600)] = 5
    job_grace_seconds: Annotated[float, Field(ge=1, le=600)] = 15
    master_key: SecretStr | None = None
    jwks_file: Path | None = None
    jwks_url: str | None = None
    jwks_overlap_seconds: Annotated[int, Field(ge=0, le=86_400)] = 600
    issuer: str = "tiering-development"
    audience: str = "tiering"
    roles_claim: str = "roles"
    #: What Keycloak puts into every token beside the roles that somebody was given.
    roles_ignored: str = "offline_access,uma_authorization,default-roles-*"
    customer_id_claim: str = "customer_id"
    token_headers_ignored: str = ""
    #: From the last byte of a request to the first of its answer; and from its head to that byte.
    request_timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 30
    body_timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 20
    #: From a not-ready answer to the closing of the port, when the process is told to stop.
    drain_seconds: Annotated[int, Field(ge=0, le=600)] = 0
    #: Requests a minute of one actor, of its costly ones, and of its searches; 0 lifts the limit.
    rate_limit_per_minute: Annotated[int, Field(ge=0, le=10_000_000)] = 60_000
    costly_rate_limit_per_minute: Annotated[int, Field(ge=0, le=10_000_000)] = 1_200
    search_rate_limit_per_minute: Annotated[int, Field(ge=0, le=10_000_000)] = 300
    #: Searches of one actor that may find nobody; 0 lifts the limit.
    search_misses_per_hour: Annotated[int, Field(ge=0, le=1_000_000)] = 30
    search_misses_per_day: Annotated[int, Field(ge=0, le=1_000_000)] = 100

    @field_validator("business_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            message = f"{value!r} is no IANA time zone; use one such as Asia/Shanghai"
            raise ValueError(message) from error
        return value

    @field_validator("evidence_scanner")
    @classmethod
    def _command_line(cls, value: str | None) -> str | None:
        try:
            words = [] if value is None else shlex.split(value)
        except ValueError:
            words = []
        if value is not None and not words:
            message = "it must be a command with its arguments, quoted as for a shell"
            raise ValueError(message)
        return value

    @field_validator("jwks_url")
    @classmethod
    def _trustworthy_url(cls, value: str | None) -> str | None:
        if value is not None and not _is_trustworthy(value):
            message = "it must be an https URL without user, password and fragment"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _one_key_set(self) -> Self:
        if self.jwks_url is not None and self.jwks_file is not None:
            message = "set either jwks_url or jwks_file, not both"
            raise ValueError(message)
        return self

    @property
    def is_production(self) -> bool:
        """Whether development conveniences are refused."""
        return self.environment is Environment.PRODUCTION


def _is_trustworthy(text: str) -> bool:
    """Whether keys from that URL come from whom it names: by TLS, or from this very host."""
    try:
        url = urlsplit(text)
        host, _ = url.hostname or "", url.port
    except ValueError:
        return False
    if not text.isascii() or not text.isprintable() or " " in text:
        return False
    if not host or url.username is not None or url.password is not None or "#" in text:
        return False
    return url.scheme == "https" or (url.scheme == "http" and is_loopback(host))


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        Invalid: a variable does not hold what it must; the message names it and never its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        found = [
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}".removeprefix(": ")
            for item in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise Invalid("settings-invalid", "; ".join(found)) from None
