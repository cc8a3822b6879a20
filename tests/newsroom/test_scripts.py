"""The scripts share one scope: a name declared twice would silently be the later one's."""

import re
from collections import Counter

from django.conf import settings


def test_no_name_is_declared_twice():
    names = Counter()
    for file in sorted((settings.BASE_DIR / "static").glob("*.js")):
        declared = re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", file.read_text(), re.MULTILINE)
        names.update(declared)
    assert len(names) > 50
    assert [name for name, count in names.items() if count > 1] == []
