"""The few queries of every reading and posting: compiled by Django once, prepared by PostgreSQL once a connection.

Django compiles a query anew each time, which takes longer than PostgreSQL takes to answer it, and puts the values into
its text, so that PostgreSQL plans it anew too: 0.5 ms where running it takes 0.1. Behind PgBouncer in transaction
mode this needs its version 1.21 or newer.
"""

from collections.abc import Callable
from datetime import date
from functools import cache, cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import ModelState
from django.db.models.expressions import Expression
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler

from newsroom.sql.statements import Answer

M = TypeVar("M", bound=models.Model)


class Question(NamedTuple):
    """A statement, its parameters, and what is made of the rows it returns."""

    sql: str
    parameters: list
    read: Callable[[list[tuple]], Any] = list

    def first(self) -> "Question":
        """Answered with the first of what is read, or None."""
        return self._replace(read=lambda rows: next(iter(self.read(rows)), None))


def ask(*questions: Question, ahead: int = 0, last: bool = False) -> list[Any]:
    """In one trip to the database, in this order; for statements that need not wait for each other's answers. If a
    transaction begins with them, the first `ahead` are committed before it does, and keep no lock. If they are the
    `last` that the innermost `atomic()` asks, and it is the outermost too, the COMMIT goes along, so that nothing of
    Python's runs while they keep locks."""
    if not questions:
        return []
    answers = _ask(*[question[:2] for question in questions], ahead=ahead, last=last)
    return [question.read(answer.rows) for question, answer in zip(questions, answers, strict=True)]


def execute(sql: str, parameters: list) -> int:
    """Returns how many rows it changed."""
    return _ask((sql, parameters))[0].changed


def fetch_all(sql: str, parameters: list) -> list[tuple]:
    return _ask((sql, parameters))[0].rows


def fetch_one(sql: str, parameters: list) -> tuple | None:
    """The first row; an empty one, of a query for no columns, is still not None."""
    return ask(Question(sql, parameters).first())[0]


def _ask(*questions: tuple[str, list], ahead: int = 0, last: bool = False) -> list[Answer]:
    wrapper = connections[DEFAULT_DB_ALIAS]  # once: each use of django.db.connection looks it up
    wrapper.ensure_connection()
    if wrapper.queries_logged:  # tests count queries
        wrapper.queries_log.extend({"sql": sql, "time": "prepared"} for sql, _parameters in questions)
    with wrapper.wrap_database_errors:
        return wrapper.connection.statements.ask(*questions, ahead=ahead, commits=last and _would_commit(wrapper))


def _would_commit(wrapper: BaseDatabaseWrapper) -> bool:
    """Would leaving the innermost atomic() commit? It then finds no transaction under way, and does nothing."""
    outermost = wrapper.in_atomic_block and wrapper.commit_on_exit and not wrapper.savepoint_ids
    return outermost and not wrapper.needs_rollback


class Found(NamedTuple):
    """Columns whose values PostgreSQL finds while it stores a row, in the same statement."""

    columns: tuple[str, ...]
    queries: str  # of WITH; the one named `found` returns one row of these columns
    parameters: list


def insert(made: models.Model, found: Found | None = None) -> None:
    """Stores a new object, as its `save()` does, without signals: nothing here listens to any. It gets the columns that
    were found, too."""
    ask(insertion(made, found))


def insertion(made: models.Model, found: Found | None = None) -> Question:
    """What insert() asks."""
    fields, sql = _insertion(type(made), found and found[:2])
    wrapper = connections[DEFAULT_DB_ALIAS]
    values = [field.get_db_prep_save(field.pre_save(made, add=True), wrapper) for field in fields]

    def read(rows: list[tuple]) -> None:
        made.pk, *rest = rows[0]
        for name, value in zip(found.columns if found else (), rest, strict=True):
            setattr(made, name, value)
        made._state.adding, made._state.db = False, wrapper.alias

    return Question(sql, [*(found.parameters if found else ()), *values], read)


@cache
def _insertion(model: type[models.Model], found: tuple[tuple[str, ...], str] | None) -> tuple[list[models.Field], str]:
    columns, queries = found or ((), "")
    fields = [field for field in model._meta.concrete_fields if not field.primary_key and field.column not in columns]
    quote = connection.ops.quote_name
    names = ", ".join(quote(name) for name in (*[field.column for field in fields], *columns))
    values = ", ".join(["%s"] * len(fields) + [f"found.{quote(name)}" for name in columns])
    returned = ", ".join(map(quote, (model._meta.pk.column, *columns)))
    into = f"INSERT INTO {quote(model._meta.db_table)} ({names})"
    if found is None:
        return fields, f"{into} VALUES ({values}) RETURNING {returned}"
    return fields, f"WITH {queries} {into} SELECT {values} FROM found RETURNING {returned}"


class Given(Expression):
    """A value that a prepared query is given each time it is asked."""

    def __init__(self, name: str):
        super().__init__()
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection) -> tuple[str, list]:
        return "%s", [self]


class Prepared(Generic[M]):
    """A queryset whose values are Given at each asking: `Prepared(lambda: Page.objects.filter(slug=Given("slug")))`.

    Everything else in it is the same for ever: what depends on the time or on a setting must be given.
    """

    def __init__(self, make: Callable[[], models.QuerySet[M]]):
        self._make = make  # called at the first asking: models are not there yet when modules are imported

    def all(self, **values) -> list[M]:
        if any(map(_is_no_bigint, values.values())):
            return []
        return ask(self.question(**values))[0]

    def first(self, **values) -> M | None:
        return next(iter(self.all(**values)), None)

    def question(self, **values) -> Question:
        """What all() asks, to be asked together with others."""
        sql, constants, made_of = self._compiled
        values = {name: None if _is_no_bigint(value) else value for name, value in values.items()}  # equal to nothing
        parameters = [values[one.name] if isinstance(one, Given) else one for one in constants]
        return Question(sql, parameters, lambda rows: [made_of(row) for row in rows])

    @cached_property
    def _compiled(self) -> tuple[str, tuple, Callable[[tuple], M]]:
        compiler = self._make().query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        if any(isinstance(parameter, date) for parameter in parameters):
            raise TypeError("This would be today's date for ever")
        if compiler.get_converters([column for column, *_ in compiler.select]) or compiler.annotation_col_map:
            raise NotImplementedError("Only models' own columns that need no conversion")
        return sql, parameters, _row_to_model(compiler)


def _is_no_bigint(value: Any) -> bool:
    """PostgreSQL would take it for a decimal number, which no index knows."""
    return isinstance(value, int) and value.bit_length() > 63


def _row_to_model(compiler: SQLCompiler) -> Callable[[tuple], models.Model]:
    """What django.db.models.query.ModelIterable does with a row, related models included."""
    model, fields = compiler.klass_info["model"], compiler.klass_info["select_fields"]
    begin, end = fields[0], fields[-1] + 1
    names = [column[0].target.attname for column in compiler.select[begin:end]]
    populators = get_related_populators(compiler.klass_info, compiler.select, DEFAULT_DB_ALIAS)
    if models.signals.pre_init.has_listeners(model) or models.signals.post_init.has_listeners(model):
        raise NotImplementedError("from_db() would tell somebody of every object")

    def made_of(row: tuple) -> models.Model:
        # from_db() asks of each field whether it was given, and takes six times as long; a page has a hundred rows.
        made = model.__new__(model)
        made._state = ModelState()
        made._state.adding, made._state.db = False, DEFAULT_DB_ALIAS
        made.__dict__.update(zip(names, row[begin:end], strict=True))
        for populator in populators:
            populator.populate(row, made)
        return made

    return made_of
