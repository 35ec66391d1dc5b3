"""Endpoint: the address of an API, its key, and how this machine sends requests to it.

The key is read from the environment, sent to the endpoint, and neither stored nor shown. A study
names addresses, and a study may come from somebody else: a version's endpoint therefore gets a key
only if the environment of this machine names one for its host.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ethogram.backends.addresses import is_refused
from ethogram.errors import BackendError, SpecError
from ethogram.spec.source import parse_json, suggest

URL_VARIABLE = "OPENAI_BASE_URL"
KEY_VARIABLE = "OPENAI_API_KEY"
#: Options of this machine for the endpoints of versions, a JSON object.
VARIABLE = "ETHOGRAM_ENDPOINT"
#: The openai package's default address; only there is a key always needed.
DEFAULT_URL = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The server of a model, and how to send requests to it.

    Attributes:
        base_url: address of the API, up to `/v1`; default OPENAI_BASE_URL, then OpenAI's own.
        api_key: default OPENAI_API_KEY. Sent to the endpoint, and neither stored nor shown.
        concurrency: requests in flight at once. Eight keep a local server's batch filled and stay
            below common rate limits.
        timeout: seconds for one answer. A server that answers nothing at all for so long ends the
            work; one that answers others meanwhile is asked again.
        retries: further tries after a refused connection, a time-out, 408, 409, 429 or 5xx; they
            wait half a second, one, two, …, or as long as Retry-After requires, each with jitter.
    """

    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    concurrency: int = 8
    timeout: float = 120.0
    retries: int = 4

    @property
    def address(self) -> str:
        """The base URL, or that of the environment."""
        return self.base_url or os.environ.get(URL_VARIABLE) or DEFAULT_URL


@dataclass(frozen=True, slots=True)
class Budget:
    """What one run may spend at endpoints; nothing is sent that could exceed it.

    Attributes:
        tokens: prompt and completion tokens together.
        money: in the currency of the prices.
        prices: of a million prompt tokens and a million completion tokens, by the model's name.
    """

    tokens: int | None = None
    money: float | None = None
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MachineOptions:
    """What the environment variable ETHOGRAM_ENDPOINT sets.

    Attributes:
        endpoint: concurrency, time-out and retries.
        budget: for one run.
        keys: the environment variable that holds the key of a host (`host` or `host:port`).
    """

    endpoint: Endpoint = Endpoint()
    budget: Budget = Budget()
    keys: Mapping[str, str] = field(default_factory=dict)


_BOUNDS: dict[str, tuple[float, float, bool]] = {  # Lowest, highest, and whether it is whole.
    "concurrency": (1, 256, True),
    "timeout": (0.1, 86_400, False),
    "retries": (0, 20, True),
    "token_budget": (1, math.inf, True),
    "money_budget": (0, math.inf, False),
}


def machine_options() -> MachineOptions:
    """The options of the environment variable ETHOGRAM_ENDPOINT.

    Raises:
        SpecError: it is not a JSON object, or an option is unknown or out of bounds.
    """
    hint = 'write for example {"concurrency": 16, "timeout": 60}'
    found = parse_json(os.environ.get(VARIABLE) or "{}", VARIABLE, hint=hint)
    if not isinstance(found, dict):
        raise SpecError(
            f"must be a JSON object, got {type(found).__name__}", where=VARIABLE, hint=hint
        )
    names = [*_BOUNDS, "keys", "prices"]
    for name in found:
        if name not in names:
            raise SpecError(
                f"{name!r} is not an option", where=VARIABLE, hint=suggest(str(name), names)
            )
    numbers = {name: _number(name, found[name]) for name in _BOUNDS if name in found}
    tokens = numbers.pop("token_budget", None)
    return MachineOptions(
        Endpoint(
            concurrency=int(numbers.get("concurrency", Endpoint().concurrency)),
            timeout=numbers.get("timeout", Endpoint().timeout),
            retries=int(numbers.get("retries", Endpoint().retries)),
        ),
        Budget(
            None if tokens is None else int(tokens),
            numbers.get("money_budget"),
            _prices(found.get("prices", {})),
        ),
        _keys(found.get("keys", {})),
    )


def _number(name: str, value: Any) -> float:
    low, high, whole = _BOUNDS[name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        most = "" if math.isinf(high) else f" to {high:g}"
        raise SpecError(f"{name} must be {kind} from {low:g}{most}", where=VARIABLE)
    return float(value)


def _prices(found: Any) -> dict[str, tuple[float, float]]:
    hint = 'write {"prices": {"MODEL": [0.25, 2]}}: of a million prompt and completion tokens'
    prices = {}
    for model, pair in (found if isinstance(found, dict) else {"": None}).items():
        if not isinstance(pair, list) or len(pair) != 2 or not all(map(_is_price, pair)):
            raise SpecError("prices must be two numbers a model", where=VARIABLE, hint=hint)
        prices[str(model)] = (float(pair[0]), float(pair[1]))
    return prices


def _is_price(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value < math.inf


def _keys(found: Any) -> dict[str, str]:
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise SpecError(
            "keys must be hosts, each with the name of a variable",
            where=VARIABLE,
            hint='write {"keys": {"api.example.com": "EXAMPLE_API_KEY"}}',
        )
    return {str(host).lower(): name for host, name in found.items()}


def endpoint_of(base_url: str | None, options: MachineOptions) -> Endpoint:
    """The endpoint of a version: its address, this machine's options, and a key if one is meant.

    OPENAI_API_KEY goes to OpenAI, and to the address of OPENAI_BASE_URL. Any other host gets the
    key that `keys` names for it, or none.

    Raises:
        BackendError: not an address.
        SpecError: the variable that `keys` names is not set.
    """
    endpoint = replace(options.endpoint, base_url=base_url)
    host = _host(endpoint.address)
    for name in (host, host.rpartition(":")[0]):
        if name and name in options.keys:
            variable = options.keys[name]
            if variable not in os.environ:
                raise SpecError(f"{variable}, the key of {name}, is not set", where=VARIABLE)
            return replace(endpoint, api_key=os.environ[variable])
    trusted = {_host(DEFAULT_URL), _host(os.environ.get(URL_VARIABLE) or DEFAULT_URL)}
    key = os.environ.get(KEY_VARIABLE, "") if host in trusted else ""
    return replace(endpoint, api_key=key)


def _host(address: str) -> str:
    """Host and port, in lower case."""
    shown_address(address)
    parts = urlsplit(address)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.hostname}:{port}".lower()


def shown_address(address: str) -> str:
    """An address without a user, password or query in it.

    Raises:
        BackendError: it is not one, or is link-local, where clouds keep the secrets of a machine.
    """
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        usable, port = None, ""
    if not usable or is_refused(str(parts.hostname)):
        raise BackendError(
            "not an API address",
            where="base URL",
            hint="write it like http://localhost:8000/v1",
        )
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    return urlunsplit((parts.scheme, f"{host}{port}", parts.path.rstrip("/"), "", ""))
