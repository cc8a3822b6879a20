"""The shape of a comment; whether it is published is screening's question."""

from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from articles.models import Article
from articles.passages import RAW_LIMIT
from newsroom.addresses import AddressField
from newsroom.markup import COMMENT_LIMIT
from newsroom.pages.formkey import new_form_key
from newsroom.text.characters import normalise, normalise_line, shows_something
from newsroom.text.links import holds_address, safe_url
from readers.models import Reader
from subscriptions.models import TICKED_FOR_ALL, TICKED_WITH_COMMENT


@dataclass(frozen=True)
class Draft:
    """What somebody wrote, normalised (C4)."""

    body: str
    name: str
    email: str = ""
    website: str = ""
    notify: bool = False


class BodyForm(forms.Form):
    """The words of a comment. Raw lengths are capped well below the upload limit before anything parses them (C2)."""

    # The browser's own bubble would hide our sentence, which says why and what to do.
    use_required_attribute = False

    body = forms.CharField(
        label=_("Kommentar"),
        help_text=_("Möglich sind *kursiv*, **fett**, > Zitat, - Liste und `Code`. Adressen werden zu Links."),
        max_length=COMMENT_LIMIT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={
            "required": _("Bitte schreiben Sie etwas; das Feld ist noch leer."),
            "max_length": _("Ihr Kommentar ist zu lang: %(show_value)d Zeichen, höchstens %(limit_value)d gehen."),
        },
    )
    form_key = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # With maxlength a browser cuts silently what is pasted; the script counts, and the server says it.
        attrs = self.fields["body"].widget.attrs
        attrs["data-limit"] = attrs.pop("maxlength")

    def clean_body(self) -> str:
        body = normalise(self.cleaned_data["body"])
        if not shows_something(body):
            raise ValidationError(self.fields["body"].error_messages["required"], code="required")
        # Normalising can lengthen a text: one character of musical notation becomes three.
        MaxLengthValidator(COMMENT_LIMIT, self.fields["body"].error_messages["max_length"])(body)
        return body


class EditForm(BodyForm):
    """New words for a comment that is there."""

    seen = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)  # which words they began with

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["body"].widget.attrs["autofocus"] = True


class OwnerForm(forms.Form):
    use_required_attribute = False

    email = AddressField(
        label=_("E-Mail"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        max_length=254,
        error_messages={"required": _("Bitte nennen Sie die Adresse, die Sie beim Kommentar angegeben haben.")},
    )


class CommentForm(BodyForm):
    """A new comment and who writes it."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
        error_messages={
            "required": _("Bitte nennen Sie einen Namen. Es darf ein Pseudonym sein."),
            "max_length": _("Dieser Name ist zu lang; höchstens %(limit_value)d Zeichen gehen."),
        },
    )
    email = AddressField(
        label=_("E-Mail"),
        help_text=_("freiwillig"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    website = forms.CharField(
        label=_("Website"),
        help_text=_("freiwillig"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "url", "inputmode": "url"}),
    )
    # Of a paragraph, for whoever has no pointer to choose them with, or no script.
    words = forms.CharField(
        label=_("Nur zu diesen Worten daraus"),
        help_text=_("leer heißt: zum ganzen Absatz"),
        required=False,
        max_length=RAW_LIMIT,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    notify = forms.BooleanField(label=TICKED_WITH_COMMENT, help_text=TICKED_FOR_ALL, required=False)
    # The honeypot: invisible to people, filled in by programs.
    subject = forms.CharField(
        label=_("Bitte frei lassen"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )

    def __init__(
        self, *args, article: Article, reader: Reader | None, id_prefix: str = "", asks_words: bool = False, **kwargs
    ):
        super().__init__(*args, auto_id=f"{id_prefix}%s", **kwargs)
        self.id_prefix = id_prefix
        self.article = article
        self.reader = reader
        if not asks_words:
            del self.fields["words"]
        if article.comment_mode == Article.CommentMode.CONFIRMED:
            self.fields["email"].help_text = _("zum Bestätigen")
        # An account's address is known; it is not asked for again (A29, WCAG 3.3.7). An editor's may have none.
        if reader is not None and reader.is_account and reader.email:
            del self.fields["email"]

    def clean_name(self) -> str:
        name = normalise_line(self.cleaned_data["name"])
        if not shows_something(name):
            raise ValidationError(self.fields["name"].error_messages["required"], code="required")
        MaxLengthValidator(self.fields["name"].max_length, self.fields["name"].error_messages["max_length"])(name)
        # Who goes by such a name already keeps it: in a reply mail nobody could change it. It is shown without a link.
        if holds_address(name) and (self.reader is None or name != self.reader.name):
            sentence = _("Im Namen kann keine Adresse stehen; die Ihrer Website gehört in das Feld „Website“.")
            raise ValidationError(sentence, code="address")
        return name

    def clean_website(self) -> str:
        written = normalise_line(self.cleaned_data["website"])
        if not written:
            return ""
        url = safe_url(written)
        if url is None:
            raise ValidationError(_("Das ist keine Adresse einer Website. Beispiel: www.example.org"), code="invalid")
        return url

    def clean(self) -> dict:
        cleaned = super().clean()
        email = self.reader.email if "email" not in self.fields else cleaned.get("email", "")
        if not email and "email" not in self.errors and "email" in self.fields:
            if self.article.comment_mode == Article.CommentMode.CONFIRMED:
                self.add_error("email", _("Für diesen Artikel brauchen wir Ihre E-Mail-Adresse, um sie zu bestätigen."))
            elif cleaned.get("notify"):
                self.add_error("email", _("Wohin dürfen wir Antworten melden? Bitte nennen Sie Ihre E-Mail-Adresse."))
        return cleaned

    def keep_errors_of(self, name: str) -> None:
        for other in self.errors.keys() - {name}:
            del self.errors[other]

    def draft(self) -> Draft:
        cleaned = self.cleaned_data
        email = self.reader.email if "email" not in self.fields else cleaned["email"]
        return Draft(
            body=cleaned["body"],
            name=cleaned["name"],
            email=email,
            website=cleaned["website"],
            notify=cleaned["notify"],
        )


def guest_initial(reader: Reader | None) -> dict:
    """What a form that is made for one reader knows already, and its own key."""
    known = {"name": reader.name, "email": reader.email, "website": reader.website} if reader else {}
    return {**known, "form_key": new_form_key()}
