"""Untether: end-to-end encrypted messaging for one phone and its companions."""

__version__ = "0.1.0"
