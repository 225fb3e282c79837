from typing import Any

from conntrail.demo.alert import ALERT_COLUMNS, alert_rows


def alert(identity: str, severity: str, *causes: dict[str, Any], **more: Any) -> dict[str, Any]:
    said = {"rule": "r", "message": "m", "policies": [], **more}
    return {"id": identity, "severity": severity, "causes": list(causes), **said}


def test_an_alert_says_why_and_who_did_it() -> None:
    cause = {"summary": "NetworkPolicy shop/closed created", "by": "jane", "confidence": 0.931}
    policy = "NetworkPolicy:shop/closed:rule=-1:deny"
    [row] = alert_rows([alert("a", "high", cause, message="web no longer reaches db", policies=[policy])])
    assert row == ["high", "r", "web no longer reaches db", "NetworkPolicy shop/closed created (93%)", "jane", policy]
    assert len(row) == len(ALERT_COLUMNS)


def test_an_alert_without_a_known_cause_says_so() -> None:
    assert alert_rows([alert("a", "low")])[0][3:] == ["(none known)", "", ""]


def test_the_severest_come_first_and_no_more_than_a_page() -> None:
    cause = {"summary": "s", "by": "", "confidence": 1.0}
    made = [alert(f"{number:02}", "low") for number in range(20)] + [alert("b", "high"), alert("a", "high", cause)]
    rows = alert_rows(made)
    assert [row[0] for row in rows[:3]] == ["high", "high", "low"]
    assert rows[0][3] == "s (100%)"
    assert len(rows) == 12


def test_hostile_names_are_escaped() -> None:
    [row] = alert_rows([alert("a", "low", {"summary": "\x1b[2J", "by": "\x07", "confidence": 0.5})])
    assert row[3:5] == ["\\x1b[2J (50%)", "\\x07"]
