import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.policies import Capability
from toolguild.registry import NotJsonError, ToolSpec, canonical_json, decode_json, digest
from toolguild.registry.canonical import decode_strict_json, storable_text

# Characters that JSON, sorting or UTF-8 treat in different ways.
texts = st.text('aZ09 "\\/\n\0\x7f{}:,\u00e9\u2028\ufffd\U0001f600', max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def shuffled(value):
    """The same value with the keys of every object in another order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [shuffled(item) for item in value]
    return value


@given(values)
def test_order_of_keys_does_not_change_the_digest(value):
    assert digest(shuffled(value)) == digest(value)


def identical(one, other):
    """Equal in value and type, all the way down; the order of keys does not count."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(identical(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(identical, one, other))
    return repr(one) == repr(other)  # repr tells 0.0 from -0.0


@given(values)
def test_canonical_text_keeps_everything_so_that_no_two_values_share_one(value):
    assert identical(decode_json(canonical_json(value)), value)


@given(values, values)
def test_digests_are_equal_exactly_where_values_are(one, other):
    assert (digest(one) == digest(other)) == identical(one, other)


specs = st.builds(
    ToolSpec,
    name=texts,
    description=texts,
    source=texts,
    parameters=st.dictionaries(texts, values, max_size=3),
    returns=st.dictionaries(texts, values, max_size=3),
    calls=st.lists(texts, max_size=3).map(tuple),
    needs=st.frozensets(st.sampled_from(Capability)),
)
fields = st.sampled_from(sorted(ToolSpec.__dataclass_fields__))


@given(specs, specs, fields)
def test_changing_any_field_changes_the_digest_of_a_specification(spec, other, field):
    changed = dataclasses.replace(spec, **{field: getattr(other, field)})
    same = identical(changed.content()[field], spec.content()[field])
    assert (changed.digest == spec.digest) == same


def test_order_of_called_tools_does_not_change_the_digest():
    one = ToolSpec("f", "", "", {}, {}, calls=("a", "b"))
    other = ToolSpec("f", "", "", {}, {}, calls=("b", "a", "b"))
    assert one == other
    assert one.digest == other.digest


def test_digest_is_the_sha256_of_the_canonical_text():
    # printf '{"a":[1,2.5,"\xc3\xa9"],"b":null}' | sha256sum
    assert canonical_json({"b": None, "a": [1, 2.5, "\u00e9"]}) == '{"a":[1,2.5,"\u00e9"],"b":null}'
    assert (
        digest({"b": None, "a": [1, 2.5, "\u00e9"]})
        == "sha256:c85a32002ab44befebd40fe674e4ac562524fa9d905f307b8f88d90d0b01b62c"
    )


nested: list[object] = []
for _ in range(100_000):
    nested = [nested]
no_json = [float("nan"), float("inf"), {1, 2}, b"bytes", "\ud800", {"\ud800": 1}, nested]


@pytest.mark.parametrize("value", no_json, ids=range(len(no_json)))
def test_what_is_not_json_has_no_digest(value):
    with pytest.raises(NotJsonError, match="not a JSON value"):
        digest(value)


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "[" * 100_000, "1" * 5000])
def test_what_is_not_json_is_not_decoded(text):
    with pytest.raises(NotJsonError, match="not JSON"):
        decode_json(text)


@given(st.text("a\0\n\u00e9\ud800\udfff"))
def test_storable_text_is_unicode_without_nul(text):
    assert "\0" not in storable_text(text).encode().decode()


@given(texts.filter(lambda text: "\0" not in text))
def test_storable_text_leaves_ordinary_text_alone(text):
    assert storable_text(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "b": {"c": 1, "c": 1}}', "names 'c' twice"),
        ("[[[1]]]", "nested deeper than 2 levels"),
        ("[[[]]]", "nested deeper than 2 levels"),
        ('{"a": {"b": {}}}', "nested deeper than 2 levels"),
        ("[" * 100_000, "not JSON"),
        ("NaN", "not JSON"),
        ("1e999", "not JSON"),
        ("1 2", "not JSON"),
        ("9" * 10_000, "not JSON"),
    ],
)
def test_json_from_strangers_is_bounded_and_says_everything_once(text, said):
    with pytest.raises(NotJsonError, match=said):
        decode_strict_json(text, max_depth=2)


@given(values)
def test_other_json_from_strangers_is_read_as_ours_is(value):
    text = canonical_json(value)
    assert decode_strict_json(text, max_depth=1000) == decode_json(text)
