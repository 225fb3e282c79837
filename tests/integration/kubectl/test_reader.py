"""What kubectl answers where it could not ask everything. What stands for it here tells as much as kubectl does."""

import os
import sys
from pathlib import Path

import pytest

from conntrail.kubectl.errors import KubectlError
from conntrail.kubectl.reader import Kubectl
from conntrail.kubectl.words import Call

_AWAY = (
    "error: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: stale GroupVersion discovery"
)


def _stand_in(directory: Path, monkeypatch: pytest.MonkeyPatch, told: str) -> Kubectl:
    file = directory / "kubectl"
    file.write_text(f"#!{sys.executable}\nimport sys\nprint({told!r}, end='')\nsys.exit({_AWAY!r})")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
    return Kubectl(Call())


def test_an_aggregated_api_that_is_away_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl = _stand_in(tmp_path, monkeypatch, "pods\nnetworkpolicies.networking.k8s.io\n")
    assert kubectl.resources() == {"pods", "networkpolicies.networking.k8s.io"}


def test_nothing_at_all_is_an_error_in_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KubectlError, match="unable to retrieve"):
        _stand_in(tmp_path, monkeypatch, "").resources()


def test_part_of_the_objects_is_not_taken_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KubectlError, match="unable to retrieve"):
        _stand_in(tmp_path, monkeypatch, '{"items": []}').objects(["pods"])
