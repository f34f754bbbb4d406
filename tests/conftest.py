"""What holds for every test: random tests have no deadline, and print what reproduces them."""

from hypothesis import settings

settings.register_profile("tandem", deadline=None, print_blob=True)
settings.load_profile("tandem")
