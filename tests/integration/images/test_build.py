"""The three images, built without registry or daemon as `make images BASE=debian` builds them, and started."""

import tomllib
from collections.abc import Callable, Iterator

import pytest

from tests.support.chart import ROOT
from tests.support.continuous_integration import is_continuous_integration
from tests.support.image_store import NAMES, Image, MissingError, built_images, require

pytestmark = pytest.mark.timeout(1800)  # the first run of a machine fetches all of them
_USERS = {"node": "0:0", "cluster": "65532:65532", "streams": "65532:65532"}
_MODULES = {"node": "agents.node", "cluster": "agents.cluster", "streams": "streams"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Image]]:
    try:
        require()
    except MissingError as error:
        if is_continuous_integration():
            raise
        pytest.skip(f"no image is built: {error}")
    with built_images(tmp_path_factory.mktemp("images")) as images:
        yield images


@pytest.fixture(params=NAMES)
def image(request: pytest.FixtureRequest, built: dict[str, Image]) -> Image:
    return built[request.param]


def test_an_image_says_what_it_is_and_what_it_starts(image: Image, tell: Callable[[str], None]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    described = "org.opencontainers.image"
    labels = {name: value for name, value in image.configuration["Labels"].items() if name.startswith(described)}
    assert labels == {
        f"{described}.title": f"conntrail-{image.name}",
        f"{described}.version": project["version"],
        f"{described}.licenses": project["license"],
    }
    assert image.configuration["Entrypoint"] == ["python", "-m", _MODULES[image.name]]
    assert image.configuration["User"] == _USERS[image.name]
    tell(f"image conntrail-{image.name}: {image.size} uncompressed, its base among it")


def test_an_image_starts_as_its_user_with_a_read_only_root(image: Image) -> None:
    assert image.run("id", "-u").stdout.strip() == _USERS[image.name].partition(":")[0]
    assert "Read-only file system" in image.run("touch", "/opt/conntrail/written").stderr
    done = image.run("CONNTRAIL_LOG__FORMAT=json", *image.configuration["Entrypoint"], "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_an_image_installs_nothing_and_trusts_nobody_of_the_machine_that_built_it(image: Image) -> None:
    assert not list((image.root / "opt" / "conntrail" / "bin").glob("pip*"))
    assert not (image.root / "source").exists()
    for folder in ("var/lib/apt/lists", "var/cache/apt"):
        assert not [path for path in (image.root / folder).rglob("*") if path.is_file() and path.name != "lock"]
    trusted = (image.root / "etc/ssl/certs/ca-certificates.crt").read_text()
    assert trusted.count("BEGIN CERTIFICATE") == len(list((image.root / "usr/share/ca-certificates").rglob("*.crt")))


def test_the_image_of_a_node_writes_the_rules_of_the_kernel(built: dict[str, Image]) -> None:
    assert built["node"].run("nft", "--version").stdout.startswith("nftables v")


def test_the_image_of_workers_has_the_command(built: dict[str, Image]) -> None:
    done = built["streams"].run("conntrail", "--version")
    assert done.returncode == 0, done.stderr
