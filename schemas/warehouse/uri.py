"""The warehouse's URI, and its text for people, which never holds the password."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from schemas.errors import UserError

DUCKDB = "duckdb"
POSTGRESQL = "postgresql"
_EXPECTED = (
    "expected duckdb:///path/to/file.duckdb or postgresql://user@host:5432/database "
    "(a password may stand in it, in PGPASSWORD or in PGPASSFILE). "
    "Unset it to use the warehouse in COLDSTART_HOME."
)
_SECRET_OPTIONS = {"password", "sslpassword", "oauth_client_secret"}


@dataclass(frozen=True)
class WarehouseUri:
    """A warehouse of one engine; `text` is for the driver alone, `str` for people and logs."""

    text: str = field(repr=False)

    @staticmethod
    def parse(text: str) -> WarehouseUri:
        """The URI in `text`; a `UserError` that does not repeat a password when it is none."""
        uri = WarehouseUri(text)
        try:
            parts = urlsplit(text)
            is_duckdb = parts.scheme == DUCKDB and not parts.netloc and bool(uri.path.name)
            is_known = is_duckdb or (parts.scheme in (POSTGRESQL, "postgres"))
        except ValueError:  # such as an open bracket in the place of a host
            is_known = False
        if not is_known:
            scheme = f"{text.split('://')[0]}://..." if "://" in text else "not a URI"
            raise UserError(f"COLDSTART_WAREHOUSE is {scheme}; {_EXPECTED}")
        # Of such a URI nobody can say where the password ends, and so what may be shown.
        if not is_duckdb and "@" in f"{parts.path}?{parts.query}#{parts.fragment}":
            raise UserError(
                f"COLDSTART_WAREHOUSE is {parts.scheme}://... with an @ after a /, ? or #; "
                "expected them encoded in a name, a password and an option: @ as %40, / as %2F, "
                "? as %3F, # as %23."
            )
        return uri

    @staticmethod
    def of_file(path: Path) -> WarehouseUri:
        """The URI of a DuckDB file; the path is escaped as URIs need."""
        return WarehouseUri(f"{DUCKDB}://{quote(str(path))}")

    @property
    def engine(self) -> str:
        """`duckdb` or `postgresql`; every other scheme is refused by `parse`."""
        return DUCKDB if self.text.startswith(f"{DUCKDB}:") else POSTGRESQL

    @property
    def path(self) -> Path:
        """The DuckDB file. Three slashes, or SQLAlchemy's four: both name an absolute path."""
        return Path("/" + unquote(urlsplit(self.text).path).lstrip("/"))

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown, as the driver may repeat it: encoded and decoded."""
        parts = urlsplit(self.text)
        options = (value for name, value in parse_qsl(parts.query) if name in _SECRET_OPTIONS)
        plain = [each for each in (unquote(parts.password or ""), *options) if each]
        return tuple(dict.fromkeys((*plain, *(quote(each, safe="") for each in plain))))

    def __str__(self) -> str:
        if self.engine == DUCKDB:
            return str(self.path)
        parts = urlsplit(self.text)
        user = f"{parts.username}@" if parts.username else ""
        host = parts.netloc.rpartition("@")[2]
        shown = [pair for pair in parse_qsl(parts.query) if pair[0] not in _SECRET_OPTIONS]
        query = f"?{urlencode(shown, safe='/:')}" if shown else ""
        return f"{POSTGRESQL}://{user}{host}{parts.path}{query}"
