"""Rows of exchanges named: who had the client's and the server's address then, and which Service was dialled."""

from typing import Final

import polars as pl

from streams.enrich.lookup import Dialled, directions, ends_of, indices, services_of
from streams.metadata.directory import Directory

NAMED: Final = {
    "source_address": pl.String(),
    "destination_address": pl.String(),
    "destination_port": pl.Int32(),
    "source_index": pl.UInt32(),
    "destination_index": pl.UInt32(),
    "service_index": pl.UInt32(),
    "direction": pl.String(),
    "is_client_inside": pl.Boolean(),
}
"""Columns that are added, as flows have them."""


def name(rows: pl.DataFrame, directory: Directory) -> pl.DataFrame:
    """Add NAMED to rows with the ends of an exchange, ``protocol`` as IANA number and ``first_seen_at_ns``."""
    at_ns = rows["first_seen_at_ns"].to_numpy()
    source = ends_of(rows["client_address"], at_ns, directory)
    destination = ends_of(rows["server_address"], at_ns, directory)
    dialled = Dialled(rows["dialled_address"], rows["dialled_port"], rows["protocol"])
    services = services_of(dialled, at_ns, directory)
    return rows.with_columns(
        pl.col("client_address").alias("source_address"),
        pl.col("server_address").alias("destination_address"),
        pl.col("server_port").alias("destination_port"),
        indices("source_index", source.holders),
        indices("destination_index", destination.holders),
        indices("service_index", services),
        directions(source, destination, services).alias("direction"),
        pl.Series("is_client_inside", source.is_inside, dtype=pl.Boolean()),
    )
