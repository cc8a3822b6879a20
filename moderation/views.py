from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from comments.gone import gone
from comments.hidden import hidden_names
from comments.models import Comment
from moderation.by_mail import Instruction, Step, read_instruction
from moderation.forms import NoticeForm, RemovalForm
from moderation.models import Notice
from moderation.services import ChangedMeanwhileError, approve, dismiss, give_notice, remove
from newsroom.mail import site_url
from newsroom.pages.sharedforms import shared_form, token_page
from newsroom.ratelimit import client_network, count_up
from readers.device import acting_reader, current_reader

NOTICES_PER_NETWORK, PER_NETWORK = 30, timedelta(hours=1)


@shared_form
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """A notice about a comment, open to anyone, signed in or not (A4, A5)."""
    comment = get_object_or_404(Comment.objects.on_published_articles().with_article(), pk=pk)
    if not comment.is_published:
        raise gone(comment)
    initial = {"url": site_url(comment.get_absolute_url())}
    form = NoticeForm(request.POST if request.method == "POST" else None, initial=initial)
    status = 422 if form.is_bound else 200
    if form.is_valid():
        if count_up("notice", f"network {client_network(request)}", window=PER_NETWORK) <= NOTICES_PER_NETWORK:
            notice = Notice(comment=comment, reader=acting_reader(request), **form.cleaned_data)
            give_notice(notice, network=client_network(request))
            messages.success(
                request, _("Danke, Ihre Meldung ist eingegangen. Wir sehen sie uns an."), extra_tags="comments"
            )
            return redirect(comment)
        status = 429
        form.add_error(
            None, _("Aus Ihrem Netz kamen sehr viele Meldungen. Bitte versuchen Sie es in einer Stunde wieder.")
        )
    context = {"comment": comment, "form": form, "is_own": comment.is_by(current_reader(request))}
    context["is_hidden"] = comment.name in hidden_names(request)
    return render(request, "moderation/report.html", context, status=status)


@csrf_exempt  # the token in the address is the right to act
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def decide_by_mail(request: HttpRequest, token: str) -> HttpResponse:
    """A link out of the mail to the editor on duty: one decision, one button. GET asks, POST acts (B12)."""
    instruction = read_instruction(token)
    if instruction is None:
        return render(request, "moderation/instruction_dead.html", status=404)
    # Decided meanwhile, here or elsewhere, is decided: an old mail in the inbox does not turn it round.
    acts = request.method == "POST" and _is_open(instruction)
    form = RemovalForm(request.POST if acts and instruction.step == Step.REMOVE else None)
    changed = instruction.comment.fingerprint != instruction.as_seen
    if acts and not changed and (not form.is_bound or form.is_valid()):
        try:
            _carry_out(instruction, form)
        except ChangedMeanwhileError:
            changed = True
        instruction.comment.refresh_from_db()
        if instruction.notice is not None:
            instruction.notice.refresh_from_db()
    context = {
        "instruction": instruction,
        "comment": instruction.comment,
        "article": instruction.comment.article,
        "form": form,
    }
    context |= {"changed": changed, "is_open": _is_open(instruction), "Step": Step}
    return render(request, "moderation/decide_by_mail.html", context, status=422 if form.errors else 200)


def _carry_out(instruction: Instruction, form: RemovalForm) -> None:
    if instruction.step == Step.APPROVE:
        approve(instruction.comment, moderator=instruction.editor, as_seen=instruction.as_seen)
    elif instruction.step == Step.REMOVE:
        seen = Comment.State.PUBLISHED if instruction.notice is not None else Comment.State.HELD
        remove(
            instruction.comment,
            moderator=instruction.editor,
            if_state=seen,
            because_of=instruction.notice,
            **form.cleaned_data,
        )
    elif instruction.notice is not None:
        dismiss(instruction.notice, moderator=instruction.editor)


def _is_open(instruction: Instruction) -> bool:
    """Is there still something to decide?"""
    if instruction.notice is not None:
        # What its author deleted meanwhile still has to be answered.
        may = not instruction.comment.is_held if instruction.step == Step.DISMISS else instruction.comment.is_published
        return instruction.notice.state == Notice.State.OPEN and may
    return instruction.comment.is_held
