"""What our own log keeps of a request."""

import logging


def test_tokens_of_mailed_links_are_not_logged(client, db, caplog):
    token = "ImFubmFAZXhhbXBsZS5vcmci:1xX0CA:W232m8kQqhxhx1ZSI54BvVxqGllCFD3lgECFHRe_0T8"
    (handler,) = logging.getLogger().handlers[:1]
    assert client.get(f"/abos/{token}/").status_code == 404
    (record,) = [record for record in caplog.records if record.name == "django.request"]
    for console in logging.getLogger().handlers:
        console.filter(record)
    assert token not in record.getMessage()
    assert record.getMessage() == "Not Found: /abos/…/"
