"""The outside world; each file implements one port."""
