"""A provider that changes under us: a model, its judge and its servers, each as a test sets it."""

import json
import re
from collections import Counter

from fakes.openai_server import Call, Reply, completion, reply

JUDGE = "judge-1"
PINNED = "fake-1-2026-01-01"
ALIAS = "fake-1"


class ChangingModel:
    """Copies the number of an order; answers wrongly the cases that a test breaks."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Be as at first."""
        self.is_down = False
        self.broken: set[int] = set()
        """Numbers that the model behind the alias answers wrongly, however it is asked."""
        self.broken_instructions: dict[str, set[int]] = {}
        """Numbers that it answers wrongly under a system message that has these words."""
        self.unsteady: set[int] = set()
        """Numbers that it answers wrongly every second time."""
        self.refused: set[int] = set()
        self.name = "fake-1-2026-01-01"
        """Of the model behind the alias."""
        self.strict: set[int] = set()
        """Numbers whose answers the judge rejects."""
        self.letters = "ABCD"
        """First tokens of the answers to probes, in turn."""
        self.asked: Counter[str] = Counter()

    def __call__(self, call: Call) -> Reply:
        """Answer one request."""
        if self.is_down:
            return reply({"error": None, "choices": None})  # what some gateways send while they are overloaded
        model = call.body["model"]
        if model == JUDGE:
            return self._judge(call)
        result = re.search(r"GH-(\d+)", call.last_user_message)
        if result is None:
            self.asked["probe"] += 1
            return reply(completion(self.letters[self.asked["probe"] % len(self.letters)], model=self.name))
        number = int(result[1])
        self.asked[result[0]] += 1
        if number in self.refused:
            return reply(completion(None, model=self.name, refusal="I cannot help with that."))
        text = "no idea" if self._is_wrong(call, model, number) else result[0]
        return reply(completion(text, model=self.name if model == ALIAS else model))

    def _is_wrong(self, call: Call, model: str, number: int) -> bool:
        if number in self.unsteady and self.asked[f"GH-{number}"] % 2:
            return True
        system = call.body["messages"][0]["content"]
        broken = next((each for words, each in self.broken_instructions.items() if words in system), self.broken)
        return model == ALIAS and number in broken

    def _judge(self, call: Call) -> Reply:
        text = json.dumps(call.body["messages"])
        result = re.search(r"GH-(\d+)", text)
        passes = result is not None and int(result[1]) not in self.strict and "no idea" not in text
        return reply(completion(json.dumps({"reason": "so it is", "score": 5 if passes else 1}), model=JUDGE))
