"""The table of all targets: everything that reads bytes of others."""

from __future__ import annotations

from typing import Final

from fuzz import (
    device_targets,
    identity_targets,
    link_targets,
    pairwise_targets,
    relay_targets,
    seal_targets,
    text_targets,
    wire_targets,
)
from fuzz.harness import Target

PICTURE_CPU_S_MAX: Final = 0.5
"""Looking for codes takes its time in each picture; it is one that a person has chosen."""

TARGETS: Final[dict[str, Target]] = {
    "client-frame": Target("decoder", wire_targets.client_frames),
    "server-frame": Target("decoder", wire_targets.server_frames),
    "packet": Target("decoder", wire_targets.packets),
    "content": Target("decoder", wire_targets.sealed_content),
    "stored-record": Target("decoder", wire_targets.stored_records),
    "link-item": Target("decoder", link_targets.link_items),
    "link-offer": Target("decoder", link_targets.link_offers),
    "certificate": Target("decoder", identity_targets.certificates),
    "device-list": Target("decoder", identity_targets.device_lists),
    "log-out": Target("decoder", identity_targets.log_outs),
    "prekeys": Target("decoder", identity_targets.prekey_stocks),
    "login": Target("decoder", identity_targets.logins),
    "recovery-code": Target("decoder", text_targets.recovery_codes),
    "link-text": Target("decoder", text_targets.link_texts),
    "security-text": Target("decoder", text_targets.security_texts),
    "relay-address": Target("decoder", text_targets.relay_addresses),
    "push-endpoint": Target("decoder", text_targets.push_endpoints),
    "web-manifest": Target("decoder", text_targets.web_manifests),
    "name": Target("decoder", text_targets.names),
    "configuration": Target("decoder", text_targets.configurations),
    "profile": Target("decoder", text_targets.profiles),
    "picture": Target("decoder", text_targets.pictures, cpu_s_max=PICTURE_CPU_S_MAX),
    "pairwise-parse": Target("decoder", pairwise_targets.parses),
    "pairwise-open": Target("open", pairwise_targets.openings),
    "body-open": Target("open", pairwise_targets.bodies),
    "passphrase-seal": Target("open", seal_targets.passphrase_seals),
    "passkey-seal": Target("open", seal_targets.passkey_seals),
    "device-push": Target("open", device_targets.pushes),
    "device-answer": Target("open", device_targets.answers),
    "device-words": Target("open", device_targets.words),
    "relay-request": Target("open", relay_targets.requests),
}
"""Name → target."""
