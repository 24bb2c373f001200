"""Sealing between two devices: handshake, ratchet, session book (spec 04)."""
