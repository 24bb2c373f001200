"""Adding a companion to an account (spec 03)."""
