import re
from pathlib import Path
from typing import Any, Final

import yaml

_MANIFEST: Final = Path(__file__).parents[4] / "deploy/krew/conntrail.yaml"
_ADDED: Final = re.compile(r'\{\{addURIAndSha "([^"]+)" \.TagName \}\}')


def _rendered(tag: str) -> Any:
    """As krew-release-bot fills it in."""
    added = _ADDED.sub(
        lambda found: f"uri: {found[1]}\n      sha256: {'0' * 64}", _MANIFEST.read_text(encoding="utf-8")
    )
    return yaml.safe_load(added.replace("{{ .TagName }}", tag))


def test_the_manifest_is_one_of_krew_and_names_the_program_and_archives_of_the_release() -> None:
    manifest = _rendered("v0.1.0")
    assert (manifest["kind"], manifest["metadata"]["name"]) == ("Plugin", "conntrail")
    assert manifest["spec"]["version"] == "v0.1.0"
    platforms = manifest["spec"]["platforms"]
    assert {one["bin"] for one in platforms} == {"kubectl-conntrail"}
    for one in platforms:
        labels = one["selector"]["matchLabels"]
        assert one["uri"].endswith(f"/v0.1.0/kubectl-conntrail-{labels['os']}-{labels['arch']}.tar.gz")
    assert len(manifest["spec"]["shortDescription"]) <= 50


def test_a_platform_has_the_packages_that_its_archive_holds() -> None:
    """Faust is published for amd64 alone."""
    platforms = [one["selector"]["matchLabels"] for one in _rendered("v0.1.0")["spec"]["platforms"]]
    assert platforms == [{"os": "linux", "arch": "amd64"}]
