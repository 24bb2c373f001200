"""Setting up says what is missing, in words, before anything is made."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NO_ENSUREPIP = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\n'
TOO_OLD = "#!/bin/sh\nexit 1\n"


def make_venv(tmp_path: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """Run the set-up script with nothing but these programs on the PATH."""
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    shell = shutil.which("sh")
    assert shell
    (tmp_path / "sh").symlink_to(shell)
    script = ROOT / "tools" / "make-venv.sh"
    return subprocess.run(
        [shell, script, tmp_path / "venv"],
        env={"PATH": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("programs", [{}, {"python3": TOO_OLD}], ids=["none", "too old"])
def test_a_missing_python_is_named(tmp_path: Path, programs: dict[str, str]) -> None:
    """Without Python 3.11 the message says which one is needed and how to get it."""
    run = make_venv(tmp_path, **programs)

    assert run.returncode == 1
    assert "needs Python 3.11 or newer" in run.stderr
    assert not (tmp_path / "venv").exists()


def test_a_missing_venv_module_is_named_with_its_package(tmp_path: Path) -> None:
    """Debian splits the module off; the message names the package."""
    run = make_venv(tmp_path, python3=NO_ENSUREPIP)

    assert run.returncode == 1
    assert "apt install python3-venv" in run.stderr
    assert not (tmp_path / "venv").exists()


def test_help_names_every_target() -> None:
    """A target that help does not show is not found."""
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony
    for target in phony[1].split():
        assert re.search(rf"^{target}:.* ## ", makefile, re.MULTILINE), target


def test_make_test_is_what_contributors_are_told() -> None:
    """The commands of CONTRIBUTING are targets."""
    makefile = (ROOT / "Makefile").read_text()
    told = set(re.findall(r"\bmake ([a-z]+)\b", (ROOT / "CONTRIBUTING.md").read_text()))
    for target in told - {"python"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
