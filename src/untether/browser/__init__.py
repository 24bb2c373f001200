"""The engine of the web app: a device in a browser's worker, for the screens of its tabs."""
