"""What `headway.ports.store` promises of documents, asked of every adapter."""

from __future__ import annotations

import asyncio

import pytest

from headway.errors import InvalidField
from headway.ports.store import Document, Store, Writes
from tests.contract.store_records import make_task


def make_document(document_id: str, owner: str = "ada", kind: str = "share", **fields: object) -> Document:
    return Document(kind, document_id, owner, **{"data": "{}", **fields})  # type: ignore[arg-type]


async def keep(store: Store, *documents: Document) -> None:
    await store.write(Writes(documents=documents))


async def ids(
    store: Store, kind: str = "share", owner: str | None = None, after: str = "", limit: int = 100
) -> list[str]:
    return [document.id for document in await store.documents(kind, owner, after=after, limit=limit)]


async def test_one_is_read_by_kind_and_id(store: Store) -> None:
    share = make_document("a", data='{"task":"t"}', expires_at=5)
    key = make_document("a", kind="key")
    await keep(store, share, key)
    assert await store.document("share", "a") == share
    assert await store.document("key", "a") == key
    assert await store.document("share", "A") is None


async def test_a_later_one_takes_its_place(store: Store) -> None:
    await keep(store, make_document("a", expires_at=5))
    later = make_document("a", owner="bob", data="[1]")
    await keep(store, later)
    assert await store.documents("share") == (later,)


async def test_they_are_listed_by_id_and_owner(store: Store) -> None:
    await keep(
        store, *(make_document(name, owner) for name, owner in (("c", "ada"), ("a", "ada"), ("b", "bob")))
    )
    await keep(store, make_document("d", kind="key"))
    assert await ids(store) == ["a", "b", "c"]
    assert await ids(store, owner="ada") == ["a", "c"]
    assert await ids(store, after="a", limit=1) == ["b"]
    assert await ids(store, owner="ada", after="a") == ["c"]
    assert await ids(store, owner="carl") == []


async def test_what_is_dropped_is_gone_and_may_come_again_in_the_same_write(store: Store) -> None:
    await keep(store, make_document("a"), make_document("b"))
    await store.write(
        Writes(documents=[make_document("b", data="[2]")], dropped=[("share", "a"), ("share", "b")])
    )
    assert await store.documents("share") == (make_document("b", data="[2]"),)


async def test_writes_of_one_group_keep_their_order(store: Store) -> None:
    await asyncio.gather(
        store.write(Writes(documents=[make_document("a"), make_document("b")])),
        store.write(Writes(dropped=[("share", "a")])),
        store.write(Writes(documents=[make_document("c")])),
        store.write(Writes(dropped=[("share", "c")])),
        store.write(Writes(documents=[make_document("c", data="[3]")])),
    )
    assert await store.documents("share") == (make_document("b"), make_document("c", data="[3]"))


async def test_they_go_with_the_records_of_their_write_or_not_at_all(store: Store) -> None:
    with pytest.raises(InvalidField):
        await store.write(Writes([make_task("t", title="half a \ud83d")], documents=[make_document("a")]))
    with pytest.raises(InvalidField):
        await store.write(Writes([make_task("t")], documents=[make_document("a", data="\ud83d")]))
    assert await store.documents("share") == ()
    assert await store.task("t") is None


async def test_exactly_one_takes_it(store: Store) -> None:
    taken = await asyncio.gather(
        store.write(Writes(documents=[make_document("a")])), *(store.take("share", "a") for _ in range(5))
    )
    assert taken[1:] == [True, False, False, False, False]
    assert await store.document("share", "a") is None
    assert not await store.take("share", "never")


async def test_what_has_expired_is_purged(store: Store) -> None:
    await keep(store, make_document("past", expires_at=9), make_document("now", expires_at=10))
    await keep(store, make_document("later", expires_at=11), make_document("ever"))
    assert await store.purge(10) == 2
    assert await ids(store) == ["ever", "later"]
    assert await store.purge(10) == 0


async def test_they_outlive_the_store_being_closed(store: Store) -> None:
    await keep(store, make_document("a"))
    await store.close()
    await store.open()
    assert await ids(store) == ["a"]
