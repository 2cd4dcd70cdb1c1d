"""The parameters of the classifiers: the fields of Recipe and a few more, each defined once.

At run time a signature is made from the fields; scikit-learn, `help` and notebooks read it. Editors and type checkers
do not run the program: for them `python -m tests.signatures` (make signatures) writes the same signature as text.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from limpide.core.errors import UsageError, nearest
from limpide.core.recipe import Recipe
from limpide.text.messages import N_

RENAMED = {"fit": "resize"}  # choices of the recipe that would hide a method of the estimator

Init = Callable[..., None]


def with_choices(*, without: tuple[str, ...] = (), **defaults: Any) -> Callable[[Init], Init]:
    """Add the choices of a recipe to the keyword-only parameters of an __init__, and accept the names that other
    libraries give them.

    without: parameters that are left out · defaults: those with a default other than the recipe's. Values are stored as
    they come. Raises UsageError for an unknown name.
    """

    def decorate(init: Init) -> Init:
        own = inspect.signature(init)
        choices = _choice_parameters(without, defaults)
        (self_parameter, *own_parameters) = own.parameters.values()

        @wraps(init)
        def init_with_choices(self: Any, **given: Any) -> None:
            values = _by_parameter(type(self), given)
            for parameter in choices:
                setattr(self, parameter.name, values.pop(parameter.name, parameter.default))
            init(self, **values)

        signature = own.replace(parameters=[self_parameter, *choices, *own_parameters])
        init_with_choices.__signature__ = signature  # type: ignore[attr-defined]
        return init_with_choices

    return decorate


def _choice_parameters(without: tuple[str, ...], defaults: dict[str, Any]) -> list[inspect.Parameter]:
    found = []
    for choice in dataclasses.fields(Recipe):
        name = RENAMED.get(choice.name, choice.name)
        if name not in without:
            accepts = choice.metadata["accepts"]
            annotation = f"{accepts} | {choice.type}" if accepts else str(choice.type)
            default = defaults.get(name, choice.default)
            found.append(
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            )
    return found


def _by_parameter(estimator: type, given: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in given.items():
        if (parameter := parameter_named(estimator, name)) in values:
            raise UsageError("L113", where=f"{name}={value}")
        values[parameter] = value
    return values


def parameter_named(estimator: Any, name: str) -> str:
    """The parameter of this name, here or in other libraries. Raises UsageError with the nearest one."""
    own = estimator._get_param_names()
    known = {parameter: parameter for parameter in own}
    for choice in dataclasses.fields(Recipe):
        if (parameter := RENAMED.get(choice.name, choice.name)) in own:
            known |= dict.fromkeys((choice.name, *choice.metadata["also"]), parameter)
    if name not in known:
        guess = nearest(name, known)
        todo = N_("did you mean {guess}?") if guess else N_("see limpide train --help")
        raise UsageError("L101", where=name, todo=todo, guess=guess)
    return known[name]


def choices_of(parameters: dict[str, Any]) -> dict[str, Any]:
    """The values of an estimator's parameters, by their names in a recipe."""
    names = {choice.name: RENAMED.get(choice.name, choice.name) for choice in dataclasses.fields(Recipe)}
    return {name: parameters[parameter] for name, parameter in names.items() if parameter in parameters}
