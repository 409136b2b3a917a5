"""A registry on each kind of database, specifications to fill it with, a sandbox without walls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection

from toolguild.policies import Capability, Profile, Tier, load_profile
from toolguild.registry import Registry, ToolSpec, ToolVersion, schema
from toolguild.registry.governance import Governance
from toolguild.sandbox import (
    Access,
    Json,
    Limits,
    Outcome,
    Program,
    Sandbox,
    SandboxUnavailableError,
    Status,
    ToolCallError,
    ToolGateway,
)
from toolguild.sandbox.access import NOTHING

POSTGRES = pytest.mark.postgres

DOUBLE = '''
def double(number: int) -> int:
    """Return twice the number."""
    return 2 * number
'''


class InProcessSandbox(Sandbox):
    """Runs this test suite's own programs in this process, and notes what it was asked for.

    `answers` holds outcomes, or errors of the sandbox, to give instead of running.
    """

    name = "in-process"

    def __init__(self) -> None:
        self.runs: list[tuple[str, Tier, Limits]] = []
        self.given: list[tuple[frozenset[Capability], Access]] = []
        self.answers: list[Outcome | Exception] = []

    @property
    def level(self) -> str:
        return "none"

    def run(
        self,
        program: Program,
        arguments: Mapping[str, Json],
        *,
        tier: Tier,
        limits: Limits = Limits(),
        tools: ToolGateway | None = None,
        access: Access = NOTHING,
    ) -> Outcome:
        self.runs.append((program.entry, tier, limits))
        self.given.append((program.needs, access))
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        def call_tool(name: str, inner: dict[str, Json]) -> Json:
            if tools is None:
                msg = "no tools"
                raise ToolCallError(msg)
            return tools(name, inner)

        names: dict[str, object] = {"call_tool": call_tool, "ToolCallError": ToolCallError}
        try:
            exec(program.source, names)  # noqa: S102 - the tests' own programs
            value = names[program.entry](**arguments)
        except Exception as error:
            return Outcome(Status.ERROR, error=f"{type(error).__name__}: {error}", duration_s=0.25)
        return Outcome(Status.OK, value, duration_s=0.25)

    def close(self) -> None:
        pass


class Clock:
    """Goes one second further each time that it is read."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 21, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tools.db"


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=POSTGRES)])
def database(request: pytest.FixtureRequest) -> str:
    """Each kind of database, by SQLAlchemy's name."""
    kind: str = request.param
    return kind


@pytest.fixture(scope="session")
def new_place(
    database: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[], AbstractContextManager[str]]:
    """Give a path, or the URL of a schema of its own, where there is no registry yet."""

    @contextmanager
    def new_file() -> Iterator[str]:
        yield str(tmp_path_factory.mktemp("registry") / "tools.db")

    if database == "sqlite":
        return new_file
    psycopg = pytest.importorskip("psycopg")
    server = request.getfixturevalue("postgres_server")
    numbers = count()

    @contextmanager
    def new_schema() -> Iterator[str]:
        name = f"registry_{next(numbers)}"
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
            yield server.url(options=f"-csearch_path={name}")
            connection.execute("SET client_min_messages = warning")
            connection.execute(f"DROP SCHEMA {name} CASCADE")

    return new_schema


@pytest.fixture
def where(new_place: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    with new_place() as place:
        yield place


@pytest.fixture
def registry(where: str) -> Iterator[Registry]:
    with Registry.open(where, actor="tester", clock=Clock()) as registry:
        yield registry


@pytest.fixture
def clock(registry: Registry) -> Clock:
    clock = registry.governance._journal.clock
    assert isinstance(clock, Clock)
    return clock


@pytest.fixture
def as_other(where: str, registry: Registry) -> Iterator[Governance]:
    """The same registry, in the hands of somebody else."""
    with Registry.open(where, actor="somebody else", clock=registry.now) as other:
        yield other.governance


@pytest.fixture
def bounded(where: str) -> Iterator[Callable[..., Registry]]:
    """Open the registry with a budget of new tools."""
    clock = Clock()
    with ExitStack() as stack:

        def open_it(*, a_cycle: int = 100, a_day: int = 100) -> Registry:
            tables = load_profile().tables()
            tables["trust"]["budget"] |= {"new_tools_a_cycle": a_cycle, "new_tools_a_day": a_day}
            profile = Profile.of_tables("bounded", tables)
            return stack.enter_context(
                Registry.open(where, actor="tester", clock=clock, profile=profile)
            )

        yield open_it


@contextmanager
def _unguarded(registry: Registry) -> Iterator[Connection]:
    with registry.database.write() as connection:
        dialect = connection.dialect.name
        guards = [
            (table, guard)
            for table in schema.KEPT
            for guard in schema.guards_on(table)
            if guard.dialect == dialect
        ]
        for table, guard in guards:
            of = f" ON {table}" if dialect == "postgresql" else ""
            connection.exec_driver_sql(f"DROP TRIGGER {guard.name}{of}")
        yield connection
    with registry.database.write() as connection:
        for _, guard in guards:
            connection.exec_driver_sql(guard.sql)


@pytest.fixture
def unguarded() -> Callable[[Registry], AbstractContextManager[Connection]]:
    """Write as someone who got hold of the database would: the guards are off, and on again."""
    return _unguarded


@pytest.fixture
def sandbox() -> InProcessSandbox:
    return InProcessSandbox()


@pytest.fixture
def unavailable() -> SandboxUnavailableError:
    return SandboxUnavailableError("no Docker engine; start dockerd")


@pytest.fixture
def make_spec() -> Callable[..., ToolSpec]:
    def make(name: str = "double", **fields: object) -> ToolSpec:
        integer = {"type": "object", "properties": {"number": {"type": "integer"}}}
        defaults = {
            "description": "Double a number.",
            "source": DOUBLE.replace("double", name),
            "parameters": integer | {"required": ["number"], "additionalProperties": False},
            "returns": {"type": "integer"},
        }
        return ToolSpec(name, **(defaults | fields))

    return make


@pytest.fixture
def composite(registry: Registry, make_spec: Callable[..., ToolSpec]) -> Callable[..., ToolVersion]:
    """Registers a tool without parameters whose body is given, and which returns anything."""

    def register(
        name: str, body: str, calls: Sequence[str] = ("fetch",), **fields: object
    ) -> ToolVersion:
        source = f"def {name}():\n    {body}\n"
        nothing = {"type": "object", "properties": {}}
        fields = {"source": source, "parameters": nothing, "returns": {}, "calls": calls} | fields
        return registry.register(make_spec(name, **fields)).version

    return register
