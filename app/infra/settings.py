"""Settings, read once from the environment by the entry points and handed down."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.errors import Invalid


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
    master_key: SecretStr | None = None
    jwks_file: Path | None = None
    issuer: str = "tiering-development"
    audience: str = "tiering"
    roles_claim: str = "roles"

    @field_validator("business_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            message = f"{value!r} is no IANA time zone; use one such as Asia/Shanghai"
            raise ValueError(message) from error
        return value

    @property
    def is_production(self) -> bool:
        """Whether development conveniences are refused."""
        return self.environment is Environment.PRODUCTION


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        Invalid: a variable does not hold what it must; the message names it and never its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        found = [
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise Invalid("settings-invalid", "; ".join(found)) from None
