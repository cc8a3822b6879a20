"""Mails that come back to us."""

from django.utils import timezone

from articles.models import Article
from newsroom.models import Suppression
from subscriptions.inbound import take_in
from subscriptions.models import Bounce, Delivery, Subscription
from tests import factories

BERTA = "berta@example.org"


def another_mail(article: Article, email: str = BERTA) -> Delivery:
    row = Subscription.objects.filter(article=article, email=email).first() or factories.subscription(article, email)
    return Delivery.objects.create(
        comment=factories.comment(article), subscription=row, email=email, state="sent", sent_at=timezone.now()
    )


def comes_back(delivery: Delivery, raw: bytes | str, *, sender: str = "") -> None:
    raw = raw if isinstance(raw, bytes) else raw.replace("\n", "\r\n").encode()
    take_in(raw, recipient=f"{delivery.mail_token('rueck')}@antwort.example", sender=sender)


def suppressed() -> list[tuple[str, str]]:
    return list(Suppression.objects.standing().values_list("email", "reason"))


def bounces() -> list[tuple[str, str]]:
    return list(Bounce.objects.order_by("pk").values_list("email", "kind"))


def postfix(status: str, said: str, action: str = "failed") -> str:
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4Xk1b.1700000000/mx.example.com"

This is a MIME-encapsulated message.

--4Xk1b.1700000000/mx.example.com
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. Status: 5.1.1

--4Xk1b.1700000000/mx.example.com
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
X-Postfix-Queue-ID: 4Xk1b
X-Postfix-Sender: rfc822; rueck-1-abc@antwort.example
Arrival-Date: Wed,  1 May 2024 12:30:00 +0200 (CEST)

Final-Recipient: rfc822; berta@example.org
Original-Recipient: rfc822;berta@example.org
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.org
Diagnostic-Code: {said}

--4Xk1b.1700000000/mx.example.com
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: Anna =?utf-8?q?=C3=BCber?= Newsroom <newsroom@localhost>
Subject: Kommentare
Action: delayed
Status: RO

Hallo
--4Xk1b.1700000000/mx.example.com--
"""


def exim(said: str) -> str:
    return f"""\
X-Failed-Recipients: berta@example.org
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.com>
Content-Type: multipart/report; report-type=delivery-status; boundary=1714559400-eximdsn-1
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender

--1714559400-eximdsn-1
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

  berta@example.org
    host mail.example.org [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<berta@example.org>

--1714559400-eximdsn-1
Content-type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Action: failed
Final-Recipient: rfc822;berta@example.org
Status: 5.0.0
Remote-MTA: dns; mail.example.org
Diagnostic-Code: {said}

--1714559400-eximdsn-1
Content-type: message/rfc822

Subject: Kommentare

--1714559400-eximdsn-1--
"""


EXCHANGE = """\
From: <postmaster@example.org>
Subject: Unzustellbar: =?utf-8?Q?Kommentare_zu_=E2=80=9EBr=C3=BCcke?=
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="9B095B5ADSN=_01DA9B2"
X-DSNContext: 7ce717b1 - 1386 - 00000002 - C00402D1

--9B095B5ADSN=_01DA9B2
Content-Type: multipart/related; differences=Content-Type;
\tboundary="0ffe0ba5-6f9c-4b43-8a21"

--0ffe0ba5-6f9c-4b43-8a21
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

<html><p>Ihre Nachricht an berta@example.org konnte nicht zugestellt werden.</p></html>
--0ffe0ba5-6f9c-4b43-8a21--

--9B095B5ADSN=_01DA9B2
Content-Type:
\tmessage/delivery-status

Reporting-MTA: dns;AM0PR01MB0001.eurprd01.prod.exchangelabs.com
Received-From-MTA: dns;mx.example.com
Arrival-Date: Wed, 1 May 2024 10:30:00 +0000

Final-Recipient: rfc822;berta@example.org
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient berta@example.org not found

--9B095B5ADSN=_01DA9B2
Content-Type: text/rfc822-headers

Subject: Kommentare

--9B095B5ADSN=_01DA9B2--
"""


GMAIL = """\
Return-Path: <>
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
To: rueck-1-abc@antwort.example
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
Content-Type: multipart/report; boundary="000000000000b1"; report-type=delivery-status

--000000000000b1
Content-Type: multipart/related; boundary="000000000000b2"

--000000000000b2
Content-Type: text/plain; charset="UTF-8"

** Address not found **

--000000000000b2--
--000000000000b1
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Arrival-Date: Wed, 01 May 2024 03:30:00 -0700 (PDT)
X-Original-Message-ID: <comment-1.0123456789abcdef@localhost>

Final-Recipient: rfc822; berta@example.org
Action: failed
Status: {status}
Remote-MTA: dns; gmail-smtp-in.l.google.com. (192.0.2.27, the server for the domain.)
Diagnostic-Code: smtp; {said}
Last-Attempt-Date: Wed, 01 May 2024 03:30:01 -0700 (PDT)

--000000000000b1
Content-Type: message/rfc822

Subject: Kommentare

--000000000000b1--
"""


GMAIL_UNKNOWN = GMAIL.format(
    status="5.1.1",
    said="550-5.1.1 The email account that you tried to reach does not exist. Please try\n 550-5.1.1 double-checking",
)


GMAIL_FULL = GMAIL.format(status="5.2.2", said="552-5.2.2 The recipient's inbox is out of storage space")


INTERNATIONAL = postfix("5.1.1", "smtp; 550 5.1.1 unknown").replace(
    "message/delivery-status", "message/global-delivery-status"
)


HARD = {
    "Postfix": (postfix("5.1.1", "smtp; 550 5.1.1 <berta@example.org>: Recipient address rejected"), "5.1.1 smtp; 550"),
    "Postfix, no such domain": (postfix("5.1.2", "X-Postfix; Host or domain name not found"), "5.1.2 X-Postfix; Host"),
    "Postfix, mailbox closed": (postfix("5.2.1", "smtp; 550 5.2.1 disabled"), "5.2.1 smtp; 550 5.2.1 disabled"),
    "Exim": (exim("smtp; 550 5.1.1 No such user here"), "5.0.0 smtp; 550 5.1.1 No such user here"),
    "Exchange": (EXCHANGE, "5.1.10 smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound;"),
    "Gmail": (GMAIL_UNKNOWN, "5.1.1 smtp; 550-5.1.1 The email account"),
    "internationalised": (INTERNATIONAL, "5.1.1 smtp; 550 5.1.1 unknown"),
}


SOFT = {
    "Postfix, gave up": postfix("4.4.1", "X-Postfix; connect to mail.example.org[192.0.2.1]:25: Connection timed out"),
    "Postfix, gave up on a bad code": postfix("4.1.1", "smtp; 450 4.1.1 unverified"),
    "mailbox full": postfix("5.2.2", "smtp; 552 5.2.2 Mailbox full"),
    "Gmail, mailbox full": GMAIL_FULL,
    "taken for spam": postfix("5.7.1", "smtp; 550 5.7.1 Message rejected as spam"),
    "our address blocked": postfix("5.7.1", "smtp; 554 5.7.1 Client host [5.1.1.1] blocked"),
    "Exim, no code": exim("smtp; 550 rejected"),  # perhaps because of the words
    "no code at all": postfix("", ""),
    "a strange code": postfix("unknown", "smtp; no"),
}
