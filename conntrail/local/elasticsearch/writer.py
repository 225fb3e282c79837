"""Unpacks Elasticsearch and writes its configuration, all owned by the user it runs as."""

import os
import pwd
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from conntrail.errors import CommandError
from conntrail.local.elasticsearch.configuration import LOGGING, MACHINE_OPTIONS, settings
from conntrail.local.elasticsearch.module import MODULES, Module
from conntrail.local.state.layout import Layout
from conntrail.local.state.state import ServiceState

_ANYONE_READS = 0o444
_ANYONE_RUNS = 0o555


def unpack(archive: Path, modules: Mapping[str, Path], layout: Layout) -> None:
    """Unpack the distribution once and add our modules, whose archives are given by coordinate.

    Raises CommandError when the archive is damaged or the disk full.
    """
    if layout.home.exists():
        return
    fresh = layout.home.with_name("home.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as content:
            for member in content.infolist():
                _extract(content, member, fresh)
        for module in MODULES:
            _add(module, [modules[name] for name in module.coordinates], fresh)
    except (OSError, zipfile.BadZipFile) as error:
        raise CommandError(f"{archive} cannot be unpacked to {layout.home}: {error}") from error
    fresh.replace(layout.home)


def add_plugins(directories: Iterable[Path], layout: Layout) -> None:
    """Copy plugins to where it looks for them."""
    for directory in directories:
        shutil.copytree(directory, layout.home / "plugins" / directory.name, dirs_exist_ok=True)


def prepare_elasticsearch(layout: Layout, service: ServiceState, user: str, extra: Mapping[str, object]) -> None:
    """Write its configuration and give it what it must write to.

    The configuration directory is made anew: as root we must not write through links that another user left there.
    """
    configuration = layout.configuration("elasticsearch")
    shutil.rmtree(configuration, ignore_errors=True)
    own = (configuration, layout.data("elasticsearch"), layout.temporary("elasticsearch"))
    for directory in own:
        directory.mkdir(parents=True, exist_ok=True)
    (configuration / "elasticsearch.yml").write_text(settings(layout, service, extra), encoding="utf-8")
    (configuration / "jvm.options").write_text(MACHINE_OPTIONS, encoding="utf-8")
    (configuration / "log4j2.properties").write_text(LOGGING, encoding="utf-8")
    if user:
        account = _account(user)
        for directory in own:
            os.chown(directory, account.pw_uid, account.pw_gid, follow_symlinks=False)


def _extract(content: zipfile.ZipFile, member: zipfile.ZipInfo, home: Path) -> None:
    """One file, without the archive's top folder; readable by whoever runs it."""
    relative = Path(*Path(member.filename).parts[1:])
    if member.is_dir() or relative == Path():
        return
    if ".." in relative.parts:
        raise zipfile.BadZipFile(f"{member.filename} points outside")
    target = home / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    with content.open(member) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
    is_program = member.external_attr >> 16 & 0o100
    target.chmod(0o200 | (_ANYONE_RUNS if is_program else _ANYONE_READS))


def _add(module: Module, archives: Iterable[Path], home: Path) -> None:
    """One module, readable by whoever runs it."""
    directory = home / "modules" / module.name
    directory.mkdir()
    (directory / "plugin-descriptor.properties").write_text(module.description(), encoding="ascii")
    for archive in archives:
        shutil.copyfile(archive, directory / archive.name)
    for path in directory.iterdir():
        path.chmod(0o200 | _ANYONE_READS)


def _account(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError as error:
        raise CommandError(f"Elasticsearch refuses to run as root, and there is no user {user} to run it as") from error
