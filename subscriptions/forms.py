from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from subscriptions.models import Subscription


class SubscriptionForm(forms.Form):
    use_required_attribute = False

    kind = forms.ChoiceField(
        label=_("Benachrichtige mich bei"),
        choices=Subscription.Kind.choices,
        initial=Subscription.Kind.ARTICLE,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Bitte wählen Sie, worüber wir Sie benachrichtigen dürfen."),
            "invalid_choice": _("Bitte wählen Sie, worüber wir Sie benachrichtigen dürfen."),
        },
    )
    email = forms.EmailField(
        label=_("E-Mail"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        max_length=254,
        error_messages={
            "required": _("Bitte nennen Sie die E-Mail-Adresse, an die wir schreiben dürfen."),
            "invalid": _("Das ist keine vollständige E-Mail-Adresse. Beispiel: name@example.org"),
        },
    )

    def clean_email(self) -> str:
        email = self.cleaned_data["email"].lower()
        MaxLengthValidator(self.fields["email"].max_length)(email)  # "İ" is two characters in lower case
        return email
