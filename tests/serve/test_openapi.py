"""The OpenAPI document: true to what is served, and drawn bodies break no server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from tests.profiles import examples
from tests.serve.conftest import serving
from tests.serve.test_behaviours import connect

from ethogram.serve.bodies import SETTINGS, ChatBody, CompletionBody, EmbeddingsBody, ResponsesBody
from ethogram.serve.server import Server
from ethogram.serve.service import Limits
from ethogram.study import Study

PATHS = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings")


def document_of(server: Server) -> dict[str, Any]:
    connection = connect(server)
    connection.request("GET", "/openapi.json")
    reply = connection.getresponse()
    assert reply.status == 200
    made: dict[str, Any] = json.loads(reply.read())
    connection.close()
    return made


@pytest.fixture(scope="module")
def small(study: Study) -> Iterator[Server]:
    """A server that takes few outputs of few tokens at a time, so that drawn bodies end soon."""
    limits = Limits(max_rows=8, max_waiting=8, max_tokens=120, max_body=100_000, timeout=60)
    with serving(study, limits) as made:
        yield made


@pytest.mark.long
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_drawn_request_is_the_servers_fault(
    small: Server, path: str, mode: GenerationMode, data: st.DataObject
) -> None:
    operations = schemathesis.openapi.from_dict(document_of(small))
    case: Any = data.draw(operations[path]["POST"].as_strategy(generation_mode=mode))
    case.call_and_validate(
        base_url=small.url,
        checks=[
            checks.not_a_server_error,
            checks.status_code_conformance,
            checks.content_type_conformance,
            checks.response_schema_conformance,
        ],
        timeout=60,
    )


def test_each_field_of_a_body_is_in_the_document(small: Server) -> None:
    schemas = document_of(small)["components"]["schemas"]
    for body in (ChatBody, CompletionBody, ResponsesBody, EmbeddingsBody):
        renamed = {"messages": "input", "max_tokens": "max_output_tokens", "n": "model"}
        names = set(body.model_fields)
        if body is ResponsesBody:
            names = {renamed.get(name, name) for name in names}
        if body is not EmbeddingsBody:
            names |= set(SETTINGS)
        assert names <= set(schemas[body.__name__]["properties"])


def test_every_reference_of_the_document_is_in_it(small: Server) -> None:
    made = document_of(small)
    text = json.dumps(made)
    referred = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert referred == set(made["components"]["schemas"]) & referred
    assert set(PATHS) <= set(made["paths"])
    assert made["components"]["schemas"]["ChatBody"]["properties"]["model"]["enum"] == [
        *small.service.catalogue.names
    ]
