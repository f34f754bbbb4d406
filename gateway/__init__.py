"""The way in: REST and WebSocket, identity, limits, and the codec between strings and integers."""
