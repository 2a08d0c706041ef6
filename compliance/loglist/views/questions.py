"""What an official was asked about a message of theirs, and answering it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from compliance.loglist import questions
from compliance.loglist.answer_form import AnswerForm
from compliance.loglist.context import name_of
from compliance.messagelog.reading import NotYoursError


@require_GET
def own(request: HttpRequest) -> HttpResponse:
    """Show the questions to whoever reads."""
    found = [(question, name_of(question.unit)) for question in questions.own()]
    return render(request, "loglist/questions.html", {"questions": found})


@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, number: int) -> HttpResponse:
    """Show a question with the message's row, and take the answer."""
    question = questions.one(number)
    row = questions.row_of(question) if question.is_open else None
    is_handed_over = request.method == "POST" and "hand-over" in request.POST
    is_answered = request.method == "POST" and not is_handed_over
    form = AnswerForm(request.POST if is_answered else None, label_suffix="")
    may_hand_over = questions.may_hand_over(question, row)
    problem = ""
    if request.method == "POST" and not question.may_answer:
        return redirect("question", number)  # a second click, or it has been decided meanwhile
    if is_handed_over:
        if not may_hand_over:
            raise NotYoursError
        problem = questions.hand_over(question).state
        if problem == "found":
            return redirect("question", number)
    elif is_answered and form.is_valid():
        questions.answer(question, *form.answer())
        return redirect("question", number)
    return render(
        request,
        "loglist/question.html",
        {
            "question": question,
            "unit_name": name_of(question.unit),
            "row": row,
            "form": form,
            "may_hand_over": may_hand_over,
            "problem": problem,
        },
        status=_STATUS.get(problem, 503) if problem else 400 if form.errors else 200,
    )


_STATUS = {"missing": 404, "disposed": 410}
