"""What the vocabulary is built from: strict sections, names, and tags that tell alternatives apart.

Tags stand in angle brackets, so that a validator's place can be told from the file's own keys.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

NOT_YET = {
    "asset_lives": "asset lives of one's own (`asset_lives:`)",
    "storage": "thermal or electric storage (`storage:`)",
}
"""Keys of the vocabulary that this version refuses by name."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+/-]{0,63}$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Whole = Annotated[int, Field(ge=1, le=10**9)]


def listed(value: Any) -> Any:
    """Return a list; one word may stand for a list of one."""
    return [value] if isinstance(value, str) else value


Words = Annotated[list[Word], BeforeValidator(listed), Field(max_length=200)]
Jurisdiction = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,3}(-[A-Z0-9]{1,4})?$")]
Jurisdictions = Annotated[list[Jurisdiction], BeforeValidator(listed), Field(min_length=1, max_length=100)]


class Part(BaseModel):
    """Base of every section: strict, nothing extra, frozen."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def shape_tag(value: Any) -> str:
    """Return the tag of a value that may be a word, a mapping or a list."""
    if isinstance(value, dict):
        return "<mapping>"
    return "<list>" if isinstance(value, list) else "<text>"


def kind_tag(value: Any) -> str | None:
    """Return the tag of a stage or a site: its kind in angle brackets."""
    if not isinstance(value, dict):
        return "<generic>"
    kind = value.get("kind")
    return f"<{kind}>" if isinstance(kind, str) else None
