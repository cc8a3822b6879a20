"""What comes to a wrong address, from somebody else or from a machine becomes no comment (B8, B17)."""

import pytest

from newsroom.models import Limit
from subscriptions.inbound import MAILS_BACK, UnknownAddressError, take_in
from subscriptions.mails import Personal, comment_mail
from subscriptions.models import Delivery
from subscriptions.services import end
from tests import factories
from tests.comments.test_hostile_input import NASTY
from tests.subscriptions.inbound.mails import ANSWER, BERTA, bring, owed, plain, replies, told_of, written

# --- which address ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelled", [str.upper, str.title, "<{}>".format, " {} ".format])
def test_address_in_another_spelling(told, spelled):
    take_in(written(), recipient=spelled(f"{told.mail_token('antwort')}@antwort.example"), sender=BERTA)
    assert replies(told) == [("published", ANSWER)]


def foreign_addresses(told: Delivery, other: Delivery) -> dict[str, str]:
    own, foreign = told.mail_token("antwort"), other.mail_token("antwort")
    purpose, pk, signature = own.split("-")
    moved = Delivery(pk=told.pk, email="eve@example.org")
    return {
        "another's signature": f"{purpose}-{pk}-{foreign.rpartition('-')[2]}",
        "another address's": moved.mail_token("antwort"),
        "another purpose's": f"antwort-{told.mail_token('rueck').partition('-')[2]}",
        "unknown purpose": f"ende-{pk}-{signature}",
        "no signature": f"{purpose}-{pk}-",
        "shortened": own[:-1],
        "lengthened": f"{own}a",
        "nobody's": f"{purpose}-zzzz-{signature}",
        "beyond bigint": f"{purpose}-zzzzzzzzzzzzz-{signature}",
        "digits that are none": f"{purpose}-²-{signature}",
        "Kelvin": own.replace("k", "\u212a") if "k" in own else "\u212a",
        "nothing": "",
        "a person's": "redaktion",
    }


def test_addresses_that_are_not_ours_are_unknown(article, told):
    other = told_of(factories.comment(article), "carl@example.org")
    addresses = {name: f"{local}@antwort.example" for name, local in foreign_addresses(told, other).items()}
    own = told.mail_token("antwort")
    addresses |= {"another domain": f"{own}@example.org", "beneath our domain": f"{own}@x.antwort.example"}
    addresses |= {"no domain": own, "empty": "", "two": f"{own}@antwort.example@example.org"}
    addresses |= {name: f"antwort-{value}@antwort.example" for name, value in NASTY.items()}
    addresses |= {f"{name} behind": f"{own}{value}@antwort.example" for name, value in NASTY.items()}
    for address in addresses.values():
        with pytest.raises(UnknownAddressError):
            take_in(written(), recipient=address, sender=BERTA)
    assert (replies(told), owed()) == ([], 0)


def test_without_a_domain_for_replies_there_are_no_addresses(told, settings):
    settings.REPLY_DOMAIN = ""
    for domain in ("antwort.example", ""):
        with pytest.raises(UnknownAddressError):
            take_in(written(), recipient=f"{told.mail_token('antwort')}@{domain}", sender=BERTA)


def test_what_is_gone_has_no_address(told):
    address = f"{told.mail_token('antwort')}@antwort.example"
    told.delete()
    with pytest.raises(UnknownAddressError):
        take_in(written(), recipient=address, sender=BERTA)


# --- from whom -------------------------------------------------------------------------------------------------------


NOT_THEIRS = {
    "another address": b"From: Eve <eve@example.org>\r\n",
    "the name poses as the address": b'From: "berta@example.org" <eve@example.org>\r\n',
    "two addresses": b"From: berta@example.org, eve@example.org\r\n",
    "two headers": b"From: Berta <berta@example.org>\r\nFrom: Eve <eve@example.org>\r\n",
    "two headers, the other first": b"From: eve@example.org\r\nFrom: berta@example.org\r\n",
    "address in the name": b"From: berta@example.org <eve@example.org>\r\n",
    "a group": b"From: Freunde: berta@example.org;\r\n",
    "another's folded": b"From: Berta\r\n <eve@example.org>\r\n",
    "look-alike domain": "From: berta@exampl\u0435.org\r\n".encode(),
    "sub-address": b"From: berta+x@example.org\r\n",
    "none": b"",
    "Sender alone": b"Sender: berta@example.org\r\nReply-To: berta@example.org\r\n",
}


