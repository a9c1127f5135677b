"""Every setting, from `METERHOUSE_…` variables and an optional TOML file (`METERHOUSE_CONFIG`)."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from meterhouse.kernel.errors import Invalid

PREFIX = "METERHOUSE_"


class Settings(BaseSettings):
    """The server's settings. The environment wins over the file; unset means the embedded engines."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    data_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("meterhouse")),
        description="Folder of the embedded engines and of everything else kept on disk.",
    )
    database_url: str = Field("", description="`postgresql://…`; unset starts PostgreSQL in the data folder.")
    events_url: str = Field("", description="`clickhouse://…`; unset opens ClickHouse in the data folder.")
    api_key: str = Field("", description="The first API key; unset generates one and prints it once.")
    fetch_allow: str = Field(
        "", description="CIDRs and hosts, comma-separated, that may be fetched although not public."
    )
    browser: str = Field("", description="Path of a Chromium; unset looks in the usual places when needed.")
    model_url: str = Field(
        "", description="An OpenAI-compatible server, as in `http://host:port/v1`; unset works without."
    )
    model_name: str = Field("", description="The model to ask there.")
    model_api_key: str = Field("", description="The key for that server, when it wants one.")
    smtp_url: str = Field(
        "",
        description="Where emails are sent: `smtp://`, `starttls://` or `smtps://`, then "
        "`user:password@host:port`; unset keeps them in the outbox.",
    )
    smtp_from: str = Field("", description="The address that emails come from; unset takes the user name.")
    webhook_retention_days: int = Field(
        30, ge=1, le=3650, description="How long webhook messages and emails are kept after they have ended."
    )
    consumption_retention_days: int = Field(
        90,
        ge=1,
        le=3650,
        description="How long a repeated idempotency key of consuming gets the first answer.",
    )
    result_retention_days: int = Field(
        365,
        ge=1,
        le=36_500,
        description="How long jobs, workflow runs and discoveries are kept after they have ended; the newest "
        "results of each page and changes that nobody has seen stay.",
    )
    test_clock: bool = Field(False, description="1 lets `PUT /testing/clock` move time forward.")
    worker_concurrency: int = Field(8, ge=1, le=256, description="Background tasks that run side by side.")
    job_concurrency: int = Field(32, ge=1, le=1024, description="Jobs that one worker has in hand at a time.")
    host_concurrency: int = Field(
        8, ge=1, le=256, description="Requests that one worker makes to one host at a time."
    )
    host_delay_s: float = Field(
        0.0, ge=0, le=60, description="Seconds between the beginnings of two requests to one host."
    )
    robots: bool = Field(False, description="1 leaves pages alone that a site's robots.txt excludes.")
    body_bytes_max: int = Field(
        32 * 1024 * 1024, ge=1024, description="Largest request body (the Polar facade keeps its own 10 MiB)."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        path = os.environ.get(f"{PREFIX}CONFIG", "")
        sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
        return (*sources, TomlConfigSettingsSource(settings_cls, toml_file=path)) if path else sources


def load_settings(**given: object) -> Settings:
    """Read the settings; `given` values win. Raises `Invalid` with one sentence per bad setting."""
    config = os.environ.get(f"{PREFIX}CONFIG", "")
    if config and not Path(config).is_file():
        raise Invalid(f"{PREFIX}CONFIG names {config}, and there is no such file.")
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "; ".join(
            f"{PREFIX}{str(fault['loc'][0]).upper()}: {fault['msg']} (got {fault['input']!r})"
            for fault in error.errors()
        )
        raise Invalid(f"The settings are not usable. {faults}") from error
    except (OSError, ValueError) as error:
        raise Invalid(f"The settings file {config} is not usable: {error}") from error
