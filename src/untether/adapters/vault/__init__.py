"""User verification: what opens the account key."""
