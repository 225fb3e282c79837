"""Lets the small Elasticsearch keep roles and API keys: their index wants analysers that the distribution lacks."""

import io
import subprocess
import zipfile
from pathlib import Path
from typing import Final

from conntrail.local.artifact.artifact import distribution
from conntrail.local.artifact.reader import ArtifactCache, read_lock
from conntrail.local.elasticsearch.module import Module
from conntrail.local.java.reader import find_java
from conntrail.local.state.layout import cache_directory

_SOURCE: Final = Path(__file__).parent / "SecurityAnalysis.java"
_MODULE: Final = Module("security-analysis", "conntrail.SecurityAnalysis", (), ())
_LIBRARIES: Final = ("elasticsearch-", "lucene-core-", "lucene-analysis-common-")


def security_plugin(directory: Path) -> Path:
    """Compile it with what the distribution holds; returns the folder to add, readable by whoever runs it."""
    libraries = _extracted(directory / "libraries")
    classes, plugin = directory / "classes", directory / _MODULE.name
    compiler = find_java().with_name("javac")
    subprocess.run(
        [compiler, "--release", "17", "-cp", ":".join(map(str, libraries)), "-d", classes, _SOURCE],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    plugin.mkdir()
    with zipfile.ZipFile(plugin / f"{_MODULE.name}.jar", "w") as archive:
        for path in classes.rglob("*.class"):
            archive.write(path, path.relative_to(classes))
    (plugin / "plugin-descriptor.properties").write_text(_MODULE.description())
    for path in plugin.iterdir():
        path.chmod(0o444)
    return plugin


def _extracted(directory: Path) -> list[Path]:
    directory.mkdir(parents=True)
    artifact = distribution(read_lock())
    cache = ArtifactCache(cache_directory("", str(Path.home())), "")
    cache.fetch([artifact], lambda _: None)
    found = []
    with zipfile.ZipFile(io.BytesIO(cache.path(artifact).read_bytes())) as content:
        for member in content.namelist():
            folder, _, name = member.rpartition("/")
            if folder.endswith("/lib") and name.startswith(_LIBRARIES):
                found.append(directory / name)
                found[-1].write_bytes(content.read(member))
    return found
