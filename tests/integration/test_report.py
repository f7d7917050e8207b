"""``cq report``: from a run folder to a page, on the command line."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.cli.report import report
from crypto_quant.core.errors import DataError
from tests.unit.backtesting.made_run import make_run

VOID = {"meta", "link", "br", "hr", "img", "input", "path", "use", "rect"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a run and build its report once."""
    made = tmp_path_factory.mktemp("runs") / "first"
    make_run(days=900).write(made)
    done = CliRunner().invoke(report, [str(made)], catch_exceptions=False)
    assert done.exit_code == 0
    return made


def test_report_shows_verdict_on_the_terminal(folder: Path) -> None:
    done = CliRunner().invoke(
        report, [folder.name, "--runs", str(folder.parent)], catch_exceptions=False
    )
    assert "GENERATED DATA" in done.output
    assert re.search(r"Sharpe ratio +> 2\.00", done.output)
    assert f"report: {folder / 'report.html'}" in done.output


def test_report_json_is_metrics_and_nothing_else(folder: Path) -> None:
    done = CliRunner().invoke(report, [str(folder), "--json"], catch_exceptions=False)
    assert done.output == (folder / "metrics.json").read_text()
    assert json.loads(done.output)["rows"][0]["key"] == "portfolio"


def test_report_same_run_same_bytes(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    for name in ("report.html", "metrics.json"):
        (copy / name).unlink()
    CliRunner().invoke(report, [str(copy)], catch_exceptions=False)
    for name in ("report.html", "metrics.json"):
        assert (copy / name).read_bytes() == (folder / name).read_bytes(), name


def test_the_readmes_words_are_made_of_metrics(folder: Path) -> None:
    path = Path(__file__).resolve().parents[2] / "docs/images/refresh.py"
    spec = importlib.util.spec_from_file_location("refresh", path)
    assert spec is not None
    assert spec.loader is not None
    refresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(refresh)
    metrics = json.loads((folder / "metrics.json").read_text())
    figures, drawn = metrics["rows"][0]["figures"], metrics["intervals"]
    said = refresh.caveat(metrics, 37)
    assert said.startswith("37 configurations were tried. Deflated for them,")
    for value in (figures["dsr"], figures["dsr_lowest"], drawn["met"]["joint"]):
        assert f"{100 * value:.1f} %" in said
    assert "**Portfolio**" in refresh.table(metrics)
    unknown = {**metrics["rows"][0], "figures": {**figures, "dsr_lowest": None}}
    assert "\u2013 by the lowest" in refresh.caveat({**metrics, "rows": [unknown]}, 37)


def test_page_needs_no_network_and_runs_nothing(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    loads = re.findall(r"""(?:src|href)\s*=\s*["']([^"'#][^"']*)|url\(([^#)][^)]*)\)""", page)
    assert loads == []
    assert "<script" not in page
    assert "@import" not in page
    assert "<link" not in page


class Nesting(HTMLParser):
    """Keeps the open elements; what closes must be what was opened last."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"{tag} at {self.getpos()}")


def test_page_is_well_nested_with_links_that_lead_somewhere(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    parser = Nesting()
    parser.feed(page)
    assert parser.faults == []
    assert parser.open == []
    assert set(re.findall(r'<a href="#([^"]+)"', page)) <= set(parser.ids)


def test_page_says_what_it_must(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    data = json.loads((folder / "metrics.json").read_text())
    assert "Generated data" in page
    for row in data["rows"]:
        assert row["label"] in page
    for period in (*data["years"], *data["regimes"]):
        assert f"<th>{period['name']}</th>" in page
    whole = data["attribution"]["books"][-1]
    for value in (whole["start"], whole["end"]):
        units, decimals = value.split(".")
        assert f"{int(units):,}.{decimals}" in page
    assert "to the last digit" in page
    assert "A stuck leg" in page
    assert "37 configurations" in page
    assert len(re.findall(r"<svg", page)) == 9


def test_page_books_that_do_not_add_up_are_called_a_defect(folder: Path, tmp_path: Path) -> None:
    run = RunResult.read(folder)
    at = run.equity.column_names.index("carry/funding")
    shifted = run.equity["carry/price"]
    broken = run.equity.set_column(at, "carry/funding", shifted)
    replace(run, equity=broken).write(tmp_path / "broken")
    CliRunner().invoke(report, [str(tmp_path / "broken")], catch_exceptions=False)
    page = (tmp_path / "broken" / "report.html").read_text()
    assert "DEFECT" in page
    assert "The books do not add up" in page


def test_page_escapes_what_users_write(folder: Path, tmp_path: Path) -> None:
    run = RunResult.read(folder)
    titled = run.description.model_copy(update={"title": "<b>A & B</b>", "rows": ()})
    replace(run, description=titled).write(tmp_path / "named")
    CliRunner().invoke(report, [str(tmp_path / "named")], catch_exceptions=False)
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in (tmp_path / "named" / "report.html").read_text()


def test_report_wrong_folder_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a run folder"):
        CliRunner().invoke(report, [str(tmp_path)], catch_exceptions=False)
    with pytest.raises(DataError, match="not a run folder"):
        CliRunner().invoke(report, ["absent", "--runs", str(tmp_path)], catch_exceptions=False)
