"""Whose request it is, by address; `X-Forwarded-For` is believed only from known proxies."""

import ipaddress

from aiohttp import web


class RemoteAddress:
    """Finds the client's address."""

    def __init__(self, trusted_proxies: tuple[str, ...]) -> None:
        self._trusted = [ipaddress.ip_network(proxy, strict=False) for proxy in trusted_proxies]

    def of(self, request: web.Request) -> str:
        """Give the peer's address, or the last untrusted one that trusted proxies forwarded."""
        peer = request.remote or "unknown"
        if not self._trusted or not self._is_trusted(peer):
            return peer
        hops = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
        for hop in reversed([hop.strip() for hop in hops if hop.strip()]):
            if not self._is_address(hop):
                return peer
            if not self._is_trusted(hop):
                return hop
            peer = hop
        return peer

    def _is_trusted(self, text: str) -> bool:
        if not self._is_address(text):
            return False
        address = ipaddress.ip_address(text)
        return any(address in network for network in self._trusted)

    @staticmethod
    def _is_address(text: str) -> bool:
        try:
            ipaddress.ip_address(text)
        except ValueError:
            return False
        return True
