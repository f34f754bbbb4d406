"""What MkDocs calls while it builds the site."""

from importlib.metadata import version

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from docs_site import errors, rest, tools
from docs_site.navigation import expand
from gateway.openapi import document
from gateway.routes import ROUTES


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from code, and list all pages in the navigation."""
    for path, text in generated().items():
        files.append(File.generated(config, path, content=text))
    pages = [file.src_uri for file in files.documentation_pages()]
    config.nav = expand(config.nav or [], pages)
    return files


def generated() -> dict[str, str]:
    """Make every generated page: its path below ``docs/``, and its Markdown."""
    made = rest.pages(document(ROUTES, version("tandem-exchange")))
    made[errors.PATH] = errors.page()
    made[tools.PATH] = tools.page()
    return made
