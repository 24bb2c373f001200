"""The key that signs a built web app: the builder's own, or one that is made (decision 0130)."""

from pathlib import Path

import pytest

build_webapp = pytest.importorskip("build_webapp")


@pytest.fixture(autouse=True)
def own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Look for the working copy's key in a folder that is not there yet."""
    path = tmp_path / "build" / "release-key"
    monkeypatch.setattr(build_webapp, "OWN_KEY", path)
    monkeypatch.delenv("UNTETHER_RELEASE_KEY", raising=False)
    return path


def test_a_key_is_made_once_and_for_its_owner_only(own_key: Path) -> None:
    """All builds of a working copy are signed by one key."""
    made = bytes(build_webapp.release_key())
    assert (len(made), bytes(build_webapp.release_key())) == (32, made)
    assert own_key.stat().st_mode & 0o777 == 0o600


def test_the_named_key_signs(
    own_key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is made then, also where the named one is missing or is none."""
    named = tmp_path / "named"
    monkeypatch.setenv("UNTETHER_RELEASE_KEY", str(named))
    with pytest.raises(OSError, match="named"):
        build_webapp.release_key()
    named.write_bytes(b"\x07" * 31)
    with pytest.raises(SystemExit, match="is no release key"):
        build_webapp.release_key()
    named.write_bytes(b"\x07" * 32)
    assert bytes(build_webapp.release_key()) == b"\x07" * 32
    assert not own_key.exists()
