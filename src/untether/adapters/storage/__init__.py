"""Databases of devices and relays."""
