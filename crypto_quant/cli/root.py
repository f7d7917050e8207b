"""The root command: turns our errors into one line and the right exit code."""

from __future__ import annotations

import errno
import os
import sys
from typing import Final

import click

from crypto_quant.cli.backtest import backtest
from crypto_quant.cli.config import config
from crypto_quant.cli.data import data
from crypto_quant.cli.data_download import download
from crypto_quant.cli.data_export import export
from crypto_quant.cli.data_flow import fit_flow, judge_flow
from crypto_quant.cli.data_generate import generate
from crypto_quant.cli.data_validate import validate
from crypto_quant.cli.features import features
from crypto_quant.cli.report import report
from crypto_quant.cli.stress import stress
from crypto_quant.cli.sweep import sweep
from crypto_quant.cli.walk_forward import demo, walk_forward
from crypto_quant.core.errors import CryptoQuantError
from crypto_quant.core.panics import as_errors

_REFUSED: Final = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
)
"""What the system refuses the user, not us."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="crypto-quant", prog_name="cq")
def cq() -> None:
    """Real market data to a walk-forward tested BTC perpetual strategy.

    Exits 0, 2 (what is said is yours to mend) or 1 (a fault of cq: CQ_DEBUG=1 shows where).

    Example: cq demo
    """


cq.add_command(data)
data.add_command(export)
data.add_command(download)
data.add_command(generate)
data.add_command(fit_flow)
data.add_command(judge_flow)
data.add_command(validate)
cq.add_command(features)
cq.add_command(report)
cq.add_command(stress)
cq.add_command(sweep)
cq.add_command(walk_forward)
cq.add_command(backtest)
cq.add_command(demo)
cq.add_command(config)


def run() -> None:
    """Run the command line; what the user can mend becomes one line and exit 2.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C.
    InvariantError
        And whatever else is our fault.
    """
    try:
        with as_errors(), cq.make_context("cq", sys.argv[1:]) as context:
            cq.invoke(context)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.exceptions.Abort:
        raise KeyboardInterrupt from None
    except click.exceptions.NoArgsIsHelpError as err:
        err.show()
        sys.exit(2)
    except BrokenPipeError:
        # The reader has seen enough; what is left must not be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (click.ClickException, CryptoQuantError, OSError) as err:
        said = _said(err)
        if said is None:
            raise
        click.echo(f"cq: {said}", err=True)
        sys.exit(2)


def _said(err: click.ClickException | CryptoQuantError | OSError) -> str | None:
    """Return what the user can do something about; ``None`` where it is our fault."""
    if isinstance(err, click.UsageError):
        return f"{err.format_message()} See {err.ctx.command_path if err.ctx else 'cq'} --help."
    if isinstance(err, click.ClickException):
        return err.format_message()
    if isinstance(err, OSError):
        where = f"{err.filename}: " if err.filename else ""
        return f"{where}{err.strerror}" if err.errno in _REFUSED else None
    return str(err) if err.exit_code == 2 else None
