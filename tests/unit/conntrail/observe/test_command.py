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
        (["--first", "0"], "--first"),
        (["--first", "3", "--last", "3"], "exclude --last and --follow"),
        (["--first", "3", "--follow"], "exclude --last and --follow"),
        (["--follow", "--until", "10m"], "what is followed has no end"),
        (["--type", "http"], "'http' is not one of 'flow', 'dns', 'l7', 'event', 'audit'"),
        (["--type", "dns", "--verdict", "denied"], "--verdict is of --type flow alone"),
        (["--type", "flow", "--type", "l7", "--http-status", "5xx"], "--http-status is of --type l7 or audit alone"),
        (["--http-status", "5xx", "--dns-query", "a"], "are of different types"),
        (["--http-status", "6xx"], "--http-status 6xx: expected a status as 404"),
        (["--http-path", "(a"], "--http-path '(a': expected a regular expression"),
        (["--label", "app in"], "--label 'app in': expected a selector"),
        (["--from-fqdn", "example.com"], "nobody looks up who calls them"),
        (["--last", "100001"], "--last"),
        (["-o", "json", "--field-mask", "source.ipp"], "did you mean source.ip"),
        (["--pod", "web", "--not"], "--not negates the filter that follows it"),
        (["--not", "--last", "3", "--pod", "web"], "--not negates the filter that follows it"),
        (["--field-mask", "source.ip"], "add one"),
        (["-o", "json", "--field-mask", "source."], "there is no such field"),
        (["--aggregate-by", "colour"], "expected some of namespace"),
        (["--follow", "--aggregate-by", "pod"], "what is followed has no end"),
        (["--follow", "--input-file", "-"], "what is followed has no end"),
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
