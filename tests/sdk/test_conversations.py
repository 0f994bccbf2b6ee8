"""`client.conversations` against the stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import openai
import pytest

from wireproof.standin.serve import StandIn


def said(*texts: str) -> Any:
    return [{"type": "message", "role": "user", "content": text} for text in texts]


def texts(items: Any) -> list[str]:
    return [item.content[0].text for item in items]


def test_a_conversation_is_made_renamed_and_forgotten(client: openai.OpenAI) -> None:
    made = client.conversations.create(items=said("one"), metadata={"a": "b"})
    assert client.conversations.retrieve(made.id) == made
    assert client.conversations.update(made.id, metadata={"c": "d"}).metadata == {"c": "d"}
    assert client.conversations.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.conversations.retrieve(made.id)


def test_its_items_are_walked_through_in_both_orders(client: openai.OpenAI) -> None:
    id = client.conversations.create().id
    names = [str(number) for number in range(15)]
    added = client.conversations.items.create(id, items=said(*names))
    assert texts(added.data) == names
    assert texts(client.conversations.items.list(id, limit=4, order="asc")) == names
    assert texts(client.conversations.items.list(id, limit=4)) == names[::-1]
    last = added.data[-1].id
    assert last is not None
    assert texts([client.conversations.items.retrieve(last, conversation_id=id)]) == ["14"]
    assert client.conversations.items.delete(last, conversation_id=id).id == id
    assert texts(client.conversations.items.list(id, order="asc")) == names[:-1]


def test_responses_meet_in_a_conversation(client: openai.OpenAI, standin: StandIn) -> None:
    id = client.conversations.create().id
    client.responses.create(model=standin.model, input="Say: one", conversation=id)
    with client.responses.stream(model=standin.model, input="Say: two", conversation={"id": id}) as stream:
        assert stream.get_final_response().conversation
    assert texts(client.conversations.items.list(id, order="asc")) == ["Say: one", "one", "Say: two", "two"]


def test_every_kind_of_item_can_be_kept(client: openai.OpenAI) -> None:
    image = "data:image/png;base64,aaaa"
    items: Any = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "input_image", "image_url": image, "detail": "low"}]},
        {"role": "assistant", "content": "Hm."},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "7"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "x"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "y"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "So."}]},
        {"type": "shell_call", "call_id": "c3", "action": {"commands": ["ls"]}},
        {
            "type": "shell_call_output",
            "call_id": "c3",
            "output": [{"stdout": "x", "stderr": "", "outcome": {"type": "timeout"}}],
        },
        {
            "type": "apply_patch_call",
            "call_id": "c4",
            "status": "completed",
            "operation": {"type": "delete_file", "path": "a"},
        },
        {"type": "apply_patch_call_output", "call_id": "c4", "status": "failed"},
        {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True},
        {"type": "compaction", "encrypted_content": "abc"},
    ]
    id = client.conversations.create(items=items).id
    listed: Any = list(client.conversations.items.list(id, order="asc", include=["message.input_image.image_url"]))
    assert [item.type for item in listed] == [item.get("type", "message") for item in items]
    assert listed[1].content[0].image_url == image


def test_the_async_client_does_all_of_it(async_client: Callable[[], openai.AsyncOpenAI]) -> None:
    async def everything() -> None:
        async with async_client() as client:
            made = await client.conversations.create(items=said("one"))
            added = await client.conversations.items.create(made.id, items=said("two"))
            item = await client.conversations.items.retrieve(added.data[0].id or "", conversation_id=made.id)
            assert texts([item]) == ["two"]
            walked = [one async for one in client.conversations.items.list(made.id, limit=1, order="asc")]
            assert texts(walked) == ["one", "two"]
            await client.conversations.items.delete(item.id or "", conversation_id=made.id)
            assert (await client.conversations.update(made.id, metadata={"a": "b"})).metadata == {"a": "b"}
            assert (await client.conversations.retrieve(made.id)).id == made.id
            assert (await client.conversations.delete(made.id)).deleted

    asyncio.run(everything())
