"""The key a form carries: it tells a submission sent twice from two submissions, and how long ago the form was opened.

A page that is the same for everyone carries no key. Scripts fetch one at the first touch of a form; without
scripts the page that asks for confirmation brings one.
"""

import uuid
from dataclasses import dataclass

from django.core.signing import BadSignature, Signer
from django.utils import timezone

_signer = Signer(salt="newsroom.formkey")


@dataclass(frozen=True)
class FormKey:
    id: uuid.UUID
    age: float | None  # seconds since the form was opened; None where confirming it was already a second step


def new_form_key(*, confirmed: bool = False, instead_of: FormKey | None = None) -> str:
    """`instead_of` the key of a form that comes back to its writer: opened when that was."""
    age = instead_of.age if instead_of is not None else 0
    opened = "" if confirmed or age is None else f"{timezone.now().timestamp() - age:.1f}"
    return _signer.sign(f"{uuid.uuid4().hex}~{opened}")


def read_form_key(value: str) -> FormKey | None:
    """None for a value that is not one of ours."""
    try:
        key, opened = _signer.unsign(value).split("~")
    except (BadSignature, ValueError):
        return None
    age = timezone.now().timestamp() - float(opened) if opened else None
    return FormKey(id=uuid.UUID(key), age=age)
