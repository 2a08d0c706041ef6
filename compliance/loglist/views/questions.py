"""What an official was asked about a message of theirs, and answering it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from compliance.loglist import questions
from compliance.loglist.answer_form import AnswerForm
from compliance.loglist.context import name_of


@require_GET
def own(request: HttpRequest) -> HttpResponse:
    """Show the questions to whoever reads."""
    found = [(question, name_of(question.unit)) for question in questions.own()]
    return render(request, "loglist/questions.html", {"questions": found})


@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, number: int) -> HttpResponse:
    """Show a question with the message's row, and take the answer."""
    question = questions.one(number)
    form = AnswerForm(request.POST if request.method == "POST" else None, label_suffix="")
    if request.method == "POST":
        if not question.may_answer:  # a second click, or the reviewer has decided meanwhile
            return redirect("question", number)
        if form.is_valid():
            questions.answer(question, *form.answer())
            return redirect("question", number)
    return render(
        request,
        "loglist/question.html",
        {
            "question": question,
            "unit_name": name_of(question.unit),
            "row": questions.row_of(question) if question.is_open else None,
            "form": form,
        },
        status=400 if form.errors else 200,
    )
