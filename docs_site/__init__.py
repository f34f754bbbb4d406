"""What `make docs` adds to the pages in ``docs/``: navigation, and the reference made from code."""
