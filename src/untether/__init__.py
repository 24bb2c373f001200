"""Untether: end-to-end encrypted messaging for one phone and its companions.

The SDK for this machine is :class:`untether.native.NativeClient`.
"""

__version__ = "0.1.0"
