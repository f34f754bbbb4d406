"""The WebSocket channels: sans-I/O sessions, and the thin aiohttp shell that runs them."""
