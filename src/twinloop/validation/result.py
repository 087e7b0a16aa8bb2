"""One line of evidence: a published or measured value beside the model's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["transcription", "calibration", "proof", "soft"]
"""transcription: the published formula itself is in the program, the row shows that it was copied right;
calibration: constants were chosen with this value in view; proof: they were not; soft: the published
value itself is uncertain, so that a miss is shown and does not fail."""


@dataclass(frozen=True)
class Result:
    """Expected against got, in ``unit``; ``tolerance`` in the same unit."""

    case: str
    quantity: str
    unit: str
    expected: float
    got: float
    tolerance: float
    source: str
    kind: Kind

    @property
    def error(self) -> float:
        """Model minus published."""
        return self.got - self.expected

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance; not so for a value that is no number."""
        return abs(self.error) <= self.tolerance

    @property
    def failed(self) -> bool:
        """Whether it counts as a failure: soft cases never do."""
        return not self.passed and self.kind != "soft"
