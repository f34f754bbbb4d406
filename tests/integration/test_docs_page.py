"""The API reader at `/docs`: whole, from this gateway alone, and shut against everything else."""

import re

import pytest

from tests.gateways import Gateway

CONTENT_TYPES = {"js": "javascript", "css": "css", "png": "png"}


async def test_docs_page_loads_everything_from_this_gateway(gateway: Gateway) -> None:
    """Each file it names is relative, is there, and is what it claims; no other host is named."""
    async with gateway.client.get("/docs") as response:
        page = await response.text()
        policy = response.headers["Content-Security-Policy"]
        assert (response.status, response.content_type) == (200, "text/html")
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert not re.search(r"https?:|//", page.replace("<!doctype html>", ""))
    files = re.findall(r'(?:src|href)="(docs/[^"]+)"', page)
    assert {name.rsplit(".", 1)[1] for name in files} == set(CONTENT_TYPES)
    for name in files:
        async with gateway.client.get(f"/{name}") as response:
            body = await response.read()
            assert response.status == 200, name
            assert response.content_type.endswith(CONTENT_TYPES[name.rsplit(".", 1)[1]])
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert body


async def test_docs_page_reads_the_document_and_offers_its_operations(gateway: Gateway) -> None:
    """Its start names the document that is served, and the reader is of a kind that knows 3.1."""
    async with gateway.client.get("/docs/start.js") as response:
        start = await response.text()
    named = re.search(r'url: "([^"]+)"', start)
    assert named is not None
    async with gateway.client.get(f"/{named[1]}") as response:
        document = await response.json()
    assert document["openapi"].startswith("3.1")
    async with gateway.client.get("/docs/swagger-ui-bundle.js") as response:
        bundle = await response.text()
    assert "SwaggerUIBundle" in bundle
    assert "OAS31" in bundle
    assert "validatorUrl: null" in start


@pytest.mark.parametrize("path", ["/docs/", "/docs/swagger-editor.css", "/docs/../docs/x"])
async def test_docs_page_serves_nothing_else_of_the_package(gateway: Gateway, path: str) -> None:
    """A file that the page does not need is not there."""
    status, answer = await gateway.call("GET", path)
    assert (status, answer["error"]["code"]) == (404, "NOT_FOUND")
