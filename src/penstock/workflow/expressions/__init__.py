"""`{{=expressions}}`: expr-lang's grammar, its functions, sprig's and Argo's own, evaluated without Python's help.

An expression comes with a document, from strangers: its size, depth, steps and results are bounded, its patterns are
RE2, and it reaches nothing but the values that it is given. Functions that read a clock or chance are not there.
"""

from __future__ import annotations

from penstock.workflow.expressions.evaluation import Flat, Variables, evaluate
from penstock.workflow.expressions.syntax import ExpressionError, TooMuch, names, parse
from penstock.workflow.expressions.vocabulary import known_function

__all__ = ["ExpressionError", "Flat", "TooMuch", "Variables", "evaluate", "known_function", "names", "parse"]
