"""Departures in how keys are checked, and in what a refused key is told."""

from __future__ import annotations

from dataclasses import replace

from wireproof.standin.backend import DEFAULT_KEY
from wireproof.standin.faults import fault
from wireproof.standin.faults.edit import edit_error
from wireproof.standin.wire import Answer, Ask, Serve


def _with_key(ask: Ask) -> Ask:
    """The same request with the right key."""
    others = tuple(pair for pair in ask.headers if pair[0] != "authorization")
    return replace(ask, headers=(*others, ("authorization", f"Bearer {DEFAULT_KEY}")))


def _key(ask: Ask) -> str:
    return (ask.header("authorization") or "").partition(" ")[2]


@fault("auth.open", breaks="auth.none")
def no_key_is_needed(ask: Ask, serve: Serve) -> Answer:
    """A request without a key is served."""
    return serve(ask if _key(ask) else _with_key(ask))


@fault("auth.any-key", breaks="auth.wrong")
def any_key_will_do(ask: Ask, serve: Serve) -> Answer:
    """Any key is taken, as long as there is one."""
    return serve(_with_key(ask) if _key(ask) else ask)


@fault("auth.prefix", breaks="auth.wrong")
def a_prefix_will_do(ask: Ask, serve: Serve) -> Answer:
    """Keys are compared as far as the shorter one goes."""
    key = _key(ask)
    is_alike = bool(key) and (DEFAULT_KEY.startswith(key) or key.startswith(DEFAULT_KEY))
    return serve(_with_key(ask) if is_alike else ask)


@fault("auth.forbidden", breaks="auth.status")
def a_bad_key_is_a_403(ask: Ask, serve: Serve) -> Answer:
    """A missing or wrong key is answered 403."""
    return _instead_of_401(ask, serve, 403)


@fault("auth.crash", breaks="auth.status")
def a_bad_key_is_a_500(ask: Ask, serve: Serve) -> Answer:
    """A missing or wrong key is answered 500."""
    return _instead_of_401(ask, serve, 500)


def _instead_of_401(ask: Ask, serve: Serve, status: int) -> Answer:
    answer = serve(ask)
    return replace(answer, status=status) if answer.status == 401 else answer


@fault("auth.type-own", breaks="auth.type")
def the_type_is_their_own(ask: Ask, serve: Serve) -> Answer:
    """The type of a 401 is `auth_error`."""
    answer = serve(ask)
    return edit_error(answer, lambda body: body["error"].update(type="auth_error")) if answer.status == 401 else answer


@fault("auth.codeless", breaks="auth.code")
def a_wrong_key_has_no_code(ask: Ask, serve: Serve) -> Answer:
    """The code of a 401 is null."""
    answer = serve(ask)
    return edit_error(answer, lambda body: body["error"].update(code=None)) if answer.status == 401 else answer


@fault("auth.vectors-open", breaks="auth.none")
def vectors_need_no_key(ask: Ask, serve: Serve) -> Answer:
    """A request for vectors without a key is served: the check was forgotten on that route."""
    return serve(_with_key(ask) if not _key(ask) and ask.path.endswith("/embeddings") else ask)


@fault("auth.responses-open", breaks="auth.none")
def responses_need_no_key(ask: Ask, serve: Serve) -> Answer:
    """A response without a key is served."""
    return serve(_with_key(ask) if not _key(ask) and ask.path.endswith("/responses") else ask)
