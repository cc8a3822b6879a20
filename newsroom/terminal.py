"""What the programs around the site say to the person who starts them: in the site's language, and without Django,
which they start, or do not need."""

import gettext
import os
from pathlib import Path

LOCALE = Path(__file__).resolve().parent.parent / "locale"

_language = os.environ.get("LANGUAGE_CODE", "").partition("-")[0] or "de"
_ = gettext.translation("django", LOCALE, [_language], fallback=True).gettext
