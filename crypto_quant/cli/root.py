"""The root command: turns our errors into one line and the right exit code."""

from __future__ import annotations

import sys

import click

from crypto_quant.cli.backtest import backtest
from crypto_quant.cli.config import config
from crypto_quant.cli.data import data
from crypto_quant.cli.data_download import download
from crypto_quant.cli.data_export import export
from crypto_quant.cli.data_generate import generate
from crypto_quant.cli.data_validate import validate
from crypto_quant.cli.features import features
from crypto_quant.cli.report import report
from crypto_quant.cli.walk_forward import demo, walk_forward
from crypto_quant.core.errors import CryptoQuantError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="crypto-quant", prog_name="cq")
def cq() -> None:
    """Real market data to a walk-forward tested BTC perpetual strategy.

    Example: cq demo
    """


cq.add_command(data)
data.add_command(export)
data.add_command(download)
data.add_command(generate)
data.add_command(validate)
cq.add_command(features)
cq.add_command(report)
cq.add_command(walk_forward)
cq.add_command(backtest)
cq.add_command(demo)
cq.add_command(config)


def run() -> None:
    """Run the command line; our errors become one line and their exit code.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C.
    """
    try:
        with cq.make_context("cq", sys.argv[1:]) as context:
            cq.invoke(context)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.exceptions.Abort:
        raise KeyboardInterrupt from None
    except click.exceptions.NoArgsIsHelpError as err:
        err.show()
        sys.exit(2)
    except click.UsageError as err:
        command = err.ctx.command_path if err.ctx else "cq"
        click.echo(f"cq: {err.format_message()} See {command} --help.", err=True)
        sys.exit(2)
    except click.ClickException as err:
        click.echo(f"cq: {err.format_message()}", err=True)
        sys.exit(2)
    except CryptoQuantError as err:
        click.echo(f"cq: {err}", err=True)
        sys.exit(err.exit_code)
