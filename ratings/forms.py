from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

STARS = [(str(n), ngettext("%d Stern", "%d Sterne", n) % n) for n in range(1, 6)]


class RatingForm(forms.Form):
    """A closed choice: a star of ten thousand digits is no star (Stars Rating, CVE-2021-24893)."""

    stars = forms.ChoiceField(
        label=_("Artikel bewerten"),
        choices=STARS,
        error_messages={
            "required": _("Bitte wählen Sie einen bis fünf Sterne."),
            "invalid_choice": _("Bitte wählen Sie einen bis fünf Sterne."),
        },
    )
