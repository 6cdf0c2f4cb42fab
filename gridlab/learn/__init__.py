"""Learning: what a lesson needs once, and checks that answer an exercise with a reason or a hint."""

from gridlab.learn.answers import Verdict
from gridlab.learn.checks import check, questions
from gridlab.learn.notebook import notebook

__all__ = ["Verdict", "check", "notebook", "questions"]
