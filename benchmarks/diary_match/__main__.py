"""How well letters are matched to a diary: python benchmarks/diary_match [--seed N] [--count N]

Makes a diary and letters with known truth (`world.py`), matches them and prints what is right.
"A number" means that the letter's subject names a case of the diary, however it is written.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from diary_match.world import World, make

from compliance.diary.match import match
from compliance.diary.number import DiaryNumber
from compliance.diary.record import DiaryRecord, Message

WANTED = (
    ("with a number, precision", 0.999),
    ("with a number, recall", 0.98),
    ("without one, precision of what is matched", 0.99),
    ("without one, right among three", 0.95),
)


def as_records(world: World) -> list[DiaryRecord]:
    return [
        DiaryRecord(
            row.key,
            DiaryNumber(row.board, row.year, row.serial, row.document),
            row.day,
            row.direction,
            row.party,
            row.subject,
        )
        for row in world.rows
    ]


def as_messages(world: World) -> list[Message]:
    return [
        Message(
            letter.key,
            letter.day,
            letter.direction,
            tuple(letter.others),
            tuple(letter.names),
            letter.subject,
            letter.board,
            letter.message_id,
            tuple(letter.references),
        )
        for letter in world.letters
    ]


def judge(world: World, outcomes, show: int) -> list[float]:
    case_of = {row.key: str(DiaryNumber(row.board, row.year, row.serial)) for row in world.rows}
    found: Counter[str] = Counter()
    by_kind: Counter[tuple[str, str, str]] = Counter()
    for letter in world.letters:
        outcome = outcomes[letter.key]
        cases = {case_of[key] for key in letter.truth}
        found_cases = {str(match.record.number.case) for match in outcome.matched}
        matched = {match.record.key for match in outcome.matched}
        seen = matched | {match.record.key for match in outcome.suggestions}
        group = "number" if letter.number else "none"
        found[f"{group} matched"] += len(matched)
        found[f"{group} right"] += len(matched & letter.truth)
        found[f"{group} cases"] += len(found_cases)
        found[f"{group} right cases"] += len(found_cases & cases)
        if letter.truth:
            found[f"{group} registered"] += 1
            found[f"{group} found"] += bool(matched & letter.truth)
            found[f"{group} found case"] += bool(found_cases & cases)
            found[f"{group} among three"] += bool(seen & letter.truth)
        wrong = bool(found_cases - cases)
        missed = bool(letter.truth) and not found_cases & cases
        result = "wrong" if wrong else "missed" if missed else "right"
        by_kind[group, letter.kind, result] += 1
        if show and (wrong or (missed and (letter.number or not seen & letter.truth))):
            show -= 1
            explain(world, letter, outcome)
    for (group, kind, result), number in sorted(by_kind.items()):
        print(f"  {group:<8}{kind:<14}{result:<8}{number:>7}")
    print(
        f"without one, matched without a human: {found['none found'] / found['none registered']:.3f}; "
        f"with one, right among three: {found['number among three'] / found['number registered']:.4f}"
    )
    for group in ("number", "none"):
        print(
            f"{group}: the very document, precision {found[f'{group} right'] / found[f'{group} matched']:.4f}, "
            f"recall {found[f'{group} found'] / found[f'{group} registered']:.4f}"
        )
    return [
        found["number right cases"] / found["number cases"],
        found["number found case"] / found["number registered"],
        found["none right cases"] / found["none cases"],
        found["none among three"] / found["none registered"],
    ]


def explain(world: World, letter, outcome) -> None:
    rows = {row.key: row for row in world.rows}
    print(
        letter.kind,
        letter.day,
        letter.direction,
        letter.others,
        letter.names,
        repr(letter.subject),
        letter.board,
    )
    for key in letter.truth:
        print("   TRUE", rows[key])
    for kind, matches in (("M", outcome.matched), ("s", outcome.suggestions)):
        for found in matches:
            print(
                "  ",
                kind,
                f"{found.confidence:.3f} {found.pair.weight:.1f}",
                rows[found.record.key],
            )
            e = found.pair.evidence
            print(
                "       ",
                e.number,
                e.same_thread,
                e.forwarded,
                e.lag,
                e.direction,
                e.party,
                e.subject,
            )


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, required=True)
    options.add_argument("--count", type=int, default=20_000)
    options.add_argument("--show", type=int, default=0, help="mistakes to print")
    chosen = options.parse_args()
    world = make(chosen.seed, chosen.count)
    records, messages = as_records(world), as_messages(world)
    begin = time.process_time()
    outcomes = match(messages, records)
    seconds = time.process_time() - begin
    figures = judge(world, outcomes, chosen.show)
    print(f"seed {chosen.seed}: {len(messages)} letters, {len(records)} records, {seconds:.1f} s")
    for (name, wanted), figure in zip(WANTED, figures, strict=True):
        print(
            f"{name:<45}{figure:.4f}  wanted {wanted}{'' if figure >= wanted else '  NOT REACHED'}"
        )
    sys.exit(any(figure < wanted for (_, wanted), figure in zip(WANTED, figures, strict=True)))


if __name__ == "__main__":
    main()
