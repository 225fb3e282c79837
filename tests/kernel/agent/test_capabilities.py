"""The agent as the chart runs it: with these capabilities and no others, no way to more, and a read-only /proc/sys."""

import subprocess
from pathlib import Path

import pytest

from agents.node.capability.right import RIGHTS
from tests.kernel.agent.network import SERVICE, is_root
from tests.kernel.agent.scene import Scene
from tests.support.chart import OVERLAYS, named, parse

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.stack,
    pytest.mark.skipif(not is_root(), reason="network namespaces need root"),
]
_NUMBERS = {right.name: right.number for right in RIGHTS}
_OF_ANOTHER_USER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
_CONTAINER = """
mount --bind /proc/sys/net "$1" && mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys
exec setpriv --no-new-privs --inh-caps=-all --bounding-set="$2" "${@:3}"
"""


def _granted() -> list[str]:
    agent = named(parse((OVERLAYS / "base" / "conntrail.yaml").read_text()), "DaemonSet", "conntrail-agent")
    capabilities: list[str] = agent["spec"]["template"]["spec"]["containers"][0]["securityContext"]["capabilities"][
        "add"
    ]
    return capabilities


def _container(directory: Path, capabilities: list[str]) -> tuple[str, ...]:
    """What a runtime does to the agent, as far as the kernel tells it."""
    directory.mkdir()
    bounds = ",".join(["-all", *(f"+{name.lower()}" for name in capabilities)])
    return ("unshare", "--mount", "bash", "-euc", _CONTAINER, "bash", str(directory), bounds)


def test_with_the_capabilities_of_the_chart_everything_is_seen(scene: Scene, tmp_path: Path) -> None:
    capabilities = _granted()
    mounted = tmp_path / "sysctl"
    scene.agent.start(*_container(mounted, capabilities), CONNTRAIL_AGENT__SYSCTL_DIRECTORY=str(mounted))
    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{scene.agent.pid}/status").read_text().splitlines()
        if ":\t" in line
    )
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == sum(1 << _NUMBERS[name] for name in capabilities)
    assert status["NoNewPrivs"] == "1"
    [record] = scene.agent.entries("what this node can see")[:1]
    states = {name: value["state"] for name, value in record.items() if isinstance(value, dict)}
    assert {name for name, state in states.items() if state != "ok"} == set(), record
    command = f"exec 3<>/dev/tcp/{SERVICE}/80; echo hello >&3; read"
    with scene.network.listening() as listener:
        inside = ["ip", "netns", "exec", scene.network.client, *_OF_ANOTHER_USER, "bash", "-c", command]
        with subprocess.Popen(inside, stdin=subprocess.PIPE) as client:
            server, _ = listener.accept()
            with server:
                scene.until_published(80)
            client.communicate()
    assert scene.agent.stop() == 0, scene.agent.log()
    assert {row["source_process_name"] for row in scene.published().between(80)} >= {"bash"}
    assert "conntrail" not in scene.network.tables(), "the table of our own is gone"
