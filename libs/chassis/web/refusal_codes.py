"""Find the codes that a decision may refuse a command with, in the code that it reaches."""

from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType, ModuleType

from typing_extensions import TypeIs

from contracts.channels import DEPARTMENTS
from contracts.refusals import REFUSALS, RefusalCode

_PACKAGES = {"chassis", "common", "contracts", *DEPARTMENTS}


def codes_of(decision: object) -> list[RefusalCode]:
    """Return the codes of refusals and conditions in a function and all that it uses, sorted.

    Follows functions, classes, tables and modules by the names that the code has for them, within
    the packages that know refusals. Some of the codes may not be possible for the command: a
    function that is shared may have codes for other commands.
    """
    found: set[RefusalCode] = set()
    seen: set[int] = set()
    upcoming: list[object] = [decision]
    while upcoming:
        each = upcoming.pop()
        if isinstance(each, str):
            if _is_code(each):
                found.add(each)
        elif id(each) not in seen:
            seen.add(id(each))
            upcoming += _used_by(each)
    return sorted(found)


def _is_code(text: str) -> TypeIs[RefusalCode]:
    return text in REFUSALS


def _used_by(thing: object) -> Iterable[object]:
    match thing:
        case list() | tuple() | set() | frozenset():
            return thing
        case dict():
            return (*thing, *thing.values())
        case type() if _is_ours(thing):
            return [each for each in vars(thing).values() if isinstance(each, FunctionType)]
        case FunctionType() if _is_ours(thing):
            cells = [each.cell_contents for each in thing.__closure__ or ()]
            wrapped = getattr(thing, "__wrapped__", None)
            return (*cells, wrapped, *_named_in(thing.__code__, thing.__globals__))
        case _:
            return ()


def _is_ours(thing: type | FunctionType) -> bool:
    return thing.__module__.partition(".")[0] in _PACKAGES


def _named_in(code: CodeType, names: dict[str, object]) -> Iterator[object]:
    """Yield the constants of a code, and what its names mean in a module and in those it names."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _named_in(constant, names)
        else:
            yield constant
    modules = [known for name in code.co_names if isinstance(known := names.get(name), ModuleType)]
    for name in code.co_names:
        yield names.get(name)
        for module in modules:
            yield getattr(module, name, None)
