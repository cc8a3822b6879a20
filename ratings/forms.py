from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

_label = lazy(lambda n: ngettext("%d Stern", "%d Sterne", n) % n, str)  # in the language of the page it stands on
STARS = [(str(n), _label(n)) for n in range(1, 6)]


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
