from importlib.metadata import requires

import pytest

from conntrail.extra import advice


@pytest.mark.parametrize(
    ("package", "extra"),
    [("faust", "streams"), ("elasticsearch.helpers", "streams"), ("yaml", "cluster"), ("jgo", "local")],
)
def test_a_missing_package_is_told_with_the_extra_that_brings_it(package: str, extra: str) -> None:
    assert advice(package) == f"the Python package {package} is missing: pip install 'conntrail[{extra}]'"
    assert any(f'extra == "{extra}"' in requirement for requirement in requires("conntrail") or [])


def test_a_module_of_our_own_is_a_fault_and_no_missing_extra() -> None:
    assert advice("streams.window") is None
    assert advice("") is None
