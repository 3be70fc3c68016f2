"""The broken scripts of `bench ladder`: every planted fault, by theme."""

from dlcodegen.evals.fault import Fault
from dlcodegen.evals.faults_artefacts import ARTEFACTS
from dlcodegen.evals.faults_contract import CONTRACT
from dlcodegen.evals.faults_course import COURSE
from dlcodegen.evals.faults_data import DATA
from dlcodegen.evals.faults_dishonest import DISHONEST
from dlcodegen.evals.faults_fashion import FASHION
from dlcodegen.evals.faults_losses import LOSSES
from dlcodegen.evals.faults_resources import RESOURCES
from dlcodegen.evals.faults_shapes import SHAPES
from dlcodegen.evals.faults_text import TEXT
from dlcodegen.evals.faults_training import TRAINING

__all__ = ["FAULTS", "Fault"]

FAULTS: tuple[Fault, ...] = (
    *TEXT,
    *CONTRACT,
    *SHAPES,
    *LOSSES,
    *TRAINING,
    *COURSE,
    *DATA,
    *RESOURCES,
    *DISHONEST,
    *ARTEFACTS,
    *FASHION,
)
