"""Raw rows named: the real ends after NAT is undone, who held their addresses then, and the Service that was dialled.

A connection keeps the identity of its start, so a long one is never renamed and a replay gives the same names.
"""

from typing import Final

import polars as pl

from streams.metadata.directory import Directory

_TOLERANCE_NS: Final = 2_000_000_000
"""A pod's first packet can be some time ahead of the observation of its address."""


def enrich(raw: pl.DataFrame, directory: Directory) -> pl.DataFrame:
    """Add the real ends, endpoint and service indices, direction and role to rows of RawFlow with batch facts.

    ``source_index`` and ``destination_index`` are null where no endpoint had the address; ``role`` says which of the
    ends live on the reporting node: source, destination, both or none. The rows keep their order.
    """
    rows = raw.with_columns(_ends())
    names = _endpoint_indices(rows, directory)
    rows = rows.with_columns(
        _of("source", rows, names).alias("source_index"),
        _of("destination", rows, names).alias("destination_index"),
        _service_index(rows, directory).alias("service_index"),
    )
    return rows.with_columns(_direction(rows, directory), _role(rows, directory))


def _ends() -> list[pl.Expr]:
    is_source_translated = pl.col("reply_destination_address") != pl.col("original_source_address")
    is_destination_translated = (pl.col("original_destination_address") != pl.col("reply_source_address")) | (
        pl.col("original_destination_port") != pl.col("reply_source_port")
    )
    return [
        pl.col("original_source_address").alias("source_address"),
        pl.col("original_source_port").alias("source_port"),
        pl.col("reply_source_address").alias("destination_address"),
        pl.col("reply_source_port").alias("destination_port"),
        pl.when(is_source_translated).then("reply_destination_address").alias("nat_address"),
        pl.when(is_source_translated).then("reply_destination_port").alias("nat_port"),
        pl.when(is_destination_translated).then("original_destination_address").alias("dialled_address"),
        pl.when(is_destination_translated).then("original_destination_port").alias("dialled_port"),
    ]


def _endpoint_indices(rows: pl.DataFrame, directory: Directory) -> pl.DataFrame:
    """Index by address and start, each pair looked up once."""
    pairs = pl.concat(
        [
            rows.select(pl.col("source_address").alias("address"), pl.col("started_at_ns").alias("at")),
            rows.select(pl.col("destination_address").alias("address"), pl.col("started_at_ns").alias("at")),
        ]
    ).unique()
    claims = directory.claims.sort("valid_from_ns")
    held = pairs.sort("at").join_asof(
        claims, left_on="at", right_on="valid_from_ns", by="address", strategy="backward", check_sortedness=False
    )
    held = held.with_columns(pl.when(pl.col("at") < pl.col("valid_to_ns")).then("index").alias("index"))
    early = (
        held.filter(pl.col("index").is_null())
        .select("address", "at")
        .join_asof(
            claims,
            left_on="at",
            right_on="valid_from_ns",
            by="address",
            strategy="forward",
            tolerance=_TOLERANCE_NS,
            check_sortedness=False,
        )
        .select("address", "at", "index")
    )
    return pl.concat([held.filter(pl.col("index").is_not_null()).select("address", "at", "index"), early])


def _of(end: str, rows: pl.DataFrame, names: pl.DataFrame) -> pl.Series:
    keys = rows.select(pl.col(f"{end}_address").alias("address"), pl.col("started_at_ns").alias("at"))
    return keys.join(names, on=["address", "at"], how="left", maintain_order="left")["index"]


def _service_index(rows: pl.DataFrame, directory: Directory) -> pl.Series:
    """By what was dialled; a Service without endpoints is dialled without being translated."""
    keys = rows.select(
        pl.int_range(pl.len()).alias("row"),
        pl.col("original_destination_address").alias("address"),
        pl.col("original_destination_port").alias("port"),
        "protocol",
        pl.col("started_at_ns").alias("at"),
    )
    found = (
        keys.join(directory.service_claims, on=["address", "port", "protocol"])
        .filter((pl.col("valid_from_ns") - _TOLERANCE_NS <= pl.col("at")) & (pl.col("at") < pl.col("valid_to_ns")))
        .group_by("row")
        .agg(pl.col("service_index").max())
    )
    return keys.join(found, on="row", how="left", maintain_order="left")["service_index"]


def _direction(rows: pl.DataFrame, directory: Directory) -> pl.Expr:
    inside = {
        end: rows[f"{end}_index"].is_not_null() | _is_inside(rows[f"{end}_address"], rows[f"{end}_index"], directory)
        for end in ("source", "destination")
    }
    return (
        pl.when(inside["source"] & (inside["destination"] | rows["service_index"].is_not_null()))
        .then(pl.lit("internal"))
        .when(inside["source"])
        .then(pl.lit("outbound"))
        .when(inside["destination"])
        .then(pl.lit("inbound"))
        .otherwise(pl.lit("external"))
        .alias("direction")
    )


def _is_inside(addresses: pl.Series, indices: pl.Series, directory: Directory) -> pl.Series:
    """Whether an address that nobody has lies in a pod network."""
    unknown = addresses.filter(indices.is_null()).unique()
    inside = [address for address in unknown if directory.is_inside(address)]
    return addresses.is_in(inside)


def _role(rows: pl.DataFrame, directory: Directory) -> pl.Expr:
    def is_here(end: str) -> pl.Series:
        names = directory.node_names
        nodes = names.gather(rows[f"{end}_index"]) if len(names) else pl.Series([None] * rows.height, dtype=pl.String)
        return (nodes == rows["node"]).fill_null(value=False)

    source, destination = is_here("source"), is_here("destination")
    return (
        pl.when(source & destination)
        .then(pl.lit("both"))
        .when(source)
        .then(pl.lit("source"))
        .when(destination)
        .then(pl.lit("destination"))
        .otherwise(pl.lit("none"))
        .alias("role")
    )
