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
    age: float | None  # seconds since the form was opened; None where nobody knows, or it was written before
    asked: float | None = None  # seconds since its writer was asked to confirm it


def new_form_key(*, confirmed: bool = False, asking: bool = False, instead_of: FormKey | None = None) -> str:
    """`instead_of` the key of a form that comes back to its writer: opened when that was. `asking` on a page that asks
    to confirm a form without a key; `confirmed` where what is sent was written before."""
    now = timezone.now().timestamp()
    age = instead_of.age if instead_of is not None else 0
    opened = "" if confirmed or asking or age is None else f"{now - age:.1f}"
    return _signer.sign(f"{uuid.uuid4().hex}~{opened}~{now:.3f}" if asking else f"{uuid.uuid4().hex}~{opened}")


def read_form_key(value: str) -> FormKey | None:
    """None for a value that is not one of ours."""
    try:
        key, *times = _signer.unsign(value).split("~")
    except BadSignature:
        return None
    now = timezone.now().timestamp()
    return FormKey(uuid.UUID(key), *(now - float(time) if time else None for time in times))
