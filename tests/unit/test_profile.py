"""The profile directory, the database key and the receiver lock (spec 09)."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import keyring
import keyring.errors
import pytest

from untether.adapters.storage import profile
from untether.adapters.storage.database_key import KeyStore, is_trusted, system_key_store
from untether.adapters.vault.asking import FilePassphrases, NoPassphrases, PassphraseSource
from untether.adapters.vault.passphrase_seal import Argon2Cost
from untether.base.errors import LocalError, PlatformError, VerificationError
from untether.base.secret_bytes import SecretBytes
from untether.device.store.upgrade import packaged_upgrades

CHEAP = Argon2Cost(memory_kib=8, passes=1)
NOBODY = NoPassphrases()


class MemoryKeyStore:
    """A key store that may be locked."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        """Return what is kept."""
        if self.locked:
            raise keyring.errors.KeyringLocked
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        if self.locked:
            raise keyring.errors.KeyringLocked
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget it."""
        if self.locked or (service, username) not in self.kept:
            raise keyring.errors.PasswordDeleteError
        del self.kept[service, username]


@pytest.fixture
def passphrases(tmp_path: Path) -> PassphraseSource:
    """Alice's passphrase."""
    file = tmp_path / "passphrase"
    file.touch(mode=0o600)
    file.write_text("correct horse")
    return FilePassphrases(file)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the profile shall be."""
    return tmp_path / "data" / "alice"


def make(
    directory: Path, passphrases: PassphraseSource = NOBODY, key_store: KeyStore | None = None
) -> profile.Profile:
    """Create a profile at a small cost."""
    return asyncio.run(create(directory, passphrases, key_store))


async def create(
    directory: Path, passphrases: PassphraseSource, key_store: KeyStore | None
) -> profile.Profile:
    """Create a profile at a small cost, from within a running event loop."""
    return await profile.create(
        directory,
        passphrases=passphrases,
        key_store=key_store,
        randomness=secrets.token_bytes,
        cost=CHEAP,
    )


def unlock(
    directory: Path, *, passphrases: PassphraseSource, key_store: KeyStore | None
) -> profile.Profile:
    """Unlock a profile as another process would."""
    return asyncio.run(
        profile.unlock(directory, passphrases=passphrases, find_key_store=lambda: key_store)
    )


def test_a_profile_under_a_passphrase(directory: Path, passphrases: PassphraseSource) -> None:
    """What one process writes, the next reads with the same passphrase, at the same schema."""
    database = (make(directory, passphrases)).open_database()
    database.script("CREATE TABLE diary (text TEXT) STRICT; INSERT INTO diary VALUES ('hello')")
    database.close()
    unlocked = unlock(directory, passphrases=passphrases, key_store=None)
    again, beside = unlocked.open_database(), unlocked.open_database()
    assert again.rows("SELECT text FROM diary") == [("hello",)]
    assert beside.rows("PRAGMA user_version") == [(len(packaged_upgrades()),)]
    again.close()
    beside.close()


def test_a_newer_profile_is_refused_untouched(
    directory: Path, passphrases: PassphraseSource
) -> None:
    """A release that is too old says so when it opens the database."""
    made = make(directory, passphrases)
    database = made.open_database()
    newest = len(packaged_upgrades()) + 1
    database.run("INSERT INTO upgrade_done VALUES (?, 'later', ?)", newest, newest)
    database.script(f"PRAGMA user_version = {newest}")
    database.close()
    with pytest.raises(PlatformError) as refused:
        made.open_database()
    assert refused.value.code == "database-newer"


def test_another_passphrase(directory: Path, passphrases: PassphraseSource) -> None:
    """A wrong passphrase is told apart from a damaged database."""
    make(directory, passphrases)
    wrong = directory.parent / "wrong"
    wrong.write_text("battery staple")
    with pytest.raises(VerificationError) as refused:
        unlock(directory, passphrases=FilePassphrases(wrong), key_store=None)
    assert refused.value.code == "passphrase-wrong"


def test_nothing_to_protect_the_key_means_no_profile(directory: Path) -> None:
    """No key store and nobody to ask: exit 7, and no file that holds a key."""
    with pytest.raises(VerificationError) as refused:
        make(directory)
    assert refused.value.code == "passphrase-needed"
    assert not directory.exists()


def test_the_key_store_keeps_the_key(directory: Path) -> None:
    """No passphrase is asked, the key is in the store only, and nothing of it in the profile."""
    store = MemoryKeyStore()
    make(directory, key_store=store)
    ((service, name),) = store.kept
    key = store.kept[service, name]
    assert (service, len(bytes.fromhex(key))) == ("untether", 32)
    for file in directory.iterdir():
        assert bytes.fromhex(key) not in file.read_bytes()
        assert key.encode() not in file.read_bytes()
    unlocked = unlock(directory, passphrases=NOBODY, key_store=store)
    unlocked.open_database().close()


def test_a_removed_profile_takes_its_key_along(directory: Path) -> None:
    """What nobody needs any more does not stay in the key store; other keys do."""
    store = MemoryKeyStore()
    make(directory / "phone", key_store=store)
    others = dict(store.kept)
    make(directory / "laptop", key_store=store)
    profile.remove(directory / "laptop", find_key_store=lambda: store)
    assert store.kept == others
    assert not (directory / "laptop").exists()
    store.locked = True
    profile.remove(directory / "phone", find_key_store=lambda: store)
    assert not (directory / "phone").exists()


def test_a_failed_creation_leaves_no_key(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that could not be made has none; nor has one whose making was killed."""
    store = MemoryKeyStore()
    (directory.parent.parent / "file").touch()
    with pytest.raises(PlatformError):
        make(directory.parent.parent / "file" / "alice", key_store=store)
    assert store.kept == {}
    with monkeypatch.context() as killed:
        killed.setattr(profile, "_delete_files", lambda _: None)
        killed.setattr("untether.adapters.storage.database_key.forget", lambda *_: None)
        killed.setattr(profile, "bring_up_to_date", _crash)
        with pytest.raises(KeyboardInterrupt):
            make(directory, key_store=store)
    assert len(store.kept) == 1
    assert not profile.exists(directory)
    make(directory, key_store=store)
    assert len(store.kept) == 1


