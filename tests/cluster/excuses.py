"""Decides which failed requests a kill explains. Every other failed request breaks the promise of the cluster."""

from dataclasses import dataclass

from writes import Load


@dataclass
class Kill:
    target: str
    # The address of a killed rulebook server.
    address: str
    # The process ended between these times.
    before: float
    after: float
    # From this time on, all servers are ready again.
    recovered: float = 0


def explain(outcome, kills):
    """Returns the reason why a request failed, or `None` if no kill explains it."""
    for kill in kills:
        reason = explain_by(outcome, kill)
        if reason:
            return f"{reason} {kill.target}"
    return None


def explain_by(outcome, kill):
    was_in_flight = outcome.start <= kill.after and outcome.end >= kill.before
    # The response to a download has begun before its last byte is known.
    is_cut = outcome.kind == "download" and "IncompleteRead" in outcome.error
    if kill.target == "nginx":
        return "in flight at" if was_in_flight and outcome.status is None else None
    if kill.address:
        # nginx repeats requests that are idempotent and have no body.
        is_broken = outcome.status == 502 and outcome.has_body or is_cut
        return "in flight at" if was_in_flight and is_broken and kill.address in outcome.upstream else None
    if kill.target not in Load.NEEDS[outcome.kind]:
        return None
    if was_in_flight and is_cut:
        return "in flight at"
    was_away = outcome.start <= kill.recovered and outcome.end >= kill.before
    return "refused without" if was_away and outcome.status in (502, 503, 504) else None
