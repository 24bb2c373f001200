"""The driver of one device and the SDK on top of it."""
