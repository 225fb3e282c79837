from conntrail.alerts.listing import alert_line, alert_row, alert_sheet
from tests.support.alerts import AT_NS, alert


def test_a_line_tells_the_cause_and_drives_no_terminal() -> None:
    cause = {"summary": "policy applied", "by": "ann", "object": "", "at_ns": AT_NS, "confidence": 0.9, "evidence": []}
    line = alert_line(alert(message="evil\x1b]0;pwned\x07", causes=[cause]))
    assert line == (
        r"2026-11-18T11:06:41.000Z HIGH open communication-break evil\x1b]0;pwned\x07 (policy applied by ann) [a1]"
    )


def test_a_sheet_leaves_out_what_says_nothing() -> None:
    fields = {row["field"]: row["value"] for row in alert_sheet(alert())}
    assert "worked_since" not in fields
    assert fields["started_at"] == "2026-11-18T11:06:40.000Z"
    assert "port: 5432" in str(fields["subject"])
    assert alert_row(alert())["cause"] == ""
