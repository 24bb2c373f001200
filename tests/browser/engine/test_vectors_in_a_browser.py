"""The same vectors, checked by the same tests, in the Python of a real browser (spec 01)."""

from __future__ import annotations

import json

import pytest
from tests.browser.engine.conftest import RunPython

PROVIDER = """
from untether.crypto.provider import provider
type(provider()).__name__
"""

VECTORS = """
import json, os, pytest, sysconfig

class Results:
    def __init__(self):
        self.passed, self.failed = 0, []

    def pytest_runtest_logreport(self, report):
        self.passed += report.when == "call" and report.passed
        if report.failed:
            self.failed.append(f"{report.nodeid}: {report.longreprtext[-600:]}")

    def pytest_collectreport(self, report):
        if report.failed:
            self.failed.append(f"{report.nodeid}: {report.longreprtext[-600:]}")

os.chdir(sysconfig.get_paths()["purelib"])
results = Results()
pytest.main(
    [
        "-q", "-c", "/dev/null", "--rootdir", ".", "-p", "no:cacheprovider",
        "-k", "not generator and not the_vault", "tests/vectors",
    ],
    plugins=[results],
)
json.dumps({"passed": results.passed, "failed": results.failed})
"""
"""Generators need processes, and the vault's test a loop of its own: a browser has neither."""

PASSED_MIN = 280


@pytest.mark.timeout(180)
def test_every_vector_holds_in_a_browser(run_python: RunPython) -> None:
    """Libsodium in WebAssembly passes its self-test, and all families give the files' bytes."""
    assert run_python(PROVIDER) == "BrowserProvider"
    results = json.loads(run_python(VECTORS))
    assert results["failed"] == []
    assert results["passed"] >= PASSED_MIN
