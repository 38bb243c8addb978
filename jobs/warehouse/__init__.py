"""The warehouse: read and published to through ADBC, whatever engine its URI names."""

from jobs.warehouse.connection import Connection, open_reader
from jobs.warehouse.publication import Publication
from jobs.warehouse.writing import writing

__all__ = ["Connection", "Publication", "open_reader", "writing"]
