"""Tools are found by their names and texts, whatever is typed, and only those that may be shown."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolguild.policies import Tier
from toolguild.registry import CallStatus, Registry, State, ToolSpec, Use
from toolguild.registry.retrieval.documents import differences
from toolguild.registry.retrieval.indexing import rebuild

MakeSpec = Callable[..., ToolSpec]

TOOLS = {
    "get_user_details": "Look up the profile of a customer.",
    "get_user_details_with_reservations": "Look up a customer and what they booked.",
    "cancel_reservation": "Cancel a booked flight, and refund it.",
    "sendEmail": "Send a message to an address.",
    "convert_currency": "Convert an amount between two currencies.",
}


@pytest.fixture
def filled(registry: Registry, make_spec: MakeSpec) -> Registry:
    for name, description in TOOLS.items():
        registry.register(make_spec(name, description=description))
    return registry


def names(registry: Registry, text: str, **options: object) -> list[str]:
    return [found.version.spec.name for found in registry.search(text, **options)]


def use(registry: Registry, ref: str, status: CallStatus, duration_s: float = 0.1) -> None:
    version = registry.tool(ref).digest
    registry.record(Use(version, "sha256:0", status, duration_s, registry.now()))


def sound(registry: Registry) -> list[str]:
    with registry.database.read() as connection:
        return list(differences(connection))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("get_user_details", "get_user_details"),
        ("GET_USER_DETAILS", "get_user_details"),
        ("get user details", "get_user_details"),
        ("get_user", "get_user_details"),
        ("the details of these users", "get_user_details"),
        ("getUserDetails", "get_user_details"),
        ("send an email", "sendEmail"),
        ("sendemail", "sendEmail"),
        ("please cancel my reservations", "cancel_reservation"),
        ("refunding a flight", "cancel_reservation"),
        ("currencies", "convert_currency"),
    ],
)
def test_a_tool_is_found_by_name_beginning_and_words(
    filled: Registry, text: str, first: str
) -> None:
    assert names(filled, text)[0] == first


def test_parameters_are_searched_with_what_is_nested_in_them(
    registry: Registry, make_spec: MakeSpec
) -> None:
    city = {"type": "string", "description": "Where the parcel is sent."}
    place = {"type": "object", "properties": {"municipality": city}}
    parameters = {"type": "object", "properties": {"places": {"type": "array", "items": place}}}
    registry.register(make_spec("ship", parameters=parameters))
    assert names(registry, "municipality") == names(registry, "parcels") == ["ship"]
    assert names(registry, "array") == names(registry, "properties") == []


def test_an_exact_name_is_first_and_fully_relevant(filled: Registry) -> None:
    found = filled.search("get_user_details")
    assert [one.version.spec.name for one in found[:2]] == [
        "get_user_details",
        "get_user_details_with_reservations",
    ]
    assert found[0].relevance == 1.0
    assert found[0].words == ("detail", "get", "user")
    assert found[0].score == pytest.approx(found[0].record ** 0.5 * found[0].speed ** 0.1)


def test_no_more_than_k_are_found(filled: Registry) -> None:
    assert len(names(filled, "number", k=3)) == 3
    assert names(filled, "number", k=0) == names(filled, "number", k=-1) == []
    assert len(names(filled, "number", k=1000)) == len(TOOLS)


def test_only_what_may_be_shown_is_found(filled: Registry) -> None:
    filled.set_state("convert_currency", State.QUARANTINED, why="wrong rates")
    filled.set_state("sendEmail", State.RETIRED, why="nobody used it")
    filled.set_tier("cancel_reservation", Tier.RESTRICTED, why="earned")
    for text in ("convert_currency", "convert_", "convert currency amounts"):
        assert "convert_currency" not in names(filled, text)
        assert names(filled, text, state=State.QUARANTINED) == ["convert_currency"]
    assert set(names(filled, "number", state=None)) == set(TOOLS)
    assert names(filled, "number", tier=Tier.RESTRICTED) == ["cancel_reservation"]
    filled.set_state("convert_currency", State.ACTIVE, why="mended")
    assert names(filled, "convert_currency")[0] == "convert_currency"
    assert sound(filled) == []


def test_only_the_version_that_the_name_points_at_is_found(
    filled: Registry, make_spec: MakeSpec
) -> None:
    filled.register(make_spec("convert_currency", description="Exchange money."))
    [found] = filled.search("exchange money")
    assert found.version.ref == "convert_currency@2"
    assert names(filled, "amounts") == []
    filled.set_state("convert_currency@1", State.QUARANTINED, why="of old")
    assert names(filled, "exchange money") == ["convert_currency"]
    assert sound(filled) == []


def test_registering_the_same_again_indexes_nothing_twice(
    filled: Registry, make_spec: MakeSpec
) -> None:
    filled.register(make_spec("sendEmail", description=TOOLS["sendEmail"]))
    assert names(filled, "sendEmail") == ["sendEmail"]
    assert sound(filled) == []


def test_what_was_not_committed_is_not_found(filled: Registry, make_spec: MakeSpec) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    filled._clock = stop
    with pytest.raises(KeyboardInterrupt):
        filled.register(make_spec("translate", description="Translate a text."))
    with pytest.raises(KeyboardInterrupt):
        filled.set_state("sendEmail", State.QUARANTINED, why="never written")
    assert names(filled, "translate") == []
    assert names(filled, "email") == ["sendEmail"]
    assert sound(filled) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \t\n",
        "\0",
        "email\0address",
        "\ud800 email \udfff",
        '"',
        "'",
        '"email',
        "email*",
        "name_words : email",
        "{name_words} : email",
        "NEAR(email address, 2)",
        "email AND",
        "NOT email",
        "email OR (",
        "^email",
        "- email",
        "email & ! address:A",
        "email <-> address",
        "'email':A",
        "%",
        "_",
        "\\",
        "$1 :x %(x)s ?",
        "'; DROP TABLE tools; --",
        "email " * 20_000,
        "e" * 100_000,
        " ".join(f"word{number}" for number in range(12_000)),
    ],
    ids=lambda text: repr(text[:20]),
)
def test_no_text_is_an_error_or_a_query_language(filled: Registry, text: str) -> None:
    assert set(names(filled, text)) <= {"sendEmail"}
    assert len(filled.tools()) == len(TOOLS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.text(st.characters(), max_size=80))
def test_any_text_at_all_can_be_looked_for(filled: Registry, text: str) -> None:
    assert len(filled.search(text, k=3)) <= 3
    assert names(filled, f"cancel_reservation {text}", k=len(TOOLS))


def test_operators_are_words(filled: Registry, make_spec: MakeSpec) -> None:
    filled.register(make_spec("near", description="Find what is near."))
    assert names(filled, "NEAR(") == ["near"]


def test_of_equally_relevant_tools_those_that_worked_come_first(
    registry: Registry, make_spec: MakeSpec
) -> None:
    for name in ("copy_1", "copy_2", "copy_3", "copy_4"):
        registry.register(make_spec(name, description="Copy a file."))
    for _ in range(5):
        use(registry, "copy_3", CallStatus.OK)
        use(registry, "copy_1", CallStatus.TIMEOUT)
        use(registry, "copy_4", CallStatus.UNAVAILABLE)
    assert names(registry, "copy file") == ["copy_3", "copy_2", "copy_4", "copy_1"]
    best = registry.search("copy file")[0]
    assert (best.uses.successes, best.uses.runs, best.uses.median_s) == (5, 5, 0.1)


def test_the_newest_uses_count(registry: Registry, make_spec: MakeSpec) -> None:
    registry.register(make_spec("copy"))
    for status in [CallStatus.ERROR] * 20 + [CallStatus.OK] * 50:
        use(registry, "copy", status)
    [found] = registry.search("copy")
    assert (found.uses.successes, found.uses.runs) == (50, 50)


def test_of_equally_relevant_tools_the_fast_one_comes_first(
    registry: Registry, make_spec: MakeSpec
) -> None:
    for name, duration_s in (("copy_1", 60.0), ("copy_2", 0.01)):
        registry.register(make_spec(name, description="Copy a file."))
        use(registry, name, CallStatus.OK, duration_s)
    assert names(registry, "copy file") == ["copy_2", "copy_1"]


def test_a_common_word_decides_among_those_that_have_the_rare_one(
    registry: Registry, make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolguild.registry.retrieval.query._ENOUGH", 4)
    for number in range(12):
        registry.register(make_spec(f"move_{number}", description="Move an order."))
    for name in ("list_invoice", "list_order", "paint_wall"):
        registry.register(make_spec(name, description="Do it."))
    assert names(registry, "order list")[0] == "list_order"
    assert names(registry, "order", k=20).count("list_order") == 1
    # No name has both, and no tool "list" with "move".
    assert len(names(registry, "move order", k=20)) == 13
    assert len(names(registry, "move list", k=20)) == 14


def test_a_rare_state_is_found_among_many_that_fit_better(
    registry: Registry, make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolguild.registry.retrieval.query._LOOKED_AT", 2)
    for number in range(12):
        registry.register(make_spec(f"order_{number}", description="Order. Order. Order."))
    registry.register(make_spec("fetch", description="Fetch what is in a warehouse for an order."))
    registry.set_state("fetch", State.QUARANTINED, why="of old")
    assert names(registry, "order", k=1, state=State.QUARANTINED) == ["fetch"]


def test_a_damaged_index_is_told_and_made_anew(filled: Registry) -> None:
    with filled.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE search_documents SET state = 'active', name_words = 'harmless'"
            " WHERE name = 'sendEmail'"
        )
        connection.exec_driver_sql("UPDATE search_words SET tools = 7 WHERE word = 'currenc'")
    assert [problem.split(";")[0] for problem in sound(filled)] == [
        "the search index does not hold sendEmail as it is",
        "the search index has lost count of its words",
    ]
    assert rebuild(filled.database) == len(TOOLS)
    assert sound(filled) == []
    assert names(filled, "email") == ["sendEmail"]


def test_documents_under_other_numbers_are_told(filled: Registry) -> None:
    with filled.database.write() as connection:
        swap = "UPDATE search_documents SET id = {} WHERE id = {}"
        for change in ((99, 1), (1, 2), (2, 99)):
            connection.exec_driver_sql(swap.format(*change))
        by_numbers = connection.dialect.name == "sqlite"  # PostgreSQL's index does not go by them
    assert len(sound(filled)) == (2 if by_numbers else 0)


def test_a_damaged_index_shows_nothing_that_may_not_be_shown(filled: Registry) -> None:
    filled.set_state("sendEmail", State.QUARANTINED, why="leaks")
    with filled.database.write() as connection:
        connection.exec_driver_sql("UPDATE search_documents SET state = 'active'")
    assert names(filled, "sendEmail") == []


def test_threads_search_while_others_register(registry: Registry, make_spec: MakeSpec) -> None:
    errors: list[Exception] = []

    def guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            errors.append(error)

    def register(first: int) -> None:
        for number in range(first, first + 8):
            registry.register(make_spec(f"copy_{number}", description="Copies of things copied."))

    def search() -> None:
        for _ in range(20):
            assert len(registry.search("copying", k=16)) <= 16

    work = [lambda: register(0), lambda: register(8), search, search]
    threads = [threading.Thread(target=guarded, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(registry.search("copying", k=50)) == 16
    assert sound(registry) == []
