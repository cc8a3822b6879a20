"""What a person wrote in a reply mail."""

from django.utils.translation import gettext_lazy as _

DELIMITER = _("– Bitte über dieser Zeile antworten –")
