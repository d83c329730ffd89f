"""The values of TLA+ are read as TLC prints them, and written as one text each."""

import pytest

from polybawt.proof.values import Function, NotAValue, parse, text


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("-3", -3),
        ("TRUE", True),
        ('"half_open"', "half_open"),
        ("{}", frozenset()),
        ('{"b", "a"}', frozenset({"a", "b"})),
        ("1..3", frozenset({1, 2, 3})),
        ('<<1, "a", <<>>>>', (1, "a", ())),
        ("[a |-> 1, b |-> {2}]", Function({"a": 1, "b": frozenset({2})})),
        ('("b1" :> 0 @@ "s1" :> 1)', Function({"b1": 0, "s1": 1})),
        ("(1 :> <<TRUE>> @@ 2 :> <<>>)", Function({1: (True,), 2: ()})),
    ],
)
def test_what_tlc_prints_is_read_and_its_text_is_read_again(printed: str, value: object) -> None:
    found = parse(printed)

    assert found == value
    assert type(found) is type(value)
    assert parse(text(found)) == value


def test_equal_sets_have_one_text_whatever_order_they_were_printed_in() -> None:
    """Digests compare texts."""
    assert text(parse('{"b", "a", "c"}')) == text(parse('{"c", "b", "a"}')) == '{"a", "b", "c"}'
    assert text(parse("(2 :> 1 @@ 1 :> 2)")) == text(parse("(1 :> 2 @@ 2 :> 1)"))


@pytest.mark.parametrize("printed", ["", "1 2", "<<1", "a", "{1, }x", "[a |-> ]", "(1 :> )"])
def test_what_is_no_value_is_refused(printed: str) -> None:
    """A value that was half read would compare equal to something it is not."""
    with pytest.raises(NotAValue):
        parse(printed)


def test_a_function_never_changes_but_for_one_key_of_another() -> None:
    before = Function({"a": 1, "b": 2})

    after = before.but("a", 3)

    assert dict(before) == {"a": 1, "b": 2}
    assert dict(after) == {"a": 3, "b": 2}
    assert len({before, after, Function({"b": 2, "a": 1})}) == 2
    assert before != {"a": 1, "b": 2}
    assert "Function({'a': 1" in repr(before)


def test_what_has_no_form_in_tla_is_refused() -> None:
    with pytest.raises(NotAValue):
        text(1.5)  # type: ignore[arg-type]
