"""The demo: a story with real processes, told in plain words, that checks what it tells."""
