"""Which model is asked, where, and how much of it may be used."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

__all__ = ["ModelSettings"]


class ModelSettings(BaseModel):
    """A model behind an endpoint that speaks OpenAI's protocol."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    """As the endpoint calls it."""
    base_url: str | None = None
    """Where the endpoint is; OpenAI's own unless given."""
    api_key: SecretStr = SecretStr("none")
    """Local servers take anything."""
    api: Literal["chat", "responses"] = "chat"
    """Chat completions, which nearly all servers speak, or OpenAI's Responses."""
    structured: bool = True
    """Whether replies are asked for by a JSON schema. If not, or if the endpoint does not take one,
    they are asked for as a fenced block of JSON."""
    probe_s: float = Field(default=2.5, gt=0)
    """Seconds in which a server has to show that it lives, before its first reply."""
    grace_s: float = Field(default=3.0, gt=0)
    """Seconds for that and a first reply together, of a server that is there and shows no life."""
    reply_s: float = Field(default=120.0, gt=0)
    """Seconds from a request to the end of its reply, tried anew by the client or not."""
    tries: int = Field(default=3, ge=1)
    """Replies asked for until one is of the form that was asked for."""
    at_once: int = Field(default=4, ge=1)
    """Requests under way at a time."""
    most_output_tokens: int = Field(default=4096, ge=1)
    """Tokens of one reply."""
    most_tokens: int | None = Field(default=None, ge=0)
    """Tokens of all requests and replies of a run; no bound unless given."""
    most_usd: float | None = Field(default=None, ge=0)
    """Dollars that a run may cost; no bound unless given."""

    @field_validator("base_url")
    @classmethod
    def _leads_to_a_host(cls, url: str | None) -> str | None:
        """Refuse what no request could be sent to.

        Raises:
            ValueError: it is no such address.
        """
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
            message = "not of the form http://host:port/path or https://..."
            raise ValueError(message)
        return url
