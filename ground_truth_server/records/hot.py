"""Statements that workers wait for: compiled once, run on the driver's own cursor.

SQLAlchemy looks a statement up, makes a context and a result for each run, which takes several times as long as SQLite
takes for the statement itself; and a writer holds the database's one turn meanwhile.
"""

from collections import namedtuple
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler


class Hot:
    """A statement with named parameters, which gives text and numbers as the driver does.

    Args:
        statement: The statement; all its parameters have values, or names that its caller gives values.
        columns: Of an insertion, the columns that get values.
    """

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        """Read all rows, with their columns as attributes."""
        compiled = self._for(connection)
        cursor = compiled.run(connection, values)
        try:
            return [compiled.row(*row) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def change(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Run it; gives how many rows it changed."""
        cursor = self._for(connection).run(connection, values)
        try:
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def _for(self, connection: Connection) -> "_Compiled":
        name = connection.dialect.name
        if name not in self._compiled:
            self._compiled[name] = _Compiled(self._statement, self._columns, connection.dialect)
        return self._compiled[name]


class _Compiled:
    def __init__(self, statement: Executable, columns: Sequence[str] | None, dialect: Dialect) -> None:
        made: Any = statement.compile(dialect=dialect, column_keys=columns)  # type: ignore[attr-defined]
        assert isinstance(made, SQLCompiler)  # noqa: S101  (what statements compile to)
        self._text = made.string
        self._defaults = made.construct_params(_check=False)
        self._order = list(made.positiontup or []) if made.positional else None
        names = [str(getattr(column, "key", "")) for column in getattr(statement, "exported_columns", ())]
        self.row = _row_of(names)

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        parameters: Any = {**self._defaults, **values}
        if self._order is not None:
            parameters = tuple(parameters[name] for name in self._order)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self._text, parameters)
        except Exception as error:
            cursor.close()
            base = connection.dialect.loaded_dbapi.Error
            raise DBAPIError.instance(self._text, parameters, error, base) from error
        return cursor


def _row_of(names: Sequence[str]) -> Any:
    return namedtuple("Row", names, rename=True)
