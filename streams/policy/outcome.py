"""From what the policies say and what the kernel showed to what became of a connection, as columns.

is_attempt: a node saw first packets and never an entry, so they were dropped or rejected there; unless an answer came
through all the same, which a lost conntrack event can hide from that node.
"""

from typing import Final

import numpy as np
import polars as pl

_TCP: Final = 6
_JUDGED_PROTOCOLS: Final = (6, 17, 132)
"""What NetworkPolicy is defined for; with others "the behaviour may vary across network plugins" (its concept page)."""

_VERDICT = pl.col("policy_verdict")
_IS_ANSWERED = pl.col("seen_reply")
_IS_ATTEMPT = pl.col("is_attempt") & ~_IS_ANSWERED
_IS_DENY = _VERDICT == "deny"
_IS_SILENT = ~pl.col("is_attempt") & ~_IS_ANSWERED
_IS_DENIED_ATTEMPT = _IS_ATTEMPT & _VERDICT.is_in(["deny", "allow"])
_IS_DENIED_SILENTLY = _IS_SILENT & _IS_DENY
_IS_DEAD = _IS_SILENT & (pl.col("protocol") == _TCP) & pl.col("is_final")
_IS_REFUSED = _IS_DEAD & (pl.col("end_reason") == "reset")
_IS_UNANSWERED = _IS_DEAD & (pl.col("end_reason") == "timeout")
_WENT_THROUGH_THOUGH_DENIED = _IS_ANSWERED & _IS_DENY & pl.col("protocol").is_in(_JUDGED_PROTOCOLS)


def outcome(rows: pl.DataFrame) -> pl.DataFrame:
    """Add action, reason and drift; complete evidence; empty denied_by where nothing was denied."""
    action = (
        pl.when(_IS_DENIED_ATTEMPT | _IS_DENIED_SILENTLY)
        .then(pl.lit("denied"))
        .when(_IS_ATTEMPT | _IS_REFUSED | _IS_UNANSWERED)
        .then(pl.lit("failed"))
        .otherwise(pl.lit("allowed"))
    )
    drift = (_IS_ATTEMPT & (_VERDICT == "allow")) | _WENT_THROUGH_THOUGH_DENIED
    judged = rows.with_columns(action=action, drift=drift, reason=_reason(rows))
    is_denial = (pl.col("action") == "denied") | pl.col("drift")
    return judged.with_columns(
        denied_by=pl.when(is_denial).then("denied_by").otherwise(pl.lit([], dtype=pl.List(pl.String))),
        evidence=_evidence(judged),
    ).drop("attempt_reason", "silent_reason", "answer_reason")


def is_unexplained(judged: pl.DataFrame) -> pl.Series:
    """What happened contradicts the policies, or was denied with no policy to explain it."""
    return judged.select((pl.col("drift") | (_IS_ATTEMPT & (_VERDICT == "none"))).alias("is_unexplained")).to_series()


def _reason(rows: pl.DataFrame) -> pl.Expr:
    return (
        pl.when(_IS_ATTEMPT & ~_VERDICT.is_in(["deny", "allow"]) & _is_without_endpoint(rows))
        .then(pl.lit("no policy explains it: the Service dialled has no endpoint to answer"))
        .when(_IS_ATTEMPT)
        .then("attempt_reason")
        .when(_IS_DENIED_SILENTLY)
        .then("silent_reason")
        .when(_IS_REFUSED)
        .then(pl.lit("refused: reset by the destination"))
        .when(_IS_UNANSWERED)
        .then(pl.lit("no answer"))
        .when(_WENT_THROUGH_THOUGH_DENIED)
        .then("answer_reason")
    )


def _is_without_endpoint(rows: pl.DataFrame) -> pl.Expr:
    """A Service was dialled and its address was never translated to a backend's."""
    if not {"service_index", "dialled_address"} <= set(rows.columns):
        return pl.lit(False)
    is_untranslated = pl.col("dialled_address").fill_null(pl.col("destination_address")) == pl.col(
        "destination_address"
    )
    return pl.col("service_index").is_not_null() & is_untranslated & pl.col("destination_index").is_null()


def _evidence(judged: pl.DataFrame) -> pl.Series:
    """Only the denials are touched: they are few, and joining lists is the dearest step of all."""
    is_extended = judged.select((_IS_ATTEMPT & _IS_DENY) | _IS_DENIED_SILENTLY).to_series()
    if not is_extended.any():
        return judged["evidence"]
    extended = judged.filter(is_extended).select(
        evidence=pl.concat_list(
            "evidence",
            pl.when(_IS_DENIED_SILENTLY).then(pl.lit(["unreplied", "evaluation"])).otherwise(pl.lit(["evaluation"])),
        ).list.unique(maintain_order=True)
    )
    kept, taken = np.arange(judged.height), is_extended.to_numpy()
    position = np.where(taken, judged.height + np.cumsum(taken) - 1, kept)
    return pl.concat([judged["evidence"], extended["evidence"]]).gather(pl.Series(position, dtype=pl.UInt32))
