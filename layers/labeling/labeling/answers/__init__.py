"""What workers are asked, and how several answers become one: the kinds of questions, one file each.

A kind's file holds its part of the job configuration, reads a worker's answer, and consolidates several.
"""

from labeling.answers.categories import CategoriesQuestion
from labeling.answers.category import CategoryQuestion
from labeling.answers.instants import InstantsQuestion
from labeling.answers.marks import MarkingQuestion
from labeling.answers.number import NumberQuestion
from labeling.answers.question import Answering, BrokenAnswerError
from labeling.answers.regions import RegionsQuestion
from labeling.answers.text import TextQuestion

AnyQuestion = CategoryQuestion | CategoriesQuestion | NumberQuestion | TextQuestion | RegionsQuestion | InstantsQuestion

__all__ = [
    "Answering",
    "AnyQuestion",
    "BrokenAnswerError",
    "CategoriesQuestion",
    "CategoryQuestion",
    "InstantsQuestion",
    "MarkingQuestion",
    "NumberQuestion",
    "RegionsQuestion",
    "TextQuestion",
]
