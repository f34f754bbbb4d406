"""Stream clients under faults: they reconnect, resume by sequence, and look for gaps."""

import asyncio
import json
from typing import Any

import aiohttp

RECONNECT_PAUSE_S = 0.1


class Follower:
    """Follows one public channel for as long as it is told to; ``gaps`` must stay empty."""

    def __init__(self, base_url: str, symbol: str, channel: str) -> None:
        self.url = f"{base_url}/ws/exchange/{symbol}/{channel}?mode=paper"
        self.channel = channel
        self.sequence = 0
        self.connects = 0
        self.frames = 0
        self.gaps: list[str] = []
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}
        self.trades: set[str] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Read, and reconnect whenever the connection ends."""
        async with aiohttp.ClientSession() as http:
            while not stop.is_set():
                try:
                    async with http.ws_connect(self.url, heartbeat=5) as socket:
                        self.connects += 1
                        if self.sequence:
                            resume = {"action": "resume", "since_sequence": self.sequence}
                            await socket.send_json(resume)
                        await self._read(socket, stop)
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(RECONNECT_PAUSE_S)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                message = await socket.receive(timeout=0.5)
            except TimeoutError:
                continue
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            self.frames += 1
            self.apply(json.loads(message.data))

    def apply(self, frame: dict[str, Any]) -> None:
        """Apply one frame, and note a gap."""
        kind = frame.get("type")
        if self.channel == "book":
            if kind == "snapshot":
                self.bids, self.asks = dict(frame["bids"]), dict(frame["asks"])
                self.sequence = frame["sequence"]
            elif kind == "update" and frame["sequence"] > self.sequence:
                if frame["previous_sequence"] > self.sequence:
                    self.gaps.append(f"{self.sequence} then {frame['previous_sequence']}")
                _apply_levels(self.bids, frame["bids"])
                _apply_levels(self.asks, frame["asks"])
                self.sequence = frame["sequence"]
        elif self.channel == "trades":
            if kind == "snapshot":
                for trade in frame["trades"]:
                    self._trade(trade)
            elif kind == "trade":
                self._trade(frame)

    def _trade(self, trade: dict[str, Any]) -> None:
        self.trades.add(trade["trade_id"])
        self.sequence = max(self.sequence, trade.get("sequence", 0))


def _apply_levels(levels: dict[str, str], changes: list[list[str]]) -> None:
    for price, size in changes:
        if float(size) == 0:
            levels.pop(price, None)
        else:
            levels[price] = size
