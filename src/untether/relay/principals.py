"""Who a connection is (spec 08, "Who may send what")."""

from __future__ import annotations

from dataclasses import dataclass

from untether.base.identifiers import DeviceAddress


@dataclass(frozen=True)
class Guest:
    """Somebody who has not logged in; ``peer`` is the network address, never stored."""

    peer: str


@dataclass(frozen=True)
class Bearer:
    """Holds a device key that the account key certified, but is not on the newest list."""

    address: DeviceAddress


@dataclass(frozen=True)
class Device:
    """A device on the newest list that has not resigned."""

    address: DeviceAddress


Principal = Guest | Bearer | Device
