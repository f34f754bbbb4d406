"""What `tandem up` does about a Ray that does not start."""

import threading
from pathlib import Path

import pytest

from tandem import plans, ray_runtime, settings, up
from tandem.ray_runtime import RayStartError

EVERYBODY = plans.Exchange([], [], [], [], plans.ActorPlan("supervisor", "m:C", (), "control"))


class Ray:
    """Does not start so many times, and then does."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.tries = 0

    def start(self, *_: object) -> None:
        """Try."""
        self.tries += 1
        if self.tries <= self.failures:
            raise RayStartError("it took too long")


def start(ray: Ray, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, stop: bool = False) -> None:
    """Start it as `tandem up` does."""
    monkeypatch.setattr(ray_runtime, "start_local", ray.start)
    wish = threading.Event()
    if stop:
        wish.set()
    up._start_ray(settings.load(data_dir=tmp_path, environ={}), EVERYBODY, wish)


def test_ray_that_was_too_slow_is_started_once_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, and it is told."""
    ray = Ray(failures=1)
    start(ray, monkeypatch, tmp_path)
    assert ray.tries == 2
    assert "Ray did not start: it took too long\nStarting Ray once more" in capsys.readouterr().out


def test_ray_that_does_not_start_twice_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its own words, for the one line that people get."""
    ray = Ray(failures=2)
    with pytest.raises(RayStartError, match="it took too long"):
        start(ray, monkeypatch, tmp_path)


def test_wish_to_stop_is_heeded_before_the_second_try(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ctrl-C while Ray starts ends it all."""
    ray = Ray(failures=1)
    with pytest.raises(up.Interrupted):
        start(ray, monkeypatch, tmp_path, stop=True)
    assert ray.tries == 1
