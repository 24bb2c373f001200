"""The only door to cryptographic libraries (spec 01)."""
