from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from moderation.models import Notice
from newsroom.addresses import AddressField
from newsroom.text.characters import normalise, normalise_line, shows_something

REASON_LIMIT = 3000


class NoticeForm(forms.Form):
    """What a notice must hold (DSA Art. 16(2)); name and address may be left out for child sexual abuse."""

    kind = forms.ChoiceField(
        label=_("Worum geht es?"),
        choices=Notice.Kind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Bitte wählen Sie, worum es geht.")},
    )
    reason = forms.CharField(
        label=_("Begründung"),
        max_length=REASON_LIMIT,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Bitte sagen Sie in ein, zwei Sätzen, was daran nicht in Ordnung ist.")},
    )
    url = forms.URLField(label=_("Adresse des Kommentars"), max_length=300, assume_scheme="https")
    name = forms.CharField(
        label=_("Name"), max_length=80, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = AddressField(
        label=_("E-Mail"),
        max_length=254,
        required=False,
    )
    good_faith = forms.BooleanField(
        label=_("Ich melde dies nach bestem Wissen; meine Angaben sind richtig und vollständig."),
        error_messages={"required": _("Bitte bestätigen Sie, dass Sie nach bestem Wissen melden.")},
    )
    use_required_attribute = False

    def clean_reason(self) -> str:
        return _said(self, "reason")

    def clean_name(self) -> str:
        name = normalise_line(self.cleaned_data["name"])
        MaxLengthValidator(self.fields["name"].max_length)(name)  # normalising can lengthen it
        return name if shows_something(name) else ""

    def clean(self) -> dict:
        cleaned = super().clean()
        if cleaned.get("kind") != Notice.Kind.ABUSE:
            if not cleaned.get("name") and "name" not in self.errors:
                self.add_error(
                    "name", _("Bitte nennen Sie Ihren Namen. Wer den Kommentar geschrieben hat, erfährt ihn nicht.")
                )
            if not cleaned.get("email") and "email" not in self.errors:
                self.add_error("email", _("Bitte nennen Sie Ihre E-Mail-Adresse, damit wir Ihnen antworten können."))
        return cleaned


class RemovalForm(forms.Form):
    """Nobody's words disappear without a reason (DSA Art. 17)."""

    reason = forms.CharField(
        label=_("Grund"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 80}),
        help_text=_(
            "Zum Beispiel die Hausregel, gegen die der Kommentar verstößt."
            " Wer ihn geschrieben und wer ihn gemeldet hat, bekommt das wörtlich per Mail."
        ),
        error_messages={"required": _("Bitte nennen Sie einen Grund.")},
    )
    is_spam = forms.BooleanField(
        label=_("Massenhafte Werbung (wer sie geschrieben hat, bekommt keine Mail)"), required=False
    )

    def clean_reason(self) -> str:
        return _said(self, "reason")


def _said(form: forms.Form, name: str) -> str:
    """The field's text normalised; one that shows nothing is missing."""
    text = normalise(form.cleaned_data[name])
    if not shows_something(text):
        raise ValidationError(form.fields[name].error_messages["required"], code="required")
    return text
