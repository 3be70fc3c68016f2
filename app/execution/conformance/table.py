"""What became of the plan in the code: each field and each stated fact honoured, contradicted or not found."""

from dlcodegen.execution.code_view import CodeView
from dlcodegen.execution.conformance.category import judge_category
from dlcodegen.execution.conformance.data import judge_input, judge_output
from dlcodegen.execution.conformance.facts import judge_fact
from dlcodegen.execution.conformance.layers import judge_layers
from dlcodegen.execution.conformance.loss import judge_loss
from dlcodegen.execution.conformance.metrics import judge_metrics
from dlcodegen.execution.conformance.optimizer import judge_optimizer
from dlcodegen.execution.conformance.preprocess import judge_preprocess
from dlcodegen.execution.conformance.running import sharpened
from dlcodegen.execution.conformance.smoke import lowered
from dlcodegen.execution.conformance.training import judge_batch_size, judge_epochs, judge_learning_rate
from dlcodegen.execution.conformance.values import Values
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Conformance, Fact, Seen


def conformance(code: str, plan: SolutionPlan, facts: list[Fact], seen: Seen | None = None) -> list[Conformance]:
    """One row for each field of the plan that code can show, then one for each stated fact that has none yet.

    By syntax tree, nothing is executed; what the running model showed, if it ran, decides where it shows more.
    Raises SyntaxError when the code does not parse.
    """
    view, shown = CodeView(code), seen or Seen()
    values, smaller, hyper = Values(view), lowered(view), plan.hyperparameters
    rows = [
        judge_learning_rate(view, values, hyper.learning_rate, shown),
        judge_batch_size(view, values, hyper.batch_size),
        judge_epochs(view, values, hyper.epochs),
        judge_optimizer(view, values, hyper.optimizer, shown),
        judge_loss(view, hyper.loss_function, shown),
        *judge_metrics(view, plan, facts),
        *judge_category(view, plan.category, shown),
        *judge_input(view, values, plan.input, shown, smaller),
        *judge_output(view, values, plan.output, shown, smaller),
        *judge_preprocess(view, values, plan.preprocess, facts),
        *sharpened(view, judge_layers(view, values, plan.layers), shown, smaller),
    ]
    covered = {row["name"] for row in rows}
    return rows + [judge_fact(view, values, fact, shown) for fact in facts if fact["name"] not in covered]
