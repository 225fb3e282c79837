import pytest
from typer.testing import CliRunner

from conntrail.observe.command import app


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--output", "xml"], "'xml' is not one of 'compact', 'table', 'wide', 'json', 'jsonl'"),
        (["--verdict", "dropped"], "'dropped' is not one of 'allowed', 'denied', 'failed'"),
        (["--port", "http"], "--port http: expected a number"),
        (["--to-ip", "web"], "'web' is no address or network"),
        (["--since", "yesterday"], "--since yesterday: expected a duration"),
        (["--until", "2026-13-01"], "--until 2026-13-01: expected a duration"),
        (["--source", "kafak"], "'kafak' is not one of 'auto', 'elasticsearch', 'kafka'"),
        (["--last", "0"], "--last"),
        (["--last", "-5"], "--last"),
        (["--follow", "--until", "10m"], "leave --until away"),
        (["--type", "http"], "'http' is not one of 'flow', 'dns', 'l7', 'event', 'audit'"),
        (["--type", "dns", "--verdict", "denied"], "only flows have one"),
        (["--follwo"], "No such option: --follwo"),
    ],
)
def test_wrong_usage_is_named(arguments: list[str], complaint: str) -> None:
    result = CliRunner(env={"COLUMNS": "300", "TERM": "dumb", "NO_COLOR": "1"}).invoke(app, arguments)
    assert result.exit_code == 2
    assert complaint in result.output


def test_help_has_an_example() -> None:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["--help"])
    assert result.exit_code == 0
    assert "conntrail observe --follow --verdict denied" in result.output
