"""The protocol families; they meet only in the device engine."""
