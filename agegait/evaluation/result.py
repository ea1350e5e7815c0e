from dataclasses import dataclass
from typing import Any, Self

from agegait.evaluation import protocols
from agegait.storage.records import build, from_record, plain_fields


@dataclass(frozen=True)
class Result:
    """What a method reached on a test by a protocol.

    Its JSON is one object: `method`, `protocol` and `of`, and the fields of `figures`.

    Attributes:
        method: What tables call it.
        of: What its samples are: `"windows"`, `"walks"`, or probe and gallery of strangers.
        figures: What the protocol found.

    Example:
        >>> result = Result("AGE", "windows", agegait.evaluation.protocols.recognition(logits, persons))
        >>> result.figures.rank[1]
    """

    method: str
    of: str
    figures: protocols.Figures

    @property
    def protocol(self) -> str:
        """The protocol's name."""
        return self.figures.protocol

    def to_plain(self) -> dict[str, Any]:
        """What JSON holds of it."""
        return {"method": self.method, "protocol": self.protocol, "of": self.of, **plain_fields(self.figures)}

    @classmethod
    def from_plain(cls, found: Any, name: str = "result") -> Self:
        """From what JSON holds, which errors call by a name.

        Raises:
            ValueError: Something else, or an unknown protocol.
        """
        figures = dict(build(dict, found, name))
        method, protocol, of = (
            build(str, figures.pop(key, None), f"{name}.{key}") for key in ("method", "protocol", "of")
        )
        if protocol not in protocols.PROTOCOLS:
            known = ", ".join(protocols.PROTOCOLS)
            raise ValueError(f"{name}.protocol: expected one of {known}, found {protocol!r}.")
        return cls(method, of, from_record(protocols.PROTOCOLS[protocol], figures, name))
