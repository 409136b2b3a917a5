"""Parsing in several threads at once, which Python before 3.11.8 does not take."""

from __future__ import annotations

import ast
import gc
import time
from concurrent.futures import ThreadPoolExecutor

from toolguild.policies.parsing import parse_expression, parse_module


def test_threads_that_parse_at_once_all_get_their_trees() -> None:
    deep = "x = " + "(" * 40 + "1" + ")" * 40 + "\n"
    text = "\n".join(f"def f{n}(a, b):\n    return [a + b, {{'k': (a, b)}}]\n" for n in range(60))

    def yield_to_others(phase: str, info: dict[str, int]) -> None:
        time.sleep(0)

    # A callback of the collector is where one thread gives way to another within a parse.
    gc.callbacks.append(yield_to_others)
    thresholds = gc.get_threshold()
    gc.set_threshold(50)
    try:
        with ThreadPoolExecutor(6) as executor:
            trees = list(executor.map(parse_module, [text, deep] * 30))
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(yield_to_others)
    assert {len(tree.body) for tree in trees} == {60, 1}


def test_expressions_are_parsed_as_such() -> None:
    assert isinstance(parse_expression("a | None").body, ast.BinOp)
