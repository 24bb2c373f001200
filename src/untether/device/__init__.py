"""One device as a synchronous machine over its own database."""
