"""The owner in front of a tab, whom the vault asks for a proof (spec 09, "Vault")."""

from __future__ import annotations

from collections.abc import Sequence

from untether.adapters.vault.proofs import Proof, Way
from untether.browser import questions
from untether.browser.page import Page, refused
from untether.browser.questions import SEAL, VERIFY, NewSeal, Verification


class OwnerAtATab:
    """Implements :class:`untether.adapters.vault.screen.Screen`."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def new_proof(self, purpose: str) -> Proof:
        """See the port."""
        return _given(await self._page.ask(SEAL, NewSeal(purpose)))

    async def proof(self, reason: str, ways: Sequence[Way], wrong: str | None) -> Proof:
        """See the port."""
        return _given(await self._page.ask(VERIFY, Verification(reason, tuple(ways), wrong)))


def _given(shown: questions.Proof) -> Proof:
    """Return a proof; VerificationError where somebody would do without."""
    if shown.given is None:
        raise refused("verification-failed")
    return shown.given
