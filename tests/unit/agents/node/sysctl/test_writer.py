from pathlib import Path

from agents.node.sysctl.writer import enable_conntrack

_FILES = {"accounting": "nf_conntrack_acct", "timestamps": "nf_conntrack_timestamp"}


def test_settings_are_written_where_the_nodes_are_mounted(tmp_path: Path) -> None:
    directory = tmp_path / "netfilter"
    directory.mkdir()
    for file in _FILES.values():
        (directory / file).write_text("0\n")
    capabilities = {found.name: found for found in enable_conntrack(str(tmp_path))}
    for name, file in _FILES.items():
        assert capabilities[name].state == "ok"
        assert (directory / file).read_text() == "1"
    assert "nf_conntrack is not loaded" in capabilities["event_delivery"].reason
