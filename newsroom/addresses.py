"""E-mail addresses in one spelling. Two spellings of one mailbox must not count as two addresses, nor may two mailboxes
ever look like one: identity, consent and limits all compare addresses for equality."""

import idna
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

NOT_COMPLETE = _("Das ist keine vollständige E-Mail-Adresse. Beispiel: name@example.org")


def canonical_address(address: str) -> str:
    """Lower case, the domain as it goes over the wire (IDNA 2008 with UTS 46 mapping: no soft hyphens, no full-width
    letters). Raises ValueError where that is impossible, and for a local part beyond ASCII, which SMTP without
    SMTPUTF8 cannot carry and whose lower case depends on whom one asks.

    Never compare with iexact instead: PostgreSQL's UPPER('ı') is 'I', and vera@gmaıl.com was vera@gmail.com.
    """
    local, _at, domain = address.strip().rpartition("@")
    if not local or not local.isascii():
        raise ValueError(address)
    return f"{local}@{idna.encode(domain, uts46=True).decode()}".lower()  # idna.IDNAError is a ValueError


class AddressField(forms.EmailField):
    """An e-mail address, returned in its canonical spelling."""

    default_error_messages = {"invalid": NOT_COMPLETE}

    def clean(self, value: str) -> str:
        address = super().clean(value)
        if not address:
            return ""
        try:
            address = canonical_address(address)
        except ValueError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        if len(address) > 254:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return address


def limit_key(address: str) -> str:
    """What limits on an address count by: name+anything@ reaches name@."""
    local, _at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
