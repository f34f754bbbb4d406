"""The composition root: settings, wiring, and the `tandem` command."""
