"""The plan predictor: a small GPT-2 with a vocabulary of its own, trained by `dlcodegen planner train`."""
