"""Whoever turns plan and context into code: the protocol, the syntax writer, the writer that asks a chat model."""
