"""Sockets between a device and its relay."""