def test_token_alone_does_not_suffice(told, back):
    for number, head in enumerate(NOT_THEIRS.values()):
        Limit.objects.all().delete()
        bring(told, head + b"Message-ID: <%d@example.org>\r\n\r\nKauft billige Uhren.\r\n" % number)
        assert (replies(told), owed()) == ([], number + 1)
    letters = back()
    assert {letter.recipient for letter in letters} == {BERTA}  # never whoever wrote
    for letter in letters:
        assert "ist nicht erschienen" in plain(letter)
        assert "Uhren" not in letter.text + letter.html


@pytest.mark.parametrize("sender", ["BERTA@Example.ORG", "Berta <Berta@EXAMPLE.org>", '"B, B" <berta@example.org>'])
def test_another_spelling_of_their_address_is_theirs(told, sender):
    bring(told, written(sender=sender))
    assert len(replies(told)) == 1


def test_ended_is_said_to_who_answers_and_to_nobody_else(told, back):
    end(told.subscription)
    told.refresh_from_db()
    bring(told, written(sender="Eve <eve@example.org>"))
    bring(told, written(""))
    assert owed() == 0
    bring(told, written())
    assert replies(told) == []
    (letter,) = back()
    assert "Sie haben diese Benachrichtigungen beendet" in plain(letter)
    assert f"> {ANSWER}" in letter.text


# --- from nobody -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["", "<>", " <> ", "MAILER-DAEMON"])
def test_from_an_empty_envelope_nothing_is_taken(told, sender):
    bring(told, written(), sender=sender)
    bring(told, written("", sender="eve@example.org"), sender=sender)
    assert (replies(told), owed()) == ([], 0)


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated"},
        {"X_Auto_Response_Suppress": "All"},
        {"Precedence": "bulk"},
        {"List_Id": "<x.example.org>"},
        {"Return_Path": "<>"},
        {"Subject": "Automatische Antwort: Kommentare"},
    ],
)
@pytest.mark.parametrize("sender", [f"Berta <{BERTA}>", "eve@example.org", "MAILER-DAEMON@example.org"])
def test_what_a_machine_wrote_is_dropped_without_a_word(told, headers, sender):
    bring(told, written("Ich bin bis Montag nicht da.", sender=sender, **headers))
    assert (replies(told), owed()) == ([], 0)


@pytest.mark.parametrize("lost", [(), ("Auto-Submitted", "X-Auto-Response-Suppress", "List-Id")])
def test_our_own_mail_is_dropped(told, settings, letters, lost):
    settings.DEFAULT_FROM_EMAIL = f"Newsroom <{BERTA}>"  # the worst case: ours is from who subscribed
    message = comment_mail(told.comment, kind="article", personal=Personal.of(told, answered=None)).message()
    for name in lost:
        del message[name]
    bring(told, message.as_bytes())
    assert (replies(told), owed()) == ([], 0)


def test_a_colleagues_mail_is_not_ours(told, settings):
    """Thunderbird makes Message-IDs with the domain of the sender."""
    settings.DEFAULT_FROM_EMAIL = "Newsroom <newsroom@example.org>"
    bring(told, written(Message_ID="<2b1c8f0e-1111-2222-3333-444455556666@example.org>"))
    assert replies(told) == [("published", ANSWER)]


def test_two_programs_that_answer_each_other_come_to_an_end(told, back):
    for number in range(MAILS_BACK + 3):
        bring(told, written(f"Nummer {number}", sender="eve@example.org"))
    letters = back()
    assert [letter.recipient for letter in letters] == [BERTA] * MAILS_BACK
    # And an answer to them finds no address of ours.
    assert {dict(letter.headers).get("Reply-To") for letter in letters} == {None}
    assert {letter.sender for letter in letters} == {"Newsroom <newsroom@localhost>"}
