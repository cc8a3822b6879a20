from django import forms
from django.utils.translation import gettext_lazy as _

from newsroom.addresses import AddressField
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
    email = AddressField(
        label=_("E-Mail"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        max_length=254,
        error_messages={
            "required": _("Bitte nennen Sie die E-Mail-Adresse, an die wir schreiben dürfen."),
        },
    )
