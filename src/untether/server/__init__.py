"""The relay as a process: HTTP, WebSocket, configuration, telemetry."""
