# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""What Prometheus is told."""

from collections.abc import Callable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_IMAGES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """Counts of one service.

    Args:
        taken: Tells how many images wait or are being scored.
        receiving: Tells how many are being received.
    """

    media_type = CONTENT_TYPE_LATEST

    def __init__(self, taken: Callable[[], float], receiving: Callable[[], float]) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "anomalib_requests_total",
            "Requests to /score by their answer.",
            ["status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "anomalib_request_seconds",
            "From the head of a request to its answer.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._together = Histogram(
            "anomalib_images_together",
            "Images that ended together with an image.",
            buckets=_IMAGES,
            registry=registry,
        )
        self._labels = Counter(
            "anomalib_images_total", "Images scored, by their label.", ["label"], registry=registry
        )
        Gauge(
            "anomalib_images_taken",
            "Images waiting or being scored now.",
            registry=registry,
        ).set_function(taken)
        Gauge(
            "anomalib_images_receiving", "Images being received now.", registry=registry
        ).set_function(receiving)

    def answered(self, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(str(status)).inc()
        self._seconds.observe(seconds)

    def scored(self, label: str | None, together: int) -> None:
        """An image was scored, in a batch of so many."""
        self._labels.labels(label or "none").inc()
        self._together.observe(together)

    def exposition(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)
