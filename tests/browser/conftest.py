"""Tests that drive a browser run in a process of their own (see ``test_in_a_browser.py``).

Playwright switches stacks and keeps an event loop running, beside which no test of the rest of
the suite could run one.
"""

from __future__ import annotations

import os

OWN_PROCESS = "UNTETHER_BROWSER_PROCESS"
FOLDERS = ("app", "engine", "screens")

collect_ignore = [] if os.environ.get(OWN_PROCESS) else list(FOLDERS)
