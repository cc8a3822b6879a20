from functools import cache
from importlib import resources

from django import forms
from django.conf import settings
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from newsroom.addresses import AddressField
from subscriptions.models import Recipient, Subscription
from subscriptions.rhythm import Rhythm


class SubscriptionForm(forms.Form):
    use_required_attribute = False

    kind = forms.ChoiceField(
        label=_("Benachrichtige mich bei"),
        choices=[(kind, kind.ticked) for kind in Subscription.Kind],
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


class RhythmForm(forms.Form):
    rhythm = forms.ChoiceField(
        label=_("Wie oft"), choices=Rhythm.choices, initial=Rhythm.AT_ONCE, required=False, widget=forms.RadioSelect
    )

    def clean_rhythm(self) -> str:
        return self.cleaned_data["rhythm"] or Rhythm.AT_ONCE


class AddressForm(forms.Form):
    use_required_attribute = False

    email = AddressField(
        label=_("E-Mail"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"required": _("Bitte nennen Sie die E-Mail-Adresse, um die es geht.")},
    )


def _zones() -> list[tuple[str, str]]:
    """The reader's own first: most live where the newspaper does."""
    usual = _shown(settings.TIME_ZONE)
    return [("", _("wie diese Seite (%s)") % usual), *((name, _shown(name)) for name in _places())]


@cache
def _places() -> list[str]:
    """Under their names of today: a place that was renamed stands there once."""
    table = resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8")
    return sorted(line.split("\t")[2] for line in table.splitlines() if not line.startswith("#"))


def _shown(zone: str) -> str:
    return zone.replace("_", " ")


class LongSelect(forms.Select):
    """A choice of hundreds, printed at once: Django renders a template for each option, 40 ms for all time zones."""

    def render(self, name: str, value: str | None, attrs: dict | None = None, renderer: object = None) -> SafeString:
        chosen = value or ""
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            ((option, SafeString(" selected" if option == chosen else ""), label) for option, label in self.choices),
        )
        attributes = flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name}))
        return format_html("<select{}>{}</select>", attributes, options)


class RecipientForm(forms.ModelForm):
    use_required_attribute = False

    time_zone = forms.ChoiceField(label=_("Zeitzone"), choices=_zones, required=False, widget=LongSelect)

    class Meta:
        model = Recipient
        fields = ["daily_at", "quiet_from", "quiet_until", "time_zone", "language"]
        widgets = {
            name: forms.TimeInput(format="%H:%M", attrs={"type": "time"})
            for name in ("daily_at", "quiet_from", "quiet_until")
        }
        labels = {"language": _("Sprache der Mails")}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        usual = dict(settings.LANGUAGES)[settings.LANGUAGE_CODE]
        own = self.instance.time_zone
        if own and own not in _places():  # chosen under an older name
            self.fields["time_zone"].choices = [*_zones(), (own, _shown(own))]
        self.fields["language"].choices = [("", _("wie diese Seite (%s)") % usual), *settings.LANGUAGES]

    def clean(self) -> dict:
        cleaned = super().clean()
        one, other = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        for name, missing in (("quiet_until", one and not other), ("quiet_from", other and not one)):
            if missing and name not in self.errors:
                self.add_error(name, _("Ruhe braucht Anfang und Ende. Lassen Sie beides leer, wenn Sie keine möchten."))
        return cleaned
