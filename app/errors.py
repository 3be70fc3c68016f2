"""All errors that DLCodeGen raises.

    DLCodeGenError                our failure                                   exit 1
    ├── InputError                the user can mend it: the message says how    exit 2
    │   ├── RequirementError      the requirement is nothing to work on
    │   └── SettingsError         a setting, model name, key or address is wrong
    │       └── PromptTooLong     a prompt does not fit the chat model's context
    ├── ModelError                a chat model failed although it is set up     exit 1
    │   └── OutageError           its provider is down, overloaded or too slow
    │       └── AnswerLostError   the connection broke in the middle of an answer
    ├── BudgetSpent               the run's tokens or money are used up         exit 1
    └── SandboxError              generated code could not be executed at all   exit 1
        ├── NoSandboxError        this computer offers no sandbox: says which way out there is
        └── StoppedError          somebody wanted to be gone: the run was ended

Failure of *generated code* is no exception: it is a CheckReport (`dlcodegen.report`). All derive from RuntimeError,
the class whose text a LangGraph server passes on to its clients.
"""


class DLCodeGenError(RuntimeError):
    """Something of ours failed."""

    exit_code = 1


class InputError(DLCodeGenError):
    """What the user gave cannot be worked on; the message says what to give instead."""

    exit_code = 2


class RequirementError(InputError):
    """The requirement is empty, too long, no text, or no deep-learning task."""


class SettingsError(InputError):
    """A setting is wrong: unknown model, missing key, unreachable address, folder that is not empty."""


class PromptTooLong(SettingsError):  # noqa: N818  the name says it
    """The prompt is longer than the model can read: a sample less, or another model."""


class BudgetSpent(DLCodeGenError):  # noqa: N818  nothing went wrong
    """The tokens or the money of the run are used up: the next question was not asked."""


class ModelError(DLCodeGenError):
    """A chat model that is set up correctly gave no usable answer."""


class OutageError(ModelError):
    """The model's provider is down, overloaded or too slow: other questions would fail as well."""


class AnswerLostError(OutageError):
    """The connection broke in the middle of an answer: asked again, the model may give it."""


class SandboxError(DLCodeGenError):
    """The sandbox could not be set up; says nothing about the generated code."""


class NoSandboxError(SandboxError):
    """No sandbox is offered here to run generated code in, and nobody allowed to run it without."""


class StoppedError(SandboxError):
    """The run was ended from our side, at Ctrl-C."""


UNANSWERED = (ModelError, BudgetSpent, PromptTooLong)
"""What a question to a chat model may end with, though all is set up: somebody else does the job."""
UNANSWERED_LATE = (*UNANSWERED, SettingsError)
"""Once there are drafts, a key that is refused ends the asking and not the run."""
