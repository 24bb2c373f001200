"""Passkeys with a virtual authenticator: made, refused, and one that can keep no key."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from tests.browser.screens.authenticators import with_passkeys
from tests.browser.screens.conftest import OpenScene
from tests.browser.screens.scenes import choose_lock, press, verify


def proofs(page: Page) -> None:
    """Keep what the page says to the engine."""
    page.evaluate(
        """() => {
          window.said = [];
          const post = Worker.prototype.postMessage;
          Worker.prototype.postMessage = function (text) {
            window.said.push(JSON.parse(text));
            return post.call(this, text);
          };
        }"""
    )


def test_one_passkey_locks_the_device_and_seals_the_account(open_scene: OpenScene) -> None:
    """One touch gives two secrets of 32 bytes, for two salts, of one passkey."""
    page = open_scene("empty")
    with_passkeys(page)
    proofs(page)
    choose_lock(page)
    press(page, "Use a passkey")
    expect(page.get_by_role("heading", name="Your recovery code")).to_be_visible()

    said = page.evaluate("window.said")
    lock = next(one["args"] for one in said if one.get("call") == "protect")
    seal = next(one["value"] for one in said if "answer" in one)
    assert lock["method"] == seal["method"] == "passkey"
    assert lock["credential"] == seal["credential"]
    assert lock["salt"] != seal["salt"]
    assert lock["prf"] != seal["prf"]
    assert {len(one["prf"]) for one in (lock, seal)} == {43}  # 32 bytes in base64url


def test_a_refused_verification_protects_nothing(open_scene: OpenScene) -> None:
    """The person is told that it was not confirmed, and can choose again."""
    page = open_scene("empty")
    with_passkeys(page, isUserVerified=False)
    proofs(page)
    choose_lock(page)
    press(page, "Use a passkey")
    expect(page.get_by_role("alert")).to_contain_text("The passkey was not confirmed.")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()
    assert not [one for one in page.evaluate("window.said") if one.get("call") == "protect"]


def test_a_passkey_that_keeps_no_key_leads_to_the_passphrase(open_scene: OpenScene) -> None:
    """Another failure than a cancelled one, with another next step."""
    page = open_scene("empty")
    with_passkeys(page, hasPrf=False)
    choose_lock(page)
    press(page, "Use a passkey")
    expect(page.get_by_role("alert")).to_contain_text("can’t keep a key")
    expect(page.get_by_label("Passphrase", exact=True)).to_be_focused()


def end_with(page: Page, name: str) -> None:
    """Let what asks for a passkey end so, once the test says."""
    page.evaluate(
        """name => {
          navigator.credentials.get = () => new Promise((_, reject) => {
            window.end = () => reject(new DOMException("", name));
          });
        }""",
        name,
    )


@pytest.mark.parametrize("name", ["NotAllowedError", "OperationError", "UnknownError"])
def test_an_unlock_that_fails_says_what_is_left(open_scene: OpenScene, name: str) -> None:
    """It is asked once at a time, and no passphrase is named where there is none."""
    page = open_scene("passkey-locked")
    end_with(page, name)
    button = page.get_by_role("button", name="Unlock with passkey")
    button.click()
    expect(button).to_be_disabled()
    page.evaluate("end()")
    expect(page.get_by_role("alert")).to_contain_text("The passkey was not confirmed.")
    expect(page.get_by_role("alert")).to_contain_text("recovery code")
    expect(page.get_by_role("alert")).not_to_contain_text("passphrase")
    expect(button).to_be_enabled()


def test_a_verification_that_fails_says_what_is_left(open_scene: OpenScene) -> None:
    """The authenticator may be gone: the recovery code is the way back."""
    page = open_scene("passkey")
    end_with(page, "NotAllowedError")
    verify(page)
    press(page, "Confirm with passkey")
    page.evaluate("end()")
    expect(page.get_by_role("alert")).to_contain_text("recovery code")


def test_a_browser_without_passkeys_is_told_from_a_failure(open_scene: OpenScene) -> None:
    """There another try is of no use."""
    page = open_scene("passkey-locked")
    end_with(page, "SecurityError")
    press(page, "Unlock with passkey")
    page.evaluate("end()")
    expect(page.get_by_role("alert")).to_contain_text("Passkeys don’t work here.")
