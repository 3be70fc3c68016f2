"""All errors that DLCodeGen raises.

    DLCodeGenError                our failure                                   exit 1
    ├── InputError                the user can mend it: the message says how    exit 2
    │   ├── RequirementError      the requirement is nothing to work on
    │   └── SettingsError         a setting, model name, key or address is wrong
    ├── ModelError                a chat model failed although it is set up     exit 1
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


class ModelError(DLCodeGenError):
    """A chat model that is set up correctly gave no usable answer."""


class SandboxError(DLCodeGenError):
    """The sandbox could not be set up; says nothing about the generated code."""


class NoSandboxError(SandboxError):
    """No sandbox is offered here to run generated code in, and nobody allowed to run it without."""


class StoppedError(SandboxError):
    """The run was ended from our side, at Ctrl-C."""
