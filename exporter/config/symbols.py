"""The symbols that a configuration lists, each once and as Binance writes it."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from exporter.config.file import expected, refusal

Symbol = Annotated[
    str,
    # Binance has traded assets named in Han; {1,64} in the pattern would take 7 MiB
    Field(pattern=r"^[\p{Lu}\p{Lo}\p{N}_]+$", max_length=64),
    expected("a symbol as Binance writes it, such as BTCUSD"),
]

_SYMBOL: TypeAdapter[str] = TypeAdapter(Symbol)


@dataclass(frozen=True)
class _Repeated:
    """Takes the place of a symbol that the list has already, to be reported at that place."""

    symbol: str


def mark_repeated(symbols: object) -> object:
    """Replace what a list repeats, so that it is reported together with the list's other errors."""
    if not isinstance(symbols, list | tuple):
        return symbols
    seen: set[str] = set()
    marked: list[object] = []
    for each in symbols:
        if isinstance(each, str):
            marked.append(_Repeated(each) if each in seen else each)
            seen.add(each)
        else:
            marked.append(each)
    return marked


def _not_repeated(symbol: object) -> object:
    if isinstance(symbol, _Repeated):
        raise refusal(f"expected each symbol once, got {symbol.symbol} twice")
    return symbol


Symbols = Annotated[
    tuple[Annotated[Symbol, BeforeValidator(_not_repeated)], ...],
    Field(strict=False),
    BeforeValidator(mark_repeated),
]


def is_symbol(text: str) -> bool:
    """Return whether a text is written like Binance's symbols."""
    try:
        _SYMBOL.validate_python(text)
    except ValidationError:
        return False
    return True
