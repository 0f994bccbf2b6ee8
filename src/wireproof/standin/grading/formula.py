"""Formulas of multi graders: `0.5 * accuracy + max(style, 0)`. Numbers, names, `+ - * / ^`, brackets, eight functions.

    sum     := product (("+" | "-") product)*
    product := power (("*" | "/") power)*
    power   := ("-" | "+") power | atom ["^" power]
    atom    := number | name | name "(" sum ("," sum)* ")" | "(" sum ")"

Source: the guide to graders, on `calculate_output`.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Container, Mapping

TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|([-+*/^(),]))")
FUNCTIONS: dict[str, Callable[..., float]] = {
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "log": math.log,
}
OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": math.pow,
}
MOST_CHARACTERS = 2000
MOST_LEVELS = 50


class FormulaError(ValueError):
    """The text is no formula, or speaks of a name that is not there."""


class NoValue(FormulaError):
    """The formula is one, but has no finite value for these names."""


Names = Mapping[str, float]
Term = Callable[[Names], float]


def calculated(formula: str, names: Names) -> float:
    term = compiled(formula, names)
    try:
        value = float(term(names))
    except (ArithmeticError, TypeError, ValueError) as wrong:
        raise NoValue(str(wrong)) from None
    if not math.isfinite(value):
        raise NoValue("the formula has no finite value")
    return value


def compiled(formula: str, names: Container[str]) -> Term:
    """The formula as a function of the values of `names`."""
    reader = _Reader(_tokens(formula), names)
    term = reader.sum()
    if reader.left:
        raise FormulaError(f"'{reader.left[0]}' stands where the formula should end")
    return term


def _tokens(formula: str) -> list[str]:
    if len(formula) > MOST_CHARACTERS:
        raise FormulaError(f"a formula has at most {MOST_CHARACTERS} characters")
    found, at, end = [], 0, len(formula.rstrip())
    while at < end:
        token = TOKEN.match(formula, at)
        if token is None:
            raise FormulaError(f"'{formula[at:].strip()[:1]}' means nothing in a formula")
        found.append(token[0].strip())
        at = token.end()
    return found


class _Reader:
    def __init__(self, tokens: list[str], names: Container[str]) -> None:
        self.left, self._names, self._level = tokens, names, 0

    def sum(self) -> Term:
        return self._chain(self._product, "+-")

    def _product(self) -> Term:
        return self._chain(self._power, "*/")

    def _chain(self, read: Callable[[], Term], signs: str) -> Term:
        first, rest = read(), []
        while self._next() and self._next() in signs:
            rest.append((OPERATORS[self._taken()], read()))
        return _folded(first, rest) if rest else first

    def _power(self) -> Term:
        self._level += 1
        if self._level > MOST_LEVELS:
            raise FormulaError(f"a formula has at most {MOST_LEVELS} levels")
        if self._next() in ("-", "+"):
            sign = OPERATORS[self._taken()]
            term = _joined(sign, lambda _: 0.0, self._power())
        else:
            term = self._atom()
            if self._next() == "^":
                term = _joined(OPERATORS[self._taken()], term, self._power())
        self._level -= 1
        return term

    def _atom(self) -> Term:
        token = self._taken()
        if token == "(":
            term = self.sum()
            self._expect(")")
            return term
        if token[0].isdigit() or token[0] == ".":
            return _constant(float(token))
        if token in FUNCTIONS and self._next() == "(":
            return self._call(FUNCTIONS[token])
        if token not in self._names:
            raise FormulaError(f"'{token}' is no grader here, no function and no number")
        return lambda names: names[token]

    def _call(self, function: Callable[..., float]) -> Term:
        self._expect("(")
        arguments = [self.sum()]
        while self._next() == ",":
            self._taken()
            arguments.append(self.sum())
        self._expect(")")
        return lambda names: function(*(argument(names) for argument in arguments))

    def _next(self) -> str:
        return self.left[0] if self.left else ""

    def _taken(self) -> str:
        if not self.left:
            raise FormulaError("the formula ends too early")
        return self.left.pop(0)

    def _expect(self, token: str) -> None:
        found = self._taken()
        if found != token:
            raise FormulaError(f"'{found}' stands where '{token}' should")


def _joined(join: Callable[[float, float], float], left: Term, right: Term) -> Term:
    return lambda names: join(left(names), right(names))


def _folded(first: Term, rest: list[tuple[Callable[[float, float], float], Term]]) -> Term:
    """From left to right, in a loop: a long sum is not a deep one."""

    def term(names: Names) -> float:
        value = first(names)
        for join, other in rest:
            value = join(value, other(names))
        return value

    return term


def _constant(value: float) -> Term:
    return lambda _: value
