"""The hash of a use: bound to every column and to its place, the same on every database."""

from hypothesis import given
from hypothesis import strategies as st

from toolguild.registry.heads import GENESIS
from toolguild.registry.use_chain import use_hash

values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab1"')
)
rows = st.dictionaries(st.sampled_from(["id", "status", "ran", "task", "error"]), values)


def content(row):
    """What a row says, in a form in which 1 and 1.0 differ, and 1 and True do not."""
    told = {
        name: int(value) if isinstance(value, bool) else value
        for name, value in row.items()
        if value is not None
    }
    return {name: repr(value) for name, value in told.items()}


@given(rows, rows)
def test_two_rows_have_one_hash_only_where_they_say_the_same(one, other):
    same = use_hash(GENESIS, one) == use_hash(GENESIS, other)
    assert same == (content(one) == content(other))


@given(rows)
def test_the_use_before_is_part_of_it_and_its_own_hash_is_not(row):
    assert use_hash(GENESIS, row) != use_hash(GENESIS.replace("0", "1"), row)
    assert use_hash(GENESIS, row) == use_hash(GENESIS, {**row, "hash": "anything", "later": None})


def test_a_column_at_its_default_is_as_if_it_had_been_added_later():
    row = {"id": 1, "status": "ok"}
    assert use_hash(GENESIS, row) == use_hash(GENESIS, {**row, "undeclared": "[]"})
    assert use_hash(GENESIS, row) != use_hash(GENESIS, {**row, "undeclared": "[ ]"})
