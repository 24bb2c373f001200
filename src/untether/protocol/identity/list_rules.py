"""How device lists follow each other (spec 02, "Order of lists").

Theory of operation. What a verifier holds of an account is one list, and lists are ordered by
(generation, version). Two things may happen to it:

* Within a generation the lists are a hash chain, each one version above the last, all signed
  by the generation's one primary. A verifier walks every step, so a device that was logged
  out at any step can't come back at a later one. A missing step is ``list-gap``: the relay
  keeps all lists, so the answer is to fetch. Versions that go back are ``list-rolled-back``.
* A recovery starts a higher generation with version 1. It is taken whatever its previous hash:
  the new phone may have seen less, or another branch, than this verifier. From then on lower
  generations are refused for ever.

Whoever holds a phone's signing key can't be stopped from signing two histories, but they can't
hide it: two bodies for one place in the order, a successor of something else than what was
held, or two primaries in one generation raise :class:`ForkedListError` with both signed lists
as evidence. Only a higher generation ends a fork.

Across *every* step, numbers are for ever: ``next_number`` never falls, an absent number below
it never returns, and a present number keeps its device keys and role.

A run that starts below what is held must lead through it, so every list of a run that was
followed is verified and in its place: who stores the run stores nothing unseen.

First contact holds nothing, so only the newest list counts, and it is believed. Only the
newest list's issue time is compared with the clock: an older list that a wrong clock dated
into the future must not lock the account out after the clock was corrected.

Following and making are two halves of one set of rules: :mod:`.next_list` makes lists.
"""

from __future__ import annotations

from collections.abc import Sequence

from untether.base.errors import RemoteError, TrustError
from untether.base.identifiers import UnixMillis
from untether.protocol.identity.device_list import DeviceList, open_list
from untether.wire.records import SignedObject


class ForkedListError(TrustError):
    """A phone signed two histories of one account; both signed lists are the evidence."""

    def __init__(self, message: str, held: SignedObject, other: SignedObject) -> None:
        super().__init__(
            "list-forked",
            message,
            "Nothing is sent to this account until its owner recovers it.",
        )
        self.evidence = (held, other)


def follow(
    held: DeviceList | None,
    run: Sequence[SignedObject],
    account_key: bytes,
    now: UnixMillis,
) -> DeviceList:
    """Return the newest list of ``run`` (ascending), having checked every step from ``held``.

    A run may start below what is held if it leads through it: then it is checked from its
    first list on. Returns ``held`` when nothing newer came. With nothing held, the lists before
    the newest are not looked at. Raises RemoteError when the run is not acceptable (nothing
    changes), ForkedListError when it proves a second history.
    """
    if held is not None:
        newest = _walk(held, run, account_key)
        if newest.head == held.head:
            return held
    elif run:
        newest = open_list(run[-1], account_key)
    else:
        raise RemoteError("list-missing", "The relay sent no device list.")
    _check_clock(newest, now)
    return newest


def _walk(held: DeviceList, run: Sequence[SignedObject], account_key: bytes) -> DeviceList:
    newest, following = held, run
    if any(signed.body == held.signed.body for signed in run):
        newest, following = open_list(run[0], account_key, held.devices), run[1:]
    for signed in following:
        newest = _step(newest, open_list(signed, account_key, newest.devices))
    return newest


def _step(current: DeviceList, following: DeviceList) -> DeviceList:
    if following.head.generation < current.head.generation:
        raise RemoteError(
            "list-rolled-back",
            f"A device list of generation {following.head.generation} came after one of "
            f"generation {current.head.generation}.",
        )
    if following.head.generation == current.head.generation:
        _check_same_generation(current, following)
    elif following.head.version != 1:
        raise RemoteError(
            "list-gap",
            f"Device lists of generation {following.head.generation} are missing before "
            f"version {following.head.version}.",
            "Fetch the lists in between.",
        )
    _check_devices(current, following)
    return following


def _check_same_generation(current: DeviceList, following: DeviceList) -> None:
    if following.primary.hash != current.primary.hash:
        raise ForkedListError(
            "Two phones claim one generation of an account.", current.signed, following.signed
        )
    if following.head == current.head:
        raise RemoteError("list-rolled-back", "A device list came twice in one run.")
    if following.head.version == current.head.version:
        raise ForkedListError(
            f"Two device lists have the version {current.head.version}.",
            current.signed,
            following.signed,
        )
    if following.head.version < current.head.version:
        raise RemoteError(
            "list-rolled-back",
            f"Device list {following.head.version} came after {current.head.version}.",
        )
    if following.head.version > current.head.version + 1:
        raise RemoteError(
            "list-gap",
            f"Device lists between {current.head.version} and {following.head.version} "
            "are missing.",
            "Fetch the lists in between.",
        )
    if following.previous_hash != current.head.hash:
        raise ForkedListError(
            f"Device list {following.head.version} continues another one than the "
            f"{current.head.version} that is held.",
            current.signed,
            following.signed,
        )


def _check_devices(current: DeviceList, following: DeviceList) -> None:
    if following.next_number < current.next_number:
        raise RemoteError(
            "list-number-reused",
            f"The next device number fell from {current.next_number} to {following.next_number}.",
        )
    for device in following.devices:
        if current.was_removed(device.device):
            raise RemoteError(
                "list-number-reused",
                f"Device {device.device} was removed and can't come back.",
            )
        before = current.device(device.device)
        if before and (before.public_keys, before.role) != (device.public_keys, device.role):
            raise RemoteError(
                "list-device-changed",
                f"Device {device.device} came back with other keys or another role.",
            )


def _check_clock(device_list: DeviceList, now: UnixMillis) -> None:
    if ahead_ms := device_list.ahead_ms(now):
        raise RemoteError(
            "list-from-the-future",
            f"A device list was issued {ahead_ms} ms ahead of the clock of this machine.",
            "Check the clock of this machine.",
        )