def _crash(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_two_profiles_share_a_key_store(directory: Path) -> None:
    """Each profile has its own id and key there."""
    store = MemoryKeyStore()
    make(directory / "phone", key_store=store)
    make(directory / "laptop", key_store=store)
    assert len(set(store.kept.values())) == 2


def test_a_key_store_that_does_not_open(directory: Path, passphrases: PassphraseSource) -> None:
    """When new, a passphrase serves instead; afterwards the refusal has a name."""
    store = MemoryKeyStore()
    store.locked = True
    make(directory / "over-ssh", passphrases, store)
    unlock(directory / "over-ssh", passphrases=passphrases, key_store=None)
    store.locked = False
    make(directory / "desktop", key_store=store)
    store.locked = True
    for offered in (store, None):
        with pytest.raises(VerificationError) as refused:
            unlock(directory / "desktop", passphrases=passphrases, key_store=offered)
        assert refused.value.code == "keyring-locked"


@pytest.mark.parametrize("found", [None, "no hexadecimal"])
def test_a_key_that_is_gone(directory: Path, found: str | None) -> None:
    """A key store that forgot is a failure of the platform, with a way out."""
    store = MemoryKeyStore()
    make(directory, key_store=store)
    for entry in list(store.kept):
        if found is None:
            del store.kept[entry]
        else:
            store.kept[entry] = found
    with pytest.raises(PlatformError) as refused:
        unlock(directory, passphrases=NOBODY, key_store=store)
    assert refused.value.code == "database-key-missing"


def test_a_key_of_another_profile(directory: Path) -> None:
    """The database itself notices a wrong key; a key of a wrong length is damage."""
    store = MemoryKeyStore()
    make(directory, key_store=store)
    entry = next(iter(store.kept))
    store.kept[entry] = bytes(32).hex()
    unlocked = unlock(directory, passphrases=NOBODY, key_store=store)
    with pytest.raises(PlatformError) as refused:
        unlocked.open_database()
    assert refused.value.code == "database-key-wrong"
    store.kept[entry] = "00"
    with pytest.raises(PlatformError) as refused:
        unlock(directory, passphrases=NOBODY, key_store=store)
    assert refused.value.code == "profile-damaged"


def fake_backend(module: str) -> object:
    """Return an object whose class says that it comes from ``module``."""
    return type("Keyring", (), {"__module__": module})()


def test_only_real_key_stores_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The failing, the empty and the plaintext backends count as none; so do unknown ones."""
    for backend in (
        fake_backend("keyring.backends.fail"),
        fake_backend("keyring.backends.null"),
        fake_backend("keyrings.alt.file"),
        fake_backend("somebody.else"),
    ):
        monkeypatch.setattr(keyring, "get_keyring", lambda backend=backend: backend)
        assert system_key_store() is None
    real = fake_backend("keyring.backends.SecretService")
    assert is_trusted(real)
    monkeypatch.setattr(keyring, "get_keyring", lambda: real)
    assert system_key_store() is real


def test_the_chain_is_searched_for_a_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among several backends the first real one is taken, never a plaintext one before it."""
    real = fake_backend("keyring.backends.kwallet")
    chain = fake_backend("keyring.backends.chainer")
    chain.__dict__["backends"] = [fake_backend("keyrings.alt.file"), real]
    monkeypatch.setattr(keyring, "get_keyring", lambda: chain)
    assert system_key_store() is real


def test_everything_belongs_to_the_owner(directory: Path, passphrases: PassphraseSource) -> None:
    """Directory 0700, each file 0600, whatever the umask and an earlier mode say."""
    directory.mkdir(parents=True, mode=0o755)
    before = os.umask(0)
    try:
        made = make(directory, passphrases)
        with made.receive_alone():
            database = made.open_database()
            modes = {file.name: file.stat().st_mode & 0o777 for file in directory.iterdir()}
            database.close()
    finally:
        os.umask(before)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {"device.db", "profile.json", "receiver.lock"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_a_profile_is_not_made_twice(directory: Path, passphrases: PassphraseSource) -> None:
    """A second creation changes nothing."""
    make(directory, passphrases)
    before = (directory / "profile.json").read_bytes()
    with pytest.raises(LocalError) as refused:
        make(directory, passphrases)
    assert refused.value.code == "profile-exists"
    assert (directory / "profile.json").read_bytes() == before


def test_no_profile(directory: Path) -> None:
    """The message says where nothing was found, and what to do."""
    assert not profile.exists(directory)
    with pytest.raises(LocalError, match="alice") as refused:
        unlock(directory, passphrases=NOBODY, key_store=None)
    assert refused.value.code == "no-profile"


CRASH = """
import asyncio, os, sys
from pathlib import Path
from untether.adapters.storage import profile
from untether.adapters.vault.asking import FilePassphrases
from untether.adapters.vault.passphrase_seal import Argon2Cost

def crash(*_arguments):
    os._exit(9)

target, name = sys.argv[1].split(":")
setattr(getattr(profile, target) if target else profile, name, crash)
asyncio.run(profile.create(
    Path(sys.argv[2]), passphrases=FilePassphrases(Path(sys.argv[3])), key_store=None,
    randomness=os.urandom, cost=Argon2Cost(8, 1),
))
"""


@pytest.mark.parametrize(
    "step", [":_write_private", "ApswDeviceDatabase:script", ":bring_up_to_date", "Path:rename"]
)
def test_a_crash_while_creating_leaves_no_profile(
    directory: Path, passphrases: PassphraseSource, step: str
) -> None:
    """Wherever the process dies, there is no profile, and the next creation succeeds."""
    file = directory.parent.parent / "passphrase"
    died = subprocess.run(
        [sys.executable, "-c", CRASH, step, str(directory), str(file)], check=False
    )
    assert died.returncode == 9
    assert not profile.exists(directory)
    made = make(directory, passphrases)
    made.open_database().close()
    assert sorted(file.name for file in directory.iterdir()) == ["device.db", "profile.json"]


def test_a_database_without_its_key_is_not_deleted(
    directory: Path, passphrases: PassphraseSource
) -> None:
    """A lost profile.json is no reason to throw the messages away."""
    make(directory, passphrases)
    (directory / "profile.json").unlink()
    with pytest.raises(PlatformError) as refused:
        make(directory, passphrases)
    assert refused.value.code == "profile-damaged"
    assert (directory / "device.db").exists()


def test_two_creations_at_once(
    directory: Path, passphrases: PassphraseSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looked before the other finished is refused by the second look."""
    asked = passphrases.new

    async def slow(purpose: str) -> object:
        await create(directory, FilePassphrases(directory.parent.parent / "passphrase"), None)
        return await asked(purpose)

    monkeypatch.setattr(passphrases, "new", slow)
    with pytest.raises(LocalError) as refused:
        make(directory, passphrases)
    assert refused.value.code == "profile-exists"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "profile-damaged"),
        (b"[]", "profile-damaged"),
        (b'{"format":1}', "profile-damaged"),
        (b'{"format":1,"profile_id":"\xff"}', "profile-damaged"),
        (b'{"format":1,"more":' + b"[" * 4_000, "profile-damaged"),
        (b'{"format":2,"something":"new"}', "profile-newer"),
    ],
)
def test_a_damaged_or_newer_profile_file(
    directory: Path, passphrases: PassphraseSource, content: bytes, code: str
) -> None:
    """Damage and a newer format are told apart."""
    make(directory, passphrases)
    (directory / "profile.json").write_bytes(content)
    with pytest.raises(PlatformError) as refused:
        unlock(directory, passphrases=passphrases, key_store=None)
    assert refused.value.code == code


def test_the_profile_file_says_only_how_the_key_is_kept(
    directory: Path, passphrases: PassphraseSource
) -> None:
    """No name, no relay and no key are readable beside the encrypted database."""
    make(directory, passphrases)
    content = json.loads((directory / "profile.json").read_bytes())
    assert set(content) == {"format", "profile_id", "database_key"}
    assert set(content["database_key"]) == {"method", "sealed"}


def test_a_directory_that_can_not_be_used(tmp_path: Path, passphrases: PassphraseSource) -> None:
    """A file in the way is a failure of the platform, not a traceback."""
    (tmp_path / "file").touch()
    with pytest.raises(PlatformError) as refused:
        make(tmp_path / "file" / "alice", passphrases)
    assert refused.value.code == "io-error"
    with pytest.raises(PlatformError) as refused:
        unlock(tmp_path / "file" / "alice", passphrases=NOBODY, key_store=None)
    assert refused.value.code == "io-error"


def test_the_default_directory() -> None:
    """The variable comes first, then the user's data directory."""
    assert profile.default_directory({"UNTETHER_PROFILE": "/p"}) == Path("/p")
    assert profile.default_directory({"XDG_DATA_HOME": "/d"}) == Path("/d/untether/default")
    assert profile.default_directory({}) == Path.home() / ".local/share/untether/default"


def test_the_key_never_prints(directory: Path) -> None:
    """A profile in a log line or a traceback shows no key."""
    held = profile.Profile(directory, SecretBytes(b"k" * 32))
    assert "kkkk" not in f"{held!r} {held}"


HOLD = """
import sys
from pathlib import Path
from untether.adapters.storage.receiver_lock import receive_alone
with receive_alone(Path(sys.argv[1])):
    print("receiving", flush=True)
    sys.stdin.read()
"""


def test_one_receiver_at_a_time(directory: Path) -> None:
    """A second receiver learns the first one's process; the lock goes with the process."""
    made = make(directory, key_store=MemoryKeyStore())
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory / "receiver.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"receiving\n"
        with pytest.raises(LocalError, match=str(other.pid)) as refused, made.receive_alone():
            pass
        assert refused.value.code == "already-receiving"
        assert refused.value.details == {"pid": other.pid}
        other.kill()
    with made.receive_alone():
        assert (directory / "receiver.lock").read_text() == str(os.getpid())
    assert (directory / "receiver.lock").read_text() == ""


@pytest.mark.parametrize("written", [b"", b"\0\0", b"\xff", b"12x"])
def test_a_damaged_lock_file_still_locks(directory: Path, written: bytes) -> None:
    """Only the number of the process is lost."""
    made = make(directory, key_store=MemoryKeyStore())
    with made.receive_alone():
        (directory / "receiver.lock").write_bytes(written)
        with pytest.raises(LocalError, match="unknown") as refused, made.receive_alone():
            pass
    assert refused.value.details == {"pid": 0}


@pytest.mark.parametrize("left", [None, b"", b"x"], ids=["missing", "empty", "one byte"])
def test_a_profile_without_its_database_is_damaged(directory: Path, left: bytes | None) -> None:
    """It is no new profile, and nothing takes the place of what is missing."""
    made = make(directory, key_store=MemoryKeyStore())
    database = directory / "device.db"
    database.unlink()
    if left is not None:
        database.write_bytes(left)
    with pytest.raises(PlatformError) as damaged:
        made.open_database()
    assert damaged.value.code == "database-corrupt"
    assert (database.read_bytes() if database.exists() else None) == left


def test_one_process_receives_once(directory: Path) -> None:
    """The lock holds within a process too, and is free after an exception."""
    made = make(directory, key_store=MemoryKeyStore())
    with pytest.raises(KeyError), made.receive_alone():
        with pytest.raises(LocalError), made.receive_alone():
            pass
        raise KeyError
    with made.receive_alone():
        pass


def test_a_lock_that_can_not_be_opened(directory: Path) -> None:
    """A profile that is gone is a failure of the platform."""
    held = profile.Profile(directory, SecretBytes(bytes(32)))
    with pytest.raises(PlatformError) as refused, held.receive_alone():
        pass
    assert refused.value.code == "io-error"
