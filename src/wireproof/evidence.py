"""What a clause is judged on: which exchanges, one by one or together, and what a recording must tell of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

from wireproof.exchange import Exchange, Lack


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Which exchanges a clause is judged on.

    The first four fields look at what was sent, so a plan can tell which probes will feed a clause; `status`
    and `shows` at what came back. `shape`: "each" exchange by itself · "sequence" all in order of time ·
    "together" one exchange of each named probe · "steps" all of one flow. Answers that are not whole
    (`Exchange.trouble`) are evidence only with `troubled`; what was recorded by others only when it does not lack
    what the clause `needs` (`exchange.Lack`). `served`: not where the run showed that the operation is not served.
    """

    operations: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    streamed: bool | None = None
    asks: Callable[[dict[str, Any]], bool] | None = field(default=None, repr=False)
    status: str = "2xx"
    shows: Callable[[Exchange], bool] | None = field(default=None, repr=False)
    shape: Literal["each", "sequence", "together", "steps"] = "each"
    troubled: bool = False
    needs: tuple[Lack, ...] = ()
    served: bool = False

    def means(self, probe: str, operation: str | None, asked: Mapping[str, Any]) -> bool:
        """Whether a request like this is evidence, whatever the answer."""
        return (not self.operations or operation in self.operations) and self.names(probe) and self.wants(asked)

    def names(self, probe: str) -> bool:
        return not self.probes or any(fnmatchcase(probe, pattern) for pattern in self.probes)

    def wants(self, asked: Mapping[str, Any]) -> bool:
        """Whether what is asked is evidence, whoever asks it of whatever operation."""
        return (self.streamed is None or (asked.get("stream") is True) == self.streamed) and (
            self.asks is None or bool(self.asks(dict(asked)))
        )

    def accepts_status(self, status: int | None) -> bool:
        match self.status:
            case "any":
                return status is not None
            case "refused":
                return status is not None and status >= 400
            case group if group.endswith("xx"):
                return status is not None and status // 100 == int(group[0])
            case exact:
                return status == int(exact)


def answered(
    *operations: str,
    probes: str | Sequence[str] = (),
    streamed: bool | None = None,
    asks: Callable[[dict[str, Any]], bool] | None = None,
    shows: Callable[[Exchange], bool] | None = None,
    status: str = "2xx",
) -> Evidence:
    """Each exchange of these operations (all when none is named) that was answered 2xx.

    `asks(body)` narrows by the request's JSON object, `shows(exchange)` by the answer, `probes` by glob.
    """
    names = (probes,) if isinstance(probes, str) else tuple(probes)
    return Evidence(operations=operations, probes=names, streamed=streamed, asks=asks, shows=shows, status=status)


def refused(*operations: str, probes: str | Sequence[str] = (), status: str = "refused") -> Evidence:
    """Each exchange that was answered with an error (400 and above), or with the exact `status`."""
    return answered(*operations, probes=probes, status=status)


def sent(*operations: str, probes: str | Sequence[str] = (), **narrowed: Any) -> Evidence:
    """Each exchange that was answered at all, whatever the status."""
    return answered(*operations, probes=probes, status="any", **narrowed)


def talked(*operations: str, probes: str | Sequence[str] = (), **narrowed: Any) -> Evidence:
    """Each exchange whose handshake was taken, so that it has a `socket`."""
    return answered(*operations, probes=probes, status="101", **narrowed)


def sequence(each: Evidence) -> Evidence:
    """All of these exchanges at once, in order of sending: the clause gets a list."""
    return replace(each, shape="sequence")


def where_served(evidence: Evidence) -> Evidence:
    """The same, without operations that the target does not serve: there a 404 is no answer to what was asked."""
    return replace(evidence, served=True)


def needing(evidence: Evidence, *needs: Lack) -> Evidence:
    """The same, without recordings that lack one of these."""
    return replace(evidence, needs=needs)


def together(*probes: str, status: str = "2xx") -> Evidence:
    """One exchange of each probe, in this order, as arguments of the clause."""
    return Evidence(probes=probes, status=status, shape="together")


def steps(probe: str) -> Evidence:
    """All exchanges of one flow, as a list in order of its steps."""
    return Evidence(probes=(probe,), status="any", shape="steps")
