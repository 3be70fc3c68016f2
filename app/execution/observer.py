"""Records what a running script shows (placeholder while it is being written)."""

class Observer:
    def __init__(self, script: str) -> None:
        self.warnings: list = []
        self.faults: list = []
    def install(self, code: str) -> None: ...
    def seen(self) -> dict: return {}
