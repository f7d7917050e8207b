"""``cq config``: what a run's configuration is, and may be."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from crypto_quant.cli.walk_forward import config_option
from crypto_quant.core.config import dump_config, load_config
from crypto_quant.runtime.config import RunConfig


@click.group("config")
def config() -> None:
    """Show the configuration of a walk-forward run.

    Example: cq config show > my.toml
    """


@config.command("show")
@config_option
def show(config_path: Path | None) -> None:
    """Print the resolved configuration as TOML: defaults, file, environment.

    Example: CQ__RISK__DAILY_LOSS=0.02 cq config show
    """
    click.echo(dump_config(load_config(RunConfig, config_path, os.environ)), nl=False)


@config.command("schema")
def schema() -> None:
    """Print every key with its type and range as JSON Schema.

    Example: cq config schema
    """
    click.echo(json.dumps(RunConfig.model_json_schema(), indent=1))
